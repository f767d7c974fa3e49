//! A server without authentication, and web pages that reach it through a browser on its computer.

use http::HeaderValue;
use urumi_core::StoreOrchestrator;
use urumi_core::cluster::InMemoryCluster;
use urumi_http::auth::Authentication;
use urumi_http::{BrowserGuard, ServerStateBuilder};

use crate::process::Server;
use crate::test_server::TestServer;

fn unauthenticated(settings: impl FnOnce(ServerStateBuilder) -> ServerStateBuilder) -> TestServer {
    TestServer::with(InMemoryCluster::default(), |builder| settings(builder.authentication(Authentication::Open)))
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_rebound_to_loopback_reaches_nothing() {
    let server = unauthenticated(|builder| builder);
    server.store("shop", None).await;
    for (method, path) in [("GET", "/stores"), ("GET", "/stores/shop/credentials"), ("DELETE", "/stores/shop")] {
        let ask = |host: &str| server.ask(method, path).anonymously().header("host", host);
        assert_eq!(ask("evil.example:8080").send().await.verdict(), refused(421, "misdirected"), "{method} {path}");
        let detail = ask("evil.example").send().await.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("--accept-host"), "{detail}");
    }
    assert_eq!(server.urumi.list().await.unwrap().len(), 1);
    let ask = |path: &str, host: &str| server.ask("GET", path).anonymously().header("host", host);
    assert_eq!(ask("/stores", "localhost:8080").send().await.ids(), ["shop"]);
    assert_eq!(ask("/healthz", "evil.example").send().await.status, 200, "health is no secret");
    let known = unauthenticated(|builder| builder.browser_guard(BrowserGuard::default().hosts(["urumi.test".into()])));
    assert_eq!(known.ask("GET", "/stores").anonymously().header("host", "urumi.test").send().await.status, 200);
}

/// Requests without a body need no preflight: a page of any site may have a browser send them.
#[tokio::test(start_paused = true)]
async fn a_page_of_another_site_changes_nothing() {
    let origin = HeaderValue::from_static("https://shop.example");
    let server = unauthenticated(|builder| builder.browser_guard(BrowserGuard::default().origins([origin])));
    let before = server.store("shop", None).await;
    let retry = |name: &str, value: &str| {
        server.ask("POST", "/stores/shop/retry").anonymously().header("host", "localhost:8080").header(name, value)
    };
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        assert_eq!(retry(name, value).send().await.verdict(), refused(403, "cross-site"), "{name}: {value}");
    }
    assert_eq!(server.urumi.get(&before.id).await.unwrap().resource_version, before.resource_version);
    for (name, value) in
        [("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080"), ("origin", "https://shop.example")]
    {
        assert_eq!(retry(name, value).send().await.status, 202, "{name}: {value}");
    }
    assert_eq!(retry("user-agent", "curl").send().await.status, 202, "what is no browser is as free as before");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_recognises_its_callers_needs_no_guard() {
    let server = TestServer::new(InMemoryCluster::default());
    let ask = |host: &str| server.ask("GET", "/stores").header("host", host).header("sec-fetch-site", "cross-site");
    assert_eq!(ask("stores.example.com").send().await.ids(), [""; 0]);
}

#[tokio::test]
async fn the_program_guards_itself_and_takes_further_hosts() {
    let server = Server::start(&["--accept-host", "urumi.test,other.test"]).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |host: &str| client.get(format!("{}/stores", server.url)).header("host", host).send();
    for (host, status) in [("other.test", 200), ("urumi.test:80", 200), ("evil.test", 421)] {
        assert_eq!(ask(host).await.unwrap().status(), status, "{host}");
    }
}
