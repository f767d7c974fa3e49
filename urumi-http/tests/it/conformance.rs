//! The contract of `StoreOrchestrator`, kept through the client, TCP and the server.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use urumi_core::cluster::{ClusterBackend, InMemoryCluster};
use urumi_core::http_client::ServerOptions;
use urumi_core::secret::SecretString;
use urumi_core::testing::orchestrator::{self as conformance, Options};
use urumi_core::{HttpOrchestrator, Orchestrator, ReadinessMonitor};

use crate::test_server::serve;

/// A client of a server on a port of this machine; both end when the guard is dropped.
pub(crate) async fn through_tcp(
    cluster: Arc<dyn ClusterBackend>,
    monitor: impl FnOnce(ReadinessMonitor) -> ReadinessMonitor,
) -> (HttpOrchestrator, DropGuard) {
    let urumi = Orchestrator::builder(cluster).build();
    let (app, _, stop) = serve(Arc::new(urumi.clone()), |builder| builder);
    monitor(ReadinessMonitor::new(urumi)).spawn(&TaskTracker::new(), stop.clone());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(until(stop.clone(), async move { axum::serve(listener, app).await.unwrap() }));
    let options = ServerOptions::default().token(SecretString::new("root"));
    (HttpOrchestrator::connect(&format!("http://{address}"), &options).unwrap(), stop.drop_guard())
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    stop.run_until_cancelled(work).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_a_server_conforms() {
    let cluster = InMemoryCluster::builder()
        .readiness_delay(Duration::from_millis(200))
        .termination_delay(Duration::from_millis(100))
        .latency(Duration::from_millis(1))
        .build();
    // Long enough for stores that become ready on a busy machine.
    let (client, _server) = through_tcp(Arc::new(cluster), |monitor| monitor.deadline(Duration::from_secs(10))).await;
    let failing = json!({"api": {"image": "fail.example/image-pull/medusa:1"}});
    let options = Options { failing: failing.as_object().cloned(), ..Options::default() };
    let report = conformance::run(Arc::new(client), options).await.into_result().unwrap();
    assert_eq!(report.skipped().count(), 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_conforms_where_everything_happens_at_once() {
    let cluster = InMemoryCluster::default();
    let (client, _server) = through_tcp(Arc::new(cluster), |monitor| monitor).await;
    conformance::run(Arc::new(client), Options::default()).await.into_result().unwrap();
}
