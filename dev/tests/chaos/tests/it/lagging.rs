//! A second API server that knows the past.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use futures::{AsyncBufReadExt, TryStreamExt};
use http::Request;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;
use urumi_faultproxy::Link;

use crate::component::Component;

/// How long it may take to serve on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const SELECTED: &str = "labelSelector=test%3Dlagging";

/// Another API server of the cluster, which knows the present as long as the link to its etcd is not frozen. It ends when it
/// is dropped.
pub(crate) struct Lagging {
    pub(crate) link: Link,
    server: Component,
    folder: TempDir,
}

impl Lagging {
    /// Starts one with the arguments of the first; none where the cluster is not one of `dev/clusters/kubernetes`.
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

    /// Sees what it is that others are moved to: while it is frozen, it shows the past to those who do not ask for the
    /// present, and does not answer those who do.
    pub(crate) async fn knows_the_past(&self, kubeconfig: &str) {
        let first = urumi_testing::client(kubeconfig).await;
        let second = urumi_testing::client(&self.kubeconfig()).await;
        let create = async |name: &str| -> String {
            let body = json!({"metadata": {"name": name, "labels": {"test": "lagging"}}}).to_string().into_bytes();
            let request = Request::post(MAPS).header("content-type", "application/json").body(body).unwrap();
            let made: Value = first.request(request).await.unwrap();
            made["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
        };
        let list = async |more: &str| -> Option<usize> {
            let question = Request::get(format!("{MAPS}?{SELECTED}{more}")).body(Vec::new()).unwrap();
            let found: Value = timeout(Duration::from_secs(2), second.request(question)).await.ok()?.ok()?;
            Some(found["items"].as_array().unwrap().len())
        };
        let watch = async |version: &str| {
            let path = format!("{MAPS}?{SELECTED}&watch=true&resourceVersion={version}");
            second.request_stream(Request::get(path).body(Vec::new()).unwrap()).await.unwrap().lines()
        };
        let names = [(); 3].map(|()| format!("lagging-{}", uuid::Uuid::new_v4()));
        let mut running = watch(&create(&names[0]).await).await;
        assert_eq!(list("").await, Some(1));

        self.link.freeze();
        let newer = create(&names[1]).await;
        assert_eq!(list("&resourceVersion=0").await, Some(1), "it has heard of the second");
        assert_eq!(list("").await, None, "it knows the present");
        // From a version of which it has not heard, it watches without a word.
        let mut newest = watch(&newer).await;
        for lines in [&mut running, &mut newest] {
            assert!(timeout(Duration::from_millis(500), lines.try_next()).await.is_err(), "it has heard of the second");
        }

        self.link.thaw();
        create(&names[2]).await;
        for (lines, expected) in [(&mut running, &names[1]), (&mut newest, &names[2])] {
            let event = timeout(Duration::from_secs(10), lines.try_next()).await.unwrap().unwrap().unwrap();
            assert!(event.contains(expected), "{event} is not of {expected}");
        }
        assert_eq!(list("").await, Some(3));
        let all = Request::delete(format!("{MAPS}?{SELECTED}")).body(Vec::new()).unwrap();
        first.request::<Value>(all).await.unwrap();
    }

    async fn serves(&self) {
        let client = urumi_testing::client(&self.kubeconfig()).await;
        let serving = async {
            while client.request_text(Request::get("/readyz").body(Vec::new()).unwrap()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let log = self.server.cluster().join("log/kube-apiserver-lagging.log");
        let served = timeout(PATIENCE, serving).await;
        assert!(served.is_ok(), "it never served: {}", fs::read_to_string(log).unwrap_or_default());
    }
}

impl Drop for Lagging {
    fn drop(&mut self) {
        self.server.end();
    }
}
