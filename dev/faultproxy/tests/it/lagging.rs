//! A second API server that knows the past.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use http::Request;
use tempfile::TempDir;
use urumi_faultproxy::Link;

use crate::component::Component;

/// How long it may take to serve on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Another API server of the cluster, which knows the present as long as the link to its etcd is not frozen. It ends when it
/// is dropped.
pub(crate) struct Lagging {
    pub(crate) link: Link,
    server: Component,
    folder: TempDir,
}

impl Lagging {
    /// Starts one with the arguments of the first; none where the cluster is not one of `dev/cluster`.
    pub(crate) async fn start(kubeconfig: &str) -> Option<Lagging> {
        let first = Component::of(kubeconfig, "kube-apiserver")?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let mut arguments: Vec<String> = Vec::new();
        let mut given = first.arguments().into_iter();
        let (mut link, mut first_port) = (None, String::new());
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--secure-port" => {
                    first_port = given.next().unwrap();
                    arguments.extend([argument, port.clone()]);
                }
                "--etcd-servers" => {
                    let etcd: SocketAddr = given.next().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
                    let way = link.insert(Link::to(etcd).await);
                    arguments.extend([argument, format!("http://{}", way.address())]);
                }
                // The log is the first one's.
                audit if audit.starts_with("--audit-") => drop(given.next()),
                _ => arguments.push(argument),
            }
        }
        let server = first.start_beside("kube-apiserver-lagging", &arguments).await;
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(kubeconfig).unwrap();
        let own = text.replace(&format!("127.0.0.1:{first_port}"), &format!("127.0.0.1:{port}"));
        fs::write(folder.path().join("kubeconfig"), own).unwrap();
        let lagging = Lagging { link: link.unwrap(), server, folder };
        lagging.serves().await;
        Some(lagging)
    }

    /// The kubeconfig of those who ask it.
    pub(crate) fn kubeconfig(&self) -> String {
        self.folder.path().join("kubeconfig").to_str().unwrap().to_owned()
    }

    async fn serves(&self) {
        let client = urumi_testing::client(&self.kubeconfig()).await;
        let serving = async {
            while client.request_text(Request::get("/readyz").body(Vec::new()).unwrap()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let log = self.server.cluster().join("log/kube-apiserver-lagging.log");
        let served = tokio::time::timeout(PATIENCE, serving).await;
        assert!(served.is_ok(), "it never served: {}", fs::read_to_string(log).unwrap_or_default());
    }
}

impl Drop for Lagging {
    fn drop(&mut self) {
        self.server.end();
    }
}
