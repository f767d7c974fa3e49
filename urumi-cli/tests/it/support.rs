//! Runs the command and captures its output.

use std::process::{Command, Output};

use tokio::sync::Mutex;
pub(crate) use urumi_testing::kubeconfig;

use crate::server::TestServer;

/// The environment variables that affect the command.
const OWN_ENVIRONMENT: [&str; 19] = [
    "COMPLETE",
    "DISPLAY",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "URUMI_CA_FILE",
    "URUMI_CLUSTER",
    "URUMI_CONTEXT",
    "URUMI_DOMAIN",
    "URUMI_ENGINE_DEFAULTS",
    "URUMI_KUBE_CONTEXT",
    "URUMI_MAX_PROVISIONING_PER_OWNER",
    "URUMI_MAX_STORES_PER_OWNER",
    "URUMI_MEMORY_READY_AFTER",
    "URUMI_OUTPUT",
    "URUMI_SERVER",
    "URUMI_TOKEN",
    "URUMI_TOKEN_FILE",
    "WAYLAND_DISPLAY",
    "XDG_CONFIG_HOME",
];

/// The environment variables that say where a browser is.
const BROWSERS: [&str; 4] = ["BROWSER", "SSH_CONNECTION", "SSH_TTY", "WSL_DISTRO_NAME"];

/// The command, isolated from the tester's environment.
pub(crate) fn urumi() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_urumi"));
    let proxies = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    for name in OWN_ENVIRONMENT.iter().chain(&proxies).chain(&BROWSERS) {
        command.env_remove(name);
    }
    // Not a directory, so nothing can be saved in it.
    command.env("XDG_CONFIG_HOME", "/dev/null").env("XDG_STATE_HOME", "/dev/null");
    command.env("HOME", "/nonexistent").env("NO_COLOR", "1");
    command
}

/// The command on an in-memory cluster whose workloads become ready quickly.
pub(crate) fn on_memory() -> Command {
    let mut command = urumi();
    command.env("URUMI_CLUSTER", "memory").env("URUMI_MEMORY_READY_AFTER", "20ms");
    command
}

/// The target of commands. Output and exit code must not depend on it.
pub(crate) enum TestTarget {
    /// An in-memory cluster, a new one for each command.
    Memory,
    /// A server in the test process.
    Server(TestServer),
}

impl TestTarget {
    /// One of each kind.
    pub(crate) fn both() -> [TestTarget; 2] {
        [TestTarget::Memory, TestTarget::Server(TestServer::start())]
    }

    /// The command on this target.
    pub(crate) fn urumi(&self) -> Command {
        match self {
            TestTarget::Memory => on_memory(),
            TestTarget::Server(server) => server.urumi(),
        }
    }

    /// Whether it is the server.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, TestTarget::Server(_))
    }
}

/// Held by a test that runs a monitor of all stores, or requires that none runs.
pub(crate) static MONITORS: Mutex<()> = Mutex::const_new(());

/// The output and exit code of a command.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> Self {
        CommandOutput {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl CommandOutput {
    /// Asserts success, and returns stdout.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// Asserts success, and parses stdout as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

pub(crate) trait Run {
    fn run(&mut self, args: &[&str]) -> CommandOutput;
}

impl Run for Command {
    fn run(&mut self, args: &[&str]) -> CommandOutput {
        self.args(args).output().unwrap().into()
    }
}
