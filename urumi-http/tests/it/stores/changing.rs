use std::time::Duration;

use serde_json::json;
use tokio_util::task::TaskTracker;
use urumi_core::cluster::{InMemoryCluster, Outage};
use urumi_core::kubernetes::{ClusterErrorKind, Verb};
use urumi_core::store::wait::Ready;
use urumi_core::{CreateStore, ReadinessMonitor, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use crate::test_server::{TestServer, eventually};

#[tokio::test(start_paused = true)]
async fn a_store_that_is_known_is_not_sent_again() {
    let server = TestServer::new(InMemoryCluster::default());
    server.store("a", None).await;
    let first = server.ask("GET", "/stores/a").send().await;
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", first.json()["resourceVersion"].as_str().unwrap()));
    for known in [tag.clone(), format!("W/{tag}"), format!("\"0\", W/{tag}"), "*".to_owned()] {
        let again = server.ask("GET", "/stores/a").header("if-none-match", &known).send().await;
        assert_eq!((again.status.as_u16(), again.body.len(), again.header("etag")), (304, 0, Some(&*tag)), "{known}");
    }
    let other = server.ask("GET", "/stores/a").header("if-none-match", "\"0\"").send().await;
    assert_eq!(other.status, 200);
    let missing = server.ask("GET", "/stores/b").header("if-none-match", "*").send().await;
    assert_eq!(missing.verdict(), (404, "not-found".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_change_obeys_if_match() {
    let server = TestServer::new(InMemoryCluster::default());
    server.store("a", None).await;
    let tag = server.ask("GET", "/stores/a").send().await.header("etag").unwrap().to_owned();
    for (method, uri) in [
        ("DELETE", "/stores/a"),
        ("POST", "/stores/a/retry"),
        ("POST", "/stores/a/restart"),
        ("POST", "/stores/a/smoke"),
    ] {
        let with = |tag: &str| server.ask(method, uri).header("if-match", tag);
        let stale = with("\"1\"").send().await;
        assert_eq!(stale.verdict(), (412, "precondition-failed".to_owned()), "{method}");
        assert_eq!(stale.json()["retryable"], json!(false));
        // A weak tag never fits, and of several one must.
        for other in [&format!("W/{tag}"), "\"1\", \"2\"", "\"\""] {
            let refused = with(other).send().await;
            assert_eq!(refused.verdict(), (412, "precondition-failed".to_owned()), "{method} {other}");
        }
        for malformed in ["1", "", "\"1\" \"2\"", "\"1\", *"] {
            assert_eq!(with(malformed).send().await.verdict(), (400, "malformed".to_owned()), "{method} {malformed}");
        }
    }
    for several in [tag.clone(), format!("\"1\", {tag}"), format!("{tag}, W/\"1\"")] {
        let retried = server.ask("POST", "/stores/a/retry").header("if-match", &several).send().await;
        assert_eq!((retried.status.as_u16(), retried.header("etag")), (202, Some(&*tag)), "{several}");
    }
    let lines = server.ask("DELETE", "/stores/a").header("if-match", "\"1\"").header("if-match", &tag);
    assert_eq!(lines.send().await.status, 202);
}

/// What the server remembers of an id may be of the past, where its watch fails or an API server lags behind.
#[tokio::test(start_paused = true)]
async fn whose_a_store_is_now_decides_who_may_change_it_or_learn_its_passwords() {
    let server = TestServer::new(InMemoryCluster::default());
    server.store("anns", Some("user:ann")).await;
    server.cluster.begin_outage(Outage::new(ClusterErrorKind::Unavailable).verb(Verb::Watch));
    server.cluster.drop_watches();
    let id = StoreId::parse("anns").unwrap();
    server.urumi.delete(&id).await.unwrap();
    eventually("the end of the store", async || server.urumi.get(&id).await.is_err()).await;
    let request = |id: &str| CreateStore::new(id, "medusa").id(id).owner("user:bob");
    server.urumi.create(request("anns")).await.unwrap();
    server.urumi.create(request("new")).await.unwrap();
    let ask = async |caller: &str, method: &str, uri: &str| server.ask(method, uri).as_(caller).send().await.status;
    assert_eq!(ask("ann-operator", "GET", "/stores/anns").await, 200, "it remembers");
    for (method, uri) in [("GET", "/stores/anns/credentials?reveal=true"), ("DELETE", "/stores/anns")] {
        assert_eq!(ask("ann-operator", method, uri).await, 404, "{uri}");
    }
    assert_eq!(ask("bob", "GET", "/stores/new").await, 404, "it does not remember");
    for uri in ["/stores/anns", "/stores/new"] {
        assert_eq!(ask("bob", "DELETE", uri).await, 202, "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_read_at_once() {
    let latency = Duration::from_millis(3);
    let server =
        TestServer::new(InMemoryCluster::builder().latency(latency).termination_delay(Duration::from_secs(1)).build());
    for n in 0..30 {
        let body = json!({"name": format!("Shop {n}"), "engine": "medusa"});
        let created = server.ask("POST", "/stores").json(body).send().await;
        let path = created.header("location").unwrap().to_owned();
        assert_eq!(server.ask("GET", &path).send().await.json(), created.json());
        let id = created.json()["id"].as_str().unwrap().to_owned();
        assert!(server.ask("GET", "/stores").send().await.ids().contains(&id));

        let deleted = server.ask("DELETE", &path).send().await;
        assert_eq!((deleted.status.as_u16(), &deleted.json()["status"]), (202, &json!("deleting")));
        let seen = server.ask("GET", &path).send().await;
        assert!(seen.status == 404 || seen.json()["status"] == "deleting", "{seen:?}");
        assert_eq!(server.ask("GET", "/stores?status=provisioning").send().await.ids(), [""; 0]);
        // Again is success, for as long as there is something.
        let again = server.ask("DELETE", &path).send().await;
        assert!(matches!(again.verdict().0, 202 | 404), "{again:?}");
        eventually("the end of the store", async || server.ask("GET", &path).send().await.status == 404).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_ready_store_is_not_retried() {
    let server = TestServer::new(InMemoryCluster::default());
    ReadinessMonitor::new(server.urumi.clone()).spawn(&TaskTracker::new(), server.stop.clone());
    server.store("a", None).await;
    server.urumi.wait_until(&StoreId::parse("a").unwrap(), Ready, Duration::from_secs(60)).await.unwrap();
    let refused = server.ask("POST", "/stores/a/retry").send().await;
    assert_eq!(refused.verdict(), (409, "wrong-state".to_owned()));
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("it is ready; only a failed or provisioning store can be retried"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_an_id_is_no_store() {
    let server = TestServer::new(InMemoryCluster::default());
    for id in ["UPPER", "-a", "a%20b", "%F0%9F%9B%8D", &"a".repeat(51), "a%00b", "..%2f..%2fetc"] {
        for (method, uri) in
            [("GET", ""), ("DELETE", ""), ("POST", "/retry"), ("GET", "/events"), ("GET", "/logs"), ("GET", "/diff")]
        {
            let answer = server.ask(method, &format!("/stores/{id}{uri}")).send().await;
            assert_eq!(answer.verdict(), (404, "not-found".to_owned()), "{method} {id}{uri}");
        }
    }
    assert_eq!(server.ask("GET", "/stores/%FF").send().await.verdict(), (400, "malformed".to_owned()));
}
