//! The server over a real API server.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use urumi_core::cluster::{ClusterBackend, ConnectOptions, KubeCluster};
use urumi_core::kubernetes::Kind;
use urumi_core::kubernetes::{LabelRequirement, Query};
use urumi_core::testing::orchestrator::{self as conformance, Options};

use crate::conformance::through_tcp;
use crate::process::kubeconfig;

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_a_server_conforms() {
    let Some(kubeconfig) = kubeconfig() else { return };
    KubeCluster::install_crypto_provider();
    let options = ConnectOptions::default().kubeconfig(kubeconfig).request_timeout(urumi_testing::REQUEST_TIMEOUT);
    let cluster = KubeCluster::connect(options).await.unwrap();
    let cluster: Arc<dyn ClusterBackend> = Arc::new(cluster);
    let (client, _server) = through_tcp(cluster.clone(), |monitor| monitor).await;
    // A deadline short enough for stores to fail would fail those of other tests.
    let options = Options { deadline: std::time::Duration::from_secs(300), smoke: false, ..Options::default() };
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
