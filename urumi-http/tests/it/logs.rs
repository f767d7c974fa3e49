//! `/stores/{id}/logs`: what the containers of a store write, in the form that the client accepts.

use jiff::Timestamp;
use serde_json::{Value, json};
use urumi_core::cluster::InMemoryCluster;

use crate::test_server::{TestServer, eventually};

/// A server with a store whose containers have written lines.
async fn server() -> TestServer {
    let server = TestServer::new(InMemoryCluster::default());
    server.store("a", None).await;
    let lines = async || server.ask("GET", "/stores/a/logs?component=api").send().await.text();
    eventually("lines", async || !lines().await.is_empty()).await;
    server
}

#[tokio::test(start_paused = true)]
async fn logs_are_text_or_lines_of_json() {
    let server = server().await;
    let (text, json) = ("text/plain; charset=utf-8", "application/x-ndjson");
    for (accepted, expected) in [
        ("*/*", text),
        ("text/plain", text),
        ("application/json, text/plain, */*", text),
        ("application/x-ndjson", json),
        ("application/json", json),
        ("text/plain;q=0.1, application/json", json),
    ] {
        let answer = server.ask("GET", "/stores/a/logs?component=api").header("accept", accepted).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(expected)), "{accepted}");
        let lines = answer.text();
        assert!(lines.ends_with('\n'), "{lines:?}");
        for line in lines.lines() {
            let parsed = serde_json::from_str::<Value>(line).unwrap_or_default();
            assert_eq!(parsed["component"] == "api", expected == json, "{line}");
        }
    }
    for accepted in ["image/png", "application/xml, text/html", "text/plain;q=0"] {
        let refused = server.ask("GET", "/stores/a/logs").header("accept", accepted).send().await;
        assert_eq!(refused.verdict(), (406, "not-acceptable".to_owned()), "{accepted}");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("text/plain") && detail.contains("application/x-ndjson"), "{detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn lines_have_their_times_where_these_are_asked_for() {
    let server = server().await;
    let get = async |query: &str| server.ask("GET", &format!("/stores/a/logs{query}")).send().await.text();
    for (query, begin) in [("?component=api", ""), ("?tail=3", "[")] {
        let plain = get(query).await;
        assert!(plain.lines().all(|line| line.starts_with(begin)), "{plain}");
        let timed = get(&format!("{query}&timestamps=true")).await;
        let untimed = timed.lines().map(|line| {
            let (time, line) = line.split_once(' ').unwrap();
            assert_eq!(time.len(), "2026-11-28T09:30:42.000000000Z".len(), "{time}");
            assert!(time.parse::<Timestamp>().is_ok(), "{time}");
            line
        });
        assert_eq!(untimed.collect::<Vec<_>>(), plain.lines().collect::<Vec<_>>());
    }
    let structured =
        server.ask("GET", "/stores/a/logs?component=api").header("accept", "application/json").send().await;
    let first: Value = serde_json::from_str(structured.text().lines().next().unwrap()).unwrap();
    assert!(first["timestamp"].is_string(), "{first}");
}

#[tokio::test(start_paused = true)]
async fn logs_of_a_time_and_from_before_a_restart_can_be_asked_for() {
    let server = server().await;
    for query in ["?since=1h", "?since=90s&tail=5", "?previous=true", "?since=5m&previous=true&timestamps=true"] {
        let answer = server.ask("GET", &format!("/stores/a/logs{query}")).send().await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
    }
    let both = server.ask("GET", "/stores/a/logs?previous=true&follow=true").send().await;
    assert_eq!((both.verdict().0, both.fields()), (400, vec!["previous".to_owned()]));
    assert_eq!(both.json()["retryable"], json!(false));
}
