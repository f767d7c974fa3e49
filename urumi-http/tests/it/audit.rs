//! Who asked for which change: in the log, and as Events of the cluster.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Event;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;
use urumi_core::cluster::{ClusterBackend, InMemoryCluster, Outage};
use urumi_core::kubernetes::{ClusterErrorKind, Query};
use urumi_core::kubernetes::{Kind, Object};

use crate::stub_orchestrator::StubOrchestrator;
use crate::test_server::{Ask, TestServer, eventually, serve};

/// The log of one test, as the JSON that a server writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;
    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    fn audit(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "urumi::audit").map(|line| line["fields"].clone()).collect()
    }
}

fn audited() -> TestServer {
    let cluster = InMemoryCluster::builder().termination_delay(Duration::from_secs(60)).build();
    TestServer::with(cluster.clone(), |builder| builder.events(Arc::new(cluster)))
}

async fn events(server: &TestServer) -> Vec<Object> {
    server.cluster.list(&Query::all(Kind::of::<Event>()).in_namespace("default")).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_change_is_in_the_log_with_who_what_store_and_outcome() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
    let _log = crate::support::log_into(subscriber);
    let server = audited();
    server.store("bobs", Some("user:bob")).await;
    let body = json!({"name": "Shop", "engine": "medusa", "id": "shop"});
    let create = async |body: &Value| {
        server.ask("POST", "/stores").as_("ann-operator").json(body.clone()).send().await.status.as_u16()
    };
    assert_eq!((create(&body).await, create(&body).await), (202, 409));
    for (method, uri, caller, status) in [
        ("POST", "/stores/shop/retry", "ann-operator", 202),
        ("POST", "/stores/shop/retry", "ann-viewer", 403),
        ("DELETE", "/stores/bobs", "ann-operator", 404),
        ("GET", "/stores/shop/credentials?reveal=true", "ann-operator", 200),
        ("GET", "/stores/shop/credentials?reveal=true", "ann-viewer", 403),
        ("POST", "/stores/shop/smoke", "ann-operator", 409),
        ("POST", "/stores/shop/smoke", "ann-viewer", 403),
        ("POST", "/stores/shop/restart", "ann-operator", 409),
        ("DELETE", "/stores/shop", "root", 202),
        // Other reads are not noted, and neither is a look that reveals nothing.
        ("GET", "/stores/shop", "root", 200),
        ("GET", "/stores/shop/credentials", "ann-operator", 200),
        ("GET", "/stores/shop/credentials?reveal=false", "ann-operator", 200),
    ] {
        assert_eq!(server.ask(method, uri).as_(caller).send().await.status.as_u16(), status, "{method} {uri}");
    }
    let lines: Vec<String> = log
        .audit()
        .iter()
        .map(|l| {
            let text = |field: &str| l[field].as_str().unwrap_or("-").to_owned();
            ["subject", "role", "action", "store", "outcome"].map(text).join(" ")
        })
        .collect();
    assert_eq!(
        lines,
        [
            "ann operator create-store shop done",
            "ann operator create-store shop already-exists",
            "ann operator retry-store shop done",
            "ann viewer retry-store shop forbidden",
            "ann operator delete-store bobs not-found",
            "ann operator view-credentials shop done",
            "ann viewer view-credentials shop forbidden",
            "ann operator smoke-store shop wrong-state",
            "ann viewer smoke-store shop forbidden",
            "ann operator restart-store shop wrong-state",
            "root admin delete-store shop done",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn every_change_is_an_event_and_part_of_the_stores_timeline() {
    let server = audited();
    let body = json!({"name": "Shop", "engine": "medusa", "id": "shop"});
    server.ask("POST", "/stores").as_("ann-operator").json(body).send().await;
    server.ask("POST", "/stores/shop/retry").send().await;
    let credentials = server.ask("GET", "/stores/shop/credentials?reveal=true").as_("ann-operator").send().await;
    assert_eq!(credentials.headers["cache-control"], "no-store");
    let password = credentials.json()["password"].as_str().unwrap().to_owned();
    assert_eq!(password.len(), 20);
    for unasked in ["/stores/shop/credentials", "/stores/shop/credentials?reveal=false"] {
        let hidden = server.ask("GET", unasked).as_("ann-operator").send().await.json();
        assert!(hidden.get("password").is_none() && hidden["address"] == credentials.json()["address"], "{hidden}");
    }
    server.ask("DELETE", "/stores/shop").send().await;
    // What is refused could fill the cluster with Events.
    server.ask("DELETE", "/stores/shop").as_("ann-viewer").send().await;
    server.ask("DELETE", "/stores/missing").send().await;
    eventually("four Events", async || events(&server).await.len() == 4).await;
    for event in events(&server).await {
        assert_eq!(event.str_at("/involvedObject/name"), Some("store-shop"));
        assert_eq!(event.str_at("/reportingComponent"), Some("urumi.ai/audit"));
        assert_eq!(event.str_at("/type"), Some("Normal"));
        assert!(!event.as_value().to_string().contains(&password));
    }
    let timeline = server.ask("GET", "/stores/shop/events").send().await.json();
    let audit: Vec<String> = timeline
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["source"] == "audit")
        .map(|entry| format!("{}: {}", entry["reason"].as_str().unwrap(), entry["message"].as_str().unwrap()))
        .collect();
    let mut sorted = audit.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "CreateRequested: ann (operator) asked for it",
            "CredentialsRequested: ann (operator) asked for it",
            "DeleteRequested: root (admin) asked for it",
            "RetryRequested: root (admin) asked for it",
        ]
    );
}

