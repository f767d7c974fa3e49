//! The server as a process that can be killed.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use urumi_core::HttpOrchestrator;

/// How long a start may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running server; killed when it is dropped. If that is because a test fails, its log is shown.
pub(crate) struct Server {
    pub(crate) api: HttpOrchestrator,
    /// The same for somebody who has changed nothing, and so may be shown what was before.
    pub(crate) view: HttpOrchestrator,
    child: Arc<Mutex<Child>>,
    folder: TempDir,
}

impl Server {
    /// Starts one and waits until it has seen all stores.
    pub(crate) async fn start(kubeconfig: &str) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_urumi-http-under-test"));
        command
            .args(["--cluster", "kube", "--kubeconfig", kubeconfig, "--log", "urumi_core=debug,info"])
            .args(["--listen", "127.0.0.1:0", "--metrics-listen", "off"])
            .args(["--rate-limit", "100000", "--rate-burst", "100000"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let url = urumi_testing::listening(&mut child, PATIENCE).await;
        let child = Arc::new(Mutex::new(child));
        let [api, view] = [(); 2].map(|()| HttpOrchestrator::connect(&url, &Default::default()).unwrap());
        let server = Server { api, view, child, folder };
        let readiness = format!("{}/readyz", url.trim_end_matches('/'));
        let synced = async {
            while !reqwest::get(&readiness).await.is_ok_and(|answer| answer.status().is_success()) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, synced).await.expect("it never was ready");
        server
    }

    /// What kills it at once.
    pub(crate) fn killer(&self) -> impl Fn() + Send + use<> {
        let child = self.child.clone();
        move || {
            let _ = child.lock().unwrap().start_kill();
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", std::fs::read_to_string(self.log()).unwrap_or_default());
        }
    }
}
