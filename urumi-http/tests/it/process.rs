//! The real program as a child process.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::Mutex;
pub(crate) use urumi_testing::kubeconfig;

/// Held by tests that have a server on the real cluster: every server looks after all stores there.
pub(crate) static ALONE: Mutex<()> = Mutex::const_new(());

/// A running `urumi-http`; killed when it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) child: Child,
}

impl Server {
    /// Starts one and waits until it listens. It listens on a free port, unless the arguments say otherwise.
    pub(crate) async fn start(args: &[&str]) -> Server {
        Server::start_with(None, Stdio::inherit(), args).await
    }

    /// Starts one that takes its host to be called so.
    pub(crate) async fn start_on_host(host: &str, args: &[&str]) -> Server {
        Server::start_with(Some(host), Stdio::inherit(), args).await
    }

    /// Starts one whose log goes to a file.
    pub(crate) async fn start_logging_to(log: &std::path::Path, args: &[&str]) -> Server {
        Server::start_with(None, std::fs::File::create(log).unwrap().into(), args).await
    }

    async fn start_with(host: Option<&str>, stderr: Stdio, args: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_urumi-http"));
        command.envs(host.map(|host| ("HOSTNAME", host)));
        // What it is to do, where that is said, comes before how.
        command.args(args).args(["--metrics-listen", "off"]);
        if args.first() != Some(&"dashboard") && !args.contains(&"--cluster") {
            command.args(["--cluster", "memory"]);
        }
        if !args.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let url = urumi_testing::listening(&mut child, Duration::from_secs(120)).await;
        Server { url, child }
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap()
    }
}
