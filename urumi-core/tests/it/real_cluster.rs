//! A real API server with simulated nodes: the conformance suite, stores' lives, and scale.

use std::sync::Arc;

use crate::lifecycle;
use crate::support::with_scene;
use urumi_core::cluster::{ClusterBackend, ConnectOptions, KubeCluster, conformance};

/// The cluster under test, or `None` where there is none: said aloud, and an error in CI.
async fn cluster(test: &str) -> Option<KubeCluster> {
    let Some(kubeconfig) = std::env::var_os("URUMI_TEST_KUBECONFIG") else {
        eprintln!("skipped: {test} needs a real API server (dev/cluster/with -- cargo test)");
        return None;
    };
    Some(KubeCluster::connect(ConnectOptions::default().kubeconfig(kubeconfig)).await.unwrap())
}

macro_rules! on_a_real_api_server {
    ($($name:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let Some(cluster) = cluster(stringify!($name)).await else { return };
            with_scene(Arc::new(cluster) as Arc<dyn ClusterBackend>, lifecycle::$name).await;
        }
    )+};
}

on_a_real_api_server! {
    a_store_lives_and_goes_without_a_trace,
    of_two_creations_with_one_id_one_wins,
    a_bad_request_names_every_mistake_and_creates_nothing,
    foreign_namespaces_are_left_alone,
    drift_is_repaired_and_foreign_fields_stay,
    a_store_that_cannot_start_fails_with_the_reason,
    missing_classes_are_the_reason,
    a_used_up_quota_is_the_reason,
    with_an_external_database_there_is_no_postgres,
    the_namespace_holds_the_objects_by_name,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kubernetes_backend_conforms() {
    let Some(cluster) = cluster("the_kubernetes_backend_conforms").await else { return };
    let report = conformance::run(Arc::new(cluster), conformance::Options::default()).await;
    eprintln!("{report}");
    report.into_result().unwrap();
}
