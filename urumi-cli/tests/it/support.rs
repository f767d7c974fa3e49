//! Running the command and looking at what it did.

use std::io::Write as _;
use std::process::{Command, Output};

use tokio::sync::Mutex;

use crate::server::Server;

/// What the command takes from its environment.
const OWN_ENVIRONMENT: [&str; 13] = [
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "URUMI_CA_FILE",
    "URUMI_CLUSTER",
    "URUMI_CONTEXT",
    "URUMI_DOMAIN",
    "URUMI_ENGINE_DEFAULTS",
    "URUMI_MEMORY_DELAY",
    "URUMI_OUTPUT",
    "URUMI_SERVER",
    "URUMI_TOKEN",
    "URUMI_TOKEN_FILE",
    "XDG_CONFIG_HOME",
];

/// The command, with nothing of the tester's own environment.
pub(crate) fn urumi() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_urumi"));
    let proxies = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    for name in OWN_ENVIRONMENT.iter().chain(&proxies) {
        command.env_remove(name);
    }
    // Nothing can be kept beneath what is no directory.
    command.env("XDG_CONFIG_HOME", "/dev/null");
    command.env("HOME", "/nonexistent").env("NO_COLOR", "1");
    command
}

/// The command on a throw-away cluster whose workloads become ready quickly.
pub(crate) fn on_memory() -> Command {
    let mut command = urumi();
    command.env("URUMI_CLUSTER", "memory").env("URUMI_MEMORY_DELAY", "20ms");
    command
}

/// Where commands go. What is printed, and the exit code, must not depend on it.
pub(crate) enum Target {
    /// A throw-away cluster, another one for each command.
    Memory,
    /// A server of the test's own.
    Server(Server),
}

impl Target {
    /// One of each kind.
    pub(crate) fn both() -> [Target; 2] {
        [Target::Memory, Target::Server(Server::start())]
    }

    /// The command on this target.
    pub(crate) fn urumi(&self) -> Command {
        match self {
            Target::Memory => on_memory(),
            Target::Server(server) => server.urumi(),
        }
    }

    /// Whether it is the server.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Target::Server(_))
    }
}

/// The kubeconfig of the real API server to test on, or `None` where there is none: said aloud, and an error in CI.
pub(crate) fn kubeconfig() -> Option<String> {
    let found = std::env::var("URUMI_TEST_KUBECONFIG").ok();
    if found.is_none() {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let why = format!(
            "skipped: {test} needs a real API server; run it with dev/clusters/kubernetes/with -- cargo test\n"
        );
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
        // Past the harness, which hides what a passing test prints.
        std::io::stderr().write_all(why.as_bytes()).unwrap();
    }
    found
}

/// Held by a test that runs a monitor of all stores, or needs that nobody does.
pub(crate) static MONITORS: Mutex<()> = Mutex::const_new(());

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// What it printed as data, after a success.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// The same, as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

pub(crate) trait Run {
    fn run(&mut self, args: &[&str]) -> Ran;
}

impl Run for Command {
    fn run(&mut self, args: &[&str]) -> Ran {
        self.args(args).output().unwrap().into()
    }
}
