//! Running the command and looking at what it did.

use std::process::{Command, Output};

/// The command, with nothing of the tester's own environment.
pub(crate) fn urumi() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_urumi"));
    for name in
        ["KUBECONFIG", "URUMI_CLUSTER", "URUMI_CONTEXT", "URUMI_DOMAIN", "URUMI_OUTPUT", "KUBERNETES_SERVICE_HOST"]
    {
        command.env_remove(name);
    }
    command.env("HOME", "/nonexistent").env("NO_COLOR", "1");
    command
}

/// The command on a throw-away cluster whose workloads become ready quickly.
pub(crate) fn on_memory() -> Command {
    let mut command = urumi();
    command.env("URUMI_CLUSTER", "memory").env("URUMI_MEMORY_DELAY", "20ms");
    command
}

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
