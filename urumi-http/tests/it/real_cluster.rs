//! The server over a real API server.

use std::io::Write as _;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use urumi_core::cluster::{ClusterBackend, ConnectOptions, KubeCluster, LabelRequirement, Query};
use urumi_core::object::Kind;
use urumi_core::orchestrator::conformance::{self, Options};

use crate::conformance::through_tcp;

/// The real API server to test on, or `None` where there is none: said aloud, and an error in CI.
async fn real_cluster() -> Option<KubeCluster> {
    let Some(kubeconfig) = std::env::var_os("URUMI_TEST_KUBECONFIG") else {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let why = format!("skipped: {test} needs a real API server; run it with dev/cluster/with -- cargo test\n");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
        // Past the harness, which hides what a passing test prints.
        std::io::stderr().write_all(why.as_bytes()).unwrap();
        return None;
    };
    Some(KubeCluster::connect(ConnectOptions::default().kubeconfig(kubeconfig)).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_a_server_conforms() {
    let Some(cluster) = real_cluster().await else { return };
    let cluster: Arc<dyn ClusterBackend> = Arc::new(cluster);
    let (client, _server) = through_tcp(cluster.clone(), |monitor| monitor).await;
    // A deadline short enough for stores to fail would fail those of other tests.
    let options = Options { logs: false, deadline: std::time::Duration::from_secs(120), ..Options::default() };
    let report = conformance::run(Arc::new(client), options).await;
    eprintln!("{report}");
    if report.failed().next().is_some() {
        show(&*cluster).await;
    }
    report.into_result().unwrap();
}

/// Every namespace of a store, as it is.
async fn show(cluster: &dyn ClusterBackend) {
    let stores = LabelRequirement::Exists("store.urumi.ai/enabled".to_owned());
    for namespace in cluster.list(&Query::all(Kind::of::<Namespace>()).labelled(stores)).await.unwrap_or_default() {
        eprintln!("---\n{}", serde_json::to_string_pretty(&namespace).unwrap_or_default());
    }
}
