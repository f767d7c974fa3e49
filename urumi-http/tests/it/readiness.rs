//! `/healthz` and `/readyz`: whether the server lives, and whether it can do its work.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::cluster::{InMemoryCluster, Outage};
use urumi_core::kubernetes::ClusterErrorKind;
use urumi_core::{MonitorHandle, Orchestrator, ReadinessMonitor};

use crate::scene::{Ask, Scene, eventually, serve};
use crate::shelf::Shelf;

async fn ready(app: &axum::Router) -> (u16, Vec<Value>) {
    let alive = Ask::new(app.clone(), "GET", "/healthz").anonymously().send().await;
    assert_eq!((alive.status.as_u16(), &alive.body[..]), (200, &b"ok\n"[..]), "it lives, whatever else is wrong");
    let answer = Ask::new(app.clone(), "GET", "/readyz").anonymously().send().await;
    let body = answer.json();
    assert_eq!(body["ready"], json!(answer.status == 200));
    (answer.status.as_u16(), body["problems"].as_array().unwrap().clone())
}

async fn becomes(app: &axum::Router, status: u16, problems: &[&str]) {
    let wanted: Vec<Value> = problems.iter().map(|problem| json!(problem)).collect();
    eventually(&format!("{status} {problems:?}"), async || ready(app).await == (status, wanted.clone())).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_is_not_ready_before_it_has_seen_the_stores_and_when_it_stops() {
    let (shelf, put) = Shelf::new();
    let (app, _, stop) = serve(Arc::new(shelf), |builder| builder);
    becomes(&app, 503, &["the stores have not been seen yet"]).await;
    put.send(Ok(urumi_core::StoreEvent::Listed(Vec::new()))).unwrap();
    becomes(&app, 200, &[]).await;
    stop.cancel();
    becomes(&app, 503, &["the server is stopping"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_or_fails_is_a_failure_that_is_seen() {
    let (shelf, put) = Shelf::new();
    let (app, _, _stop) = serve(Arc::new(shelf), |builder| builder);
    put.send(Ok(urumi_core::StoreEvent::Listed(Vec::new()))).unwrap();
    becomes(&app, 200, &[]).await;
    let fails = "the watch of the stores fails: what is shown may be out of date";
    put.send(Err(urumi_core::Error::NoMatch { given: "anything".to_owned() })).unwrap();
    becomes(&app, 503, &[fails]).await;
    put.send(Ok(urumi_core::StoreEvent::Listed(Vec::new()))).unwrap();
    becomes(&app, 200, &[]).await;
    drop(put);
    becomes(&app, 503, &[fails]).await;
}

fn monitored(cluster: InMemoryCluster, monitor: impl FnOnce(ReadinessMonitor) -> MonitorHandle) -> Scene {
    let monitor = monitor(ReadinessMonitor::new(Orchestrator::builder(cluster.clone()).build()));
    Scene::with(cluster, |builder| builder.monitor(monitor))
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_cluster_is_seen_and_passes() {
    let cluster = InMemoryCluster::default();
    let stop = CancellationToken::new();
    let scene = monitored(cluster.clone(), |monitor| monitor.spawn(&TaskTracker::new(), stop.clone()));
    becomes(&scene.app, 200, &[]).await;
    let outage = cluster.begin_outage(Outage::new(ClusterErrorKind::Unreachable));
    cluster.drop_watches();
    eventually("red", async || {
        let (status, problems) = ready(&scene.app).await;
        let text = json!(problems).to_string();
        status == 503 && text.contains("the watch of the stores fails") && text.contains("readiness monitor's watches")
    })
    .await;
    // What is known is still shown.
    assert_eq!(scene.ask("GET", "/stores").send().await.status, 200);
    cluster.end_outage(outage);
    becomes(&scene.app, 200, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_monitor_that_stops_is_a_failure_that_is_seen() {
    let stop = CancellationToken::new();
    let scene = monitored(InMemoryCluster::default(), |monitor| monitor.spawn(&TaskTracker::new(), stop.clone()));
    becomes(&scene.app, 200, &[]).await;
    stop.cancel();
    becomes(&scene.app, 503, &["the readiness monitor has stopped"]).await;
}

/// One that was aborted had no chance to say so.
#[tokio::test]
async fn a_monitor_that_is_aborted_is_a_failure_that_is_seen() {
    let elsewhere = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let scene = monitored(InMemoryCluster::default(), |monitor| {
        let _entered = elsewhere.enter();
        monitor.spawn(&TaskTracker::new(), CancellationToken::new())
    });
    becomes(&scene.app, 200, &[]).await;
    tokio::task::spawn_blocking(move || drop(elsewhere)).await.unwrap();
    becomes(&scene.app, 503, &["the readiness monitor has stopped"]).await;
}
