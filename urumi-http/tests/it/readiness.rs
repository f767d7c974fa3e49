//! `/healthz` and `/readyz`: whether the server lives, and whether it can do its work.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::cluster::{InMemoryCluster, Outage};
use urumi_core::kubernetes::{ClusterErrorKind, Kind};
use urumi_core::{MonitorHandle, Orchestrator, ReadinessMonitor};

use crate::stub_orchestrator::StubOrchestrator;
use crate::test_server::{Ask, TestServer, eventually, serve};

/// The status, and what is said of it: problems of an unready server, warnings of a ready one.
async fn ready(app: &axum::Router) -> (u16, Vec<Value>) {
    let alive = Ask::new(app.clone(), "GET", "/healthz").anonymously().send().await;
    assert_eq!((alive.status.as_u16(), &alive.body[..]), (200, &b"ok\n"[..]), "it lives, whatever else is wrong");
    let answer = Ask::new(app.clone(), "GET", "/readyz").anonymously().send().await;
    let body = answer.json();
    assert_eq!(body["ready"], json!(answer.status == 200));
    assert_eq!(body["problems"] == json!([]), answer.status == 200, "{body}");
    let said = if answer.status == 200 { &body["warnings"] } else { &body["problems"] };
    (answer.status.as_u16(), said.as_array().unwrap().clone())
}

async fn becomes(app: &axum::Router, status: u16, problems: &[&str]) {
    let wanted: Vec<Value> = problems.iter().map(|problem| json!(problem)).collect();
    eventually(&format!("{status} {problems:?}"), async || ready(app).await == (status, wanted.clone())).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_is_not_ready_before_it_has_seen_the_stores_and_when_it_stops() {
    let (stub, events) = StubOrchestrator::new();
    let (app, _, stop) = serve(Arc::new(stub), |builder| builder);
    becomes(&app, 503, &["the stores have not been listed yet"]).await;
    events.send(Ok(urumi_core::StoreEvent::Listed(Vec::new()))).unwrap();
    becomes(&app, 200, &[]).await;
    stop.cancel();
    becomes(&app, 503, &["the server is stopping"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_or_fails_is_a_failure_that_is_seen() {
    let (stub, events) = StubOrchestrator::new();
    let (app, _, _stop) = serve(Arc::new(stub), |builder| builder);
    events.send(Ok(urumi_core::StoreEvent::Listed(Vec::new()))).unwrap();
    becomes(&app, 200, &[]).await;
    events.send(Err(urumi_core::Error::NoMatch { given: "anything".to_owned() })).unwrap();
    becomes(&app, 200, &["the watch of the stores fails: stores may be out of date"]).await;
    events.send(Ok(urumi_core::StoreEvent::Listed(Vec::new()))).unwrap();
    becomes(&app, 200, &[]).await;
    drop(events);
    becomes(&app, 503, &["the watch of the stores has ended"]).await;
}

fn monitored(cluster: InMemoryCluster, monitor: impl FnOnce(ReadinessMonitor) -> MonitorHandle) -> TestServer {
    let monitor = monitor(ReadinessMonitor::new(Orchestrator::builder(cluster.clone()).build()));
    TestServer::with(cluster, |builder| builder.monitor(monitor))
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_cluster_is_seen_and_passes() {
    let cluster = InMemoryCluster::default();
    let stop = CancellationToken::new();
    let server = monitored(cluster.clone(), |monitor| monitor.spawn(&TaskTracker::new(), stop.clone()));
    becomes(&server.app, 200, &[]).await;
    let outage = cluster.begin_outage(Outage::new(ClusterErrorKind::Unreachable));
    cluster.drop_watches();
    eventually("warnings", async || {
        let (status, warnings) = ready(&server.app).await;
        assert_eq!(status, 200, "all replicas see the outage: none would be left to serve");
        let text = json!(warnings).to_string();
        text.contains("the watch of the stores fails") && text.contains("readiness monitor's watches")
    })
    .await;
    // What is known is still shown.
    assert_eq!(server.ask("GET", "/stores").send().await.status, 200);
    cluster.end_outage(outage);
    becomes(&server.app, 200, &[]).await;
}

/// A replica that has never listed the stores has nothing to serve: others may have.
#[tokio::test(start_paused = true)]
async fn a_server_that_starts_during_an_outage_is_not_ready_until_it_ends() {
    let cluster = InMemoryCluster::default();
    let outage = cluster.begin_outage(Outage::new(ClusterErrorKind::Unreachable));
    let stop = CancellationToken::new();
    let server = monitored(cluster.clone(), |monitor| monitor.spawn(&TaskTracker::new(), stop.clone()));
    let unready = ["the stores have not been listed yet", "the readiness monitor has not listed everything yet"];
    becomes(&server.app, 503, &unready).await;
    cluster.end_outage(outage);
    becomes(&server.app, 200, &[]).await;
}

/// docs/PERMISSIONS.md: reading classes is optional.
#[tokio::test(start_paused = true)]
async fn a_monitor_that_may_not_read_classes_does_not_make_the_server_unready() {
    let cluster = InMemoryCluster::default();
    for kind in [Kind::of::<StorageClass>(), Kind::of::<IngressClass>()] {
        cluster.begin_outage(Outage::new(ClusterErrorKind::Forbidden).of_kind(kind));
    }
    let stop = CancellationToken::new();
    let server = monitored(cluster, |monitor| monitor.spawn(&TaskTracker::new(), stop.clone()));
    becomes(&server.app, 200, &[]).await;
    // By now the watches of classes have failed.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(ready(&server.app).await, (200, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_monitor_that_stops_is_a_failure_that_is_seen() {
    let stop = CancellationToken::new();
    let server = monitored(InMemoryCluster::default(), |monitor| monitor.spawn(&TaskTracker::new(), stop.clone()));
    becomes(&server.app, 200, &[]).await;
    stop.cancel();
    becomes(&server.app, 503, &["the readiness monitor has stopped"]).await;
}

/// One that was aborted had no chance to say so.
#[tokio::test]
async fn a_monitor_that_is_aborted_is_a_failure_that_is_seen() {
    let elsewhere = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = monitored(InMemoryCluster::default(), |monitor| {
        let _entered = elsewhere.enter();
        monitor.spawn(&TaskTracker::new(), CancellationToken::new())
    });
    becomes(&server.app, 200, &[]).await;
    tokio::task::spawn_blocking(move || drop(elsewhere)).await.unwrap();
    becomes(&server.app, 503, &["the readiness monitor has stopped"]).await;
}
