//! urumi's own programs, as they were built.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::process::Child;

use crate::node::Node;

/// The path of a program that was built with these tests.
fn program(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let path = deps.parent().and_then(|deps| deps.parent()).unwrap().join(name);
    assert!(path.exists(), "{} is not there: build it with cargo build -p urumi-http -p urumi-cli", path.display());
    path
}

/// A running server: one that a test started, which is killed when this is dropped, or one in the cluster.
pub(crate) struct Server {
    pub(crate) url: String,
    reach: Reach,
}

/// How it is reached.
enum Reach {
    Here { _child: Child },
    Through { ingress: SocketAddr, token: NamedTempFile },
}

impl Server {
    /// Starts a server that makes stores on the node.
    pub(crate) async fn start(node: &Node, args: &[&str]) -> Server {
        let mut command = tokio::process::Command::new(program("urumi-http"));
        command
            .args(["--cluster", "kube", "--kubeconfig", &node.kubeconfig])
            .args(["--listen", "127.0.0.1:0", "--metrics-listen", "off", "--log", "warn"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let url = urumi_testing::listening(&mut child, Duration::from_secs(120)).await;
        Server { url, reach: Reach::Here { _child: child } }
    }

    /// A server in the cluster, which wants a token.
    pub(crate) fn behind(ingress: SocketAddr, url: &str, token: &str) -> Server {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), token).unwrap();
        Server { url: url.to_owned(), reach: Reach::Through { ingress, token: file } }
    }

    /// Runs the command line against this server and returns what it printed as data.
    #[track_caller]
    pub(crate) fn urumi(&self, args: &[&str]) -> String {
        let (code, stdout, stderr) = self.urumi_may_fail(args);
        assert_eq!(code, 0, "urumi {} failed: {stdout}{stderr}", args.join(" "));
        stdout
    }

    /// The same, whatever becomes of it: exit code, standard output and standard error.
    pub(crate) fn urumi_may_fail(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(program("urumi"));
        command.env_remove("KUBECONFIG").env("XDG_CONFIG_HOME", "/dev/null").env("NO_COLOR", "1");
        command.arg("--server").arg(&self.url);
        if let Reach::Through { ingress, token } = &self.reach {
            // Its host has no name in DNS; what passes a proxy names the host and leaves it to the proxy to find it.
            command.env("http_proxy", format!("http://{ingress}")).arg("--token-file").arg(token.path());
        }
        let output = command.args(args).stdin(Stdio::null()).output().unwrap();
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }
}
