use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use urumi_core::cluster::{InMemoryCluster, Outage};
use urumi_core::kubernetes::{ClusterErrorKind, Verb};
use urumi_core::store::status::StoreStatus;
use urumi_core::{OwnerLimits, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use crate::test_server::{Answer, TestServer};

fn body() -> Value {
    json!({"name": "Shop", "engine": "medusa"})
}

async fn create(server: &TestServer, key: &str, body: Value) -> Answer {
    server.ask("POST", "/stores").header("idempotency-key", key).json(body).send().await
}

#[tokio::test(start_paused = true)]
async fn a_repetition_is_answered_with_the_same_store() {
    let server = TestServer::new(InMemoryCluster::default());
    let first = create(&server, "k", body()).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (202, None));
    // Quotes are how structured headers write it; the order of fields does not count.
    for (key, body) in
        [("k", r#"{"name":"Shop","engine":"medusa"}"#), ("\"k\"", r#"{"engine":"medusa","name":"Shop"}"#)]
    {
        let again = server.ask("POST", "/stores").header("idempotency-key", key);
        let again = again.body("application/json", body).send().await;
        assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (202, Some("true")), "{key}");
        assert_eq!((again.json(), again.header("location")), (first.json(), first.header("location")));
    }
    assert_eq!(server.urumi.list().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_one_is_malformed() {
    let server = TestServer::new(InMemoryCluster::default());
    for key in ["", "\"\"", &"x".repeat(256), "\u{fc}"] {
        let answer = create(&server, key, body()).await;
        assert_eq!(answer.verdict(), (400, "malformed".to_owned()), "{key:?}");
    }
    let twice = server.ask("POST", "/stores").header("idempotency-key", "a").header("idempotency-key", "a");
    assert_eq!(twice.json(body()).send().await.verdict(), (400, "malformed".to_owned()));
    assert_eq!(server.urumi.list().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn another_request_with_the_key_is_refused() {
    let server = TestServer::new(InMemoryCluster::default());
    let first = create(&server, "k", body()).await.json();
    for other in [json!({"name": "Other", "engine": "medusa"}), json!({"name": "Shop", "engine": "medusa", "id": "x"})]
    {
        let answer = create(&server, "k", other).await;
        assert_eq!(answer.verdict(), (422, "idempotency-key-reused".to_owned()));
        assert!(answer.json()["detail"].as_str().unwrap().contains(first["id"].as_str().unwrap()));
    }
    // Everybody has keys of their own.
    let others = server.ask("POST", "/stores").as_("bob").header("idempotency-key", "k").json(body()).send().await;
    assert_eq!(others.status, 202);
    assert_ne!(others.json()["id"], first["id"]);
}

/// The cluster itself says so, where the server's memory is not there yet.
#[tokio::test(start_paused = true)]
async fn another_request_is_refused_by_a_replica_that_knows_nothing_yet() {
    let cluster = InMemoryCluster::default();
    let first = create(&TestServer::new(cluster.clone()), "k", body()).await.json();
    let latency = Duration::from_millis(50);
    cluster.set_latency(latency);
    let replica = TestServer::new(cluster.clone());
    let answer = create(&replica, "k", json!({"name": "Other", "engine": "medusa"})).await;
    assert_eq!(answer.verdict(), (422, "idempotency-key-reused".to_owned()));
    let same = create(&TestServer::new(cluster), "k", body()).await;
    assert_eq!((same.status.as_u16(), &same.json()["id"]), (202, &first["id"]));
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_store_that_goes_is_in_use() {
    let cluster = InMemoryCluster::builder().termination_delay(Duration::from_secs(10)).build();
    let server = TestServer::new(cluster);
    let id = create(&server, "k", body()).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(server.ask("DELETE", &format!("/stores/{id}")).send().await.status, 202);
    let answer = create(&server, "k", body()).await;
    assert_eq!(answer.verdict(), (409, "idempotency-key-in-use".to_owned()));
    assert_eq!(answer.json()["retryable"], json!(false));
    // Once it is gone, the key makes a store again.
    crate::test_server::eventually("the end of the store", async || {
        server.ask("GET", "/stores").send().await.ids().is_empty()
    })
    .await;
    let again = create(&server, "k", body()).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (202, None));
}

/// The server's memory may be of the past, where its watch fails or an API server lags behind.
#[tokio::test(start_paused = true)]
async fn a_store_that_has_gone_is_made_again_whatever_the_server_remembers() {
    let server = TestServer::new(InMemoryCluster::default());
    let first = create(&server, "k", body()).await;
    let id = StoreId::parse(first.json()["id"].as_str().unwrap()).unwrap();
    server.cluster.begin_outage(Outage::new(ClusterErrorKind::Unavailable).verb(Verb::Watch));
    server.cluster.drop_watches();
    server.urumi.delete(&id).await.unwrap();
    crate::test_server::eventually("the end of the store", async || server.urumi.get(&id).await.is_err()).await;
    let remembered = server.ask("GET", &format!("/stores/{id}")).send().await;
    assert_eq!(remembered.status, 200);
    let again = create(&server, "k", body()).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (202, None));
    assert_eq!(server.urumi.get(&id).await.unwrap().status, StoreStatus::Provisioning);
}

/// Not even the owner's limit is in the way of repetitions.
#[tokio::test(start_paused = true)]
async fn of_concurrent_repetitions_one_store_is_made() {
    let cluster = InMemoryCluster::builder().latency(Duration::from_millis(5)).build();
    let limits = OwnerLimits::default().stores(1).provisioning(1);
    let server = TestServer::limited(cluster, limits, |builder| builder);
    for key in ["before anything is seen", "before anything is seen"] {
        let answers = join_all((0..16).map(|_| create(&server, key, body()))).await;
        let mut ids: Vec<Value> = answers.iter().map(|a| (a.verdict(), a.json()["id"].clone()).1).collect();
        assert!(answers.iter().all(|answer| answer.status == 202), "{answers:?}");
        ids.dedup();
        assert_eq!(ids.len(), 1);
    }
    assert_eq!(server.urumi.list().await.unwrap().len(), 1);
}