/// The API server's clock may be behind this server's by any amount.
#[tokio::test(start_paused = true)]
async fn a_new_store_is_noted_whatever_time_the_cluster_has() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
    let _log = crate::support::log_into(subscriber);
    let behind = Timestamp::now() - SignedDuration::from_hours(1);
    let server = TestServer::new(InMemoryCluster::builder().begins_at(behind).build());
    let body = json!({"name": "Shop", "engine": "medusa"});
    for key in [None, Some("k")] {
        let ask = server.ask("POST", "/stores").json(body.clone());
        let ask = key.into_iter().fold(ask, |ask, key| ask.header("idempotency-key", key));
        let answer = ask.send().await;
        assert_eq!((answer.status.as_u16(), answer.header("idempotency-replayed")), (202, None), "{key:?}");
    }
    assert_eq!(log.audit().len(), 2, "{:?}", log.audit());
}

/// However soon the repetitions come: one store was created, and that is noted once.
#[tokio::test(start_paused = true)]
async fn a_creation_that_is_repeated_at_once_is_noted_once() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
    let _log = crate::support::log_into(subscriber);
    let cluster = InMemoryCluster::builder().latency(Duration::from_millis(5)).build();
    let replicas = [TestServer::new(cluster.clone()), TestServer::new(cluster)];
    let body = json!({"name": "Shop", "engine": "medusa"});
    let create = |n: usize| replicas[n % 2].ask("POST", "/stores").header("idempotency-key", "k").json(body.clone());
    let answers = join_all((0..16).map(|n| create(n).send())).await;
    assert!(answers.iter().all(|answer| answer.status == 202), "{answers:?}");
    let replayed = answers.iter().filter(|answer| answer.header("idempotency-replayed") == Some("true")).count();
    assert_eq!((replayed, log.audit().len()), (15, 1));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_written_is_in_nobodys_way() {
    let server = audited();
    server.cluster.begin_outage(Outage::new(ClusterErrorKind::Forbidden).of_kind(Kind::of::<Event>()));
    let body = json!({"name": "Shop", "engine": "medusa", "id": "shop"});
    assert_eq!(server.ask("POST", "/stores").json(body).send().await.status, 202);
    server.stop.cancel();
    server.tasks.close();
    server.tasks.wait().await;
}

/// Nobody can be judged then: strangers could otherwise fill the cluster with Events.
#[tokio::test(start_paused = true)]
async fn what_is_asked_before_the_first_sight_of_the_stores_is_no_event() {
    let (cluster, (stub, _events)) = (InMemoryCluster::default(), StubOrchestrator::new());
    let (app, tasks, stop) = serve(Arc::new(stub), |builder| builder.events(Arc::new(cluster.clone())));
    for (method, uri) in
        [("DELETE", "/stores/a"), ("POST", "/stores/a/retry"), ("GET", "/stores/a/credentials?reveal=true")]
    {
        let answer = Ask::new(app.clone(), method, uri).as_("ann-viewer").send().await;
        assert_eq!(answer.verdict(), (503, "not-ready".to_owned()), "{method} {uri}");
    }
    // Whatever writes Events is one of these.
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    assert_eq!(cluster.list(&Query::all(Kind::of::<Event>())).await.unwrap(), []);
}
