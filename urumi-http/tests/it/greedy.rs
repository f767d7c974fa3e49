//! Callers who take as much as they can, next to others who want their share.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use futures::future::join_all;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Namespace;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinHandle;
use urumi_core::cluster::{ClusterBackend as _, Fault, FaultTarget, InMemoryCluster};
use urumi_core::kubernetes::{Kind, Object, ObjectRef, Query};
use urumi_core::record::STATUS;
use urumi_http::OpenLimits;
use urumi_http::layers::{LayerOptions, wrap};
use urumi_http::program::dashboard::{Settings, SignIn, router as dashboard};
use urumi_http::program::listener::ListenerOptions;

use crate::support::{Server, assert_problem, until};
use crate::test_server::{Answer, Ask, TestServer, eventually};

/// Requests of up to 256 KiB that are wrong in as many places as fit.
#[tokio::test]
async fn a_request_full_of_mistakes_gets_a_short_answer() {
    let server = TestServer::new(InMemoryCluster::default());
    let map = |count: usize, key: &str| -> Value { (0..count).map(|n| (format!("{key}{n}"), json!("1"))).collect() };
    let options = |options: Value| json!({"name": "x", "engine": "medusa", "options": options});
    let long = "é\u{1}\"".repeat(20_000);
    for (what, request) in [
        ("quota", options(json!({"quota": map(4_000, "no.")}))),
        ("quota with long names", options(json!({"quota": map(64, &"\u{1}".repeat(150))}))),
        ("env", options(json!({"api": {"env": map(256, "a b")}, "storefront": {"env": map(256, "a b")}}))),
        ("annotations", options(json!({"ingress": {"annotations": map(64, &"\"".repeat(400))}}))),
        ("lists", options(json!({"imagePullSecrets": vec!["A".repeat(900); 64]}))),
        ("unknown options", options(map(4_500, "x"))),
        ("engine", json!({"name": "x", "engine": long})),
        ("unknown fields", (0..4_500).map(|n| (format!("x{n}"), Value::Null)).collect()),
        ("labels", json!({"name": "x", "engine": "medusa", "labels": map(4_000, "a b")})),
        ("values of labels", json!({"name": "x", "labels": {long.as_str(): [], "a": {}}})),
        ("unknown field", json!({"name": "x", "engine": "medusa", long.as_str(): 1})),
        ("owner", json!({"name": "x", "engine": "medusa", "owner": long})),
        ("value", options(json!({"api": {"replicas": long}}))),
    ] {
        let body = request.to_string();
        assert!(body.len() <= 256 * 1024, "{what}: {}", body.len());
        let answer = server.ask("POST", "/stores/preview").body("application/json", body).send().await;
        assert_eq!(answer.verdict(), (422, "invalid".to_owned()), "{what}");
        assert!(answer.body.len() <= 20 * 1024, "{what}: {} bytes", answer.body.len());
        let fields = answer.fields();
        assert!((1..=50).contains(&fields.len()), "{what}: {} fields", fields.len());
        assert!(fields.iter().all(|field| field.len() <= 400), "{what}: {fields:?}");
    }
    // With more values, the body is refused before it is understood.
    let nulls = (0..16_000).map(|n| (format!("x{n}"), Value::Null)).collect();
    for request in
        [options(map(6_000, "x")), options(nulls), options(json!({"lists": vec![1; 6_000]})), map(6_000, "x")]
    {
        let answer = server.ask("POST", "/stores/preview").json(request).send().await;
        assert_eq!(answer.verdict(), (413, "payload-too-large".to_owned()));
        assert!(answer.json()["detail"].as_str().unwrap().contains("at most 5000 values"));
    }
    for (request, found) in [
        (json!({"quota": map(64, "no.")}), 64),
        (json!({"api": map(49, "x")}), 49),
        (json!({"api": map(60, "x")}), 60),
        (json!({"api": map(150, "x")}), 100),
        (json!({"api": {"env": (0..60).map(|n| (format!("N{n}"), json!(n))).collect::<Value>()}}), 60),
    ] {
        let answer = server.ask("POST", "/stores/preview").json(options(request)).send().await;
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.ends_with(&format!("… and {} more", found - answer.fields().len())), "{detail}");
    }
}

/// Gives a store of ann's a status without any monitor.
async fn ready(server: &TestServer, id: &str) {
    server.store(id, Some("user:ann")).await;
    let record = ObjectRef::cluster(Kind::of::<Namespace>(), format!("store-{id}"));
    let set = |record: &mut Object| {
        record.as_value_mut()["metadata"]["annotations"][STATUS] = "ready".into();
    };
    server.cluster.modify(&record, set).unwrap();
}

/// The layers of a small server.
fn small(app: &Router) -> Router {
    wrap(app.clone(), &LayerOptions { max_in_flight: 4, ..LayerOptions::default() })
}

fn order(app: &Router, id: &str, caller: &str) -> JoinHandle<Answer> {
    tokio::spawn(Ask::new(app.clone(), "POST", &format!("/stores/{id}/smoke")).as_(caller).send())
}

#[tokio::test(start_paused = true)]
async fn smoke_orders_that_do_not_end_keep_nobody_else_out() {
    let limits = OpenLimits::default().smoke_orders(12, 8);
    let server = TestServer::with(InMemoryCluster::default(), |builder| builder.open_limits(limits));
    let ids: Vec<String> = (0..10).map(|n| format!("shop{n}")).collect();
    for id in &ids {
        ready(&server, id).await;
    }
    // Their pods find no room, so that each order takes its whole time.
    server.cluster.inject_fault(FaultTarget::image("ghcr.io/urumi/medusa-storefront"), Fault::NoRoom);
    let app = small(&server.app);
    let send =
        async |method: &str, path: &str, caller: &str| Ask::new(app.clone(), method, path).as_(caller).send().await;
    let jobs = async || {
        let jobs = server.cluster.list(&Query::all(Kind::of::<Job>())).await.unwrap();
        jobs.iter().filter(|job| job.name().starts_with("smoke-")).count()
    };
    let mut waiting: Vec<JoinHandle<Answer>> = Vec::new();
    waiting.extend(ids[..8].iter().map(|id| order(&app, id, "ann-operator")));
    eventually("all orders", async || jobs().await == 8).await;
    // Another order in the same store is refused, whoever asks.
    let refused = send("POST", "/stores/shop0/smoke", "root").await;
    assert_eq!(refused.verdict(), (409, "smoke-running".to_owned()));
    let refused = send("POST", "/stores/shop8/smoke", "ann-operator").await;
    assert_eq!(refused.verdict(), (429, "rate-limited".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("5"));
    // Twice as many orders wait as requests may be in flight.
    for (path, caller) in [("/stores", "ann-operator"), ("/stores", "bob"), ("/whoami", "root"), ("/healthz", "bob")] {
        assert_eq!(send("GET", path, caller).await.status, StatusCode::OK, "{path} of {caller}");
    }
    waiting.push(order(&app, "shop8", "root"));
    eventually("the administrator's order", async || jobs().await == 9).await;
    for waiting in join_all(waiting).await {
        assert_eq!(waiting.unwrap().verdict(), (502, "no-report".to_owned()));
    }
    // All have given their places back.
    server.cluster.clear_faults();
    assert_eq!(send("POST", "/stores/shop9/smoke", "ann-operator").await.status, StatusCode::OK);
}

/// Answers that wait for slow readers hold no copies: they share the JSON of the stores.
#[tokio::test]
async fn answers_that_nobody_reads_share_what_they_list() {
    let server = TestServer::new(InMemoryCluster::default());
    for id in ["shop1", "shop2", "shop3"] {
        server.store(id, Some("user:ann")).await;
    }
    // Longer than what stands between two stores.
    let stores = async |path: &str| {
        let (status, headers, mut body) = server.ask("GET", path).as_("ann-viewer").open().await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let mut pieces: Vec<Bytes> = Vec::new();
        while pieces.iter().filter(|piece| piece.len() > 200).count() < 3 {
            pieces.push(body.frame().await.unwrap().unwrap().into_data().unwrap());
        }
        if let Some(length) = headers.get(CONTENT_LENGTH) {
            let rest = body.collect().await.unwrap().to_bytes().len();
            let whole = pieces.iter().map(Bytes::len).sum::<usize>() + rest;
            assert_eq!(length.to_str().unwrap(), whole.to_string(), "{path}");
        }
        pieces.retain(|piece| piece.len() > 200);
        pieces
    };
    let first = stores("/stores").await;
    for path in ["/stores", "/watch"] {
        for (one, other) in first.iter().zip(stores(path).await) {
            assert_eq!((one.as_ptr(), one), (other.as_ptr(), &other), "{path}");
        }
    }
    let empty = server.ask("GET", "/stores?name=none").as_("ann-viewer").send().await;
    assert_eq!((empty.text().as_str(), empty.header("content-length")), ("[]\n", Some("3")));
}

#[tokio::test(start_paused = true)]
async fn a_caller_has_so_many_streams_and_no_more() {
    let limits = OpenLimits::default().streams(5, 3);
    let server = TestServer::with(InMemoryCluster::default(), |builder| builder.open_limits(limits));
    server.store("shop", Some("user:ann")).await;
    let open = async |path: &str, caller: &str| server.ask("GET", path).as_(caller).open().await;
    let refused = async |path: &str, caller: &str| {
        let answer = server.ask("GET", path).as_(caller).send().await;
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        answer.verdict().0
    };
    let mut streams = Vec::new();
    // The role makes no difference, and neither does the kind of stream.
    for (path, caller) in [
        ("/watch", "ann-viewer"),
        ("/watch?id=shop", "ann-operator"),
        ("/stores/shop/logs?follow=true", "ann-operator"),
    ] {
        let (status, _, body) = open(path, caller).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        streams.push(body);
    }
    for path in ["/watch", "/stores/shop/logs?follow=true", "/stores/shop/logs"] {
        assert_eq!(refused(path, "ann-operator").await, 429, "{path}");
    }
    let bobs: Vec<Body> = [open("/watch", "bob").await.2, open("/watch", "bob").await.2].into();
    assert_eq!(refused("/watch", "bob").await, 503);
    // Administrators get in, up to their own limit.
    let roots: Vec<Body> = join_all((0..3).map(|_| async { open("/watch", "root").await.2 })).await;
    assert_eq!(refused("/watch", "root").await, 429);
    drop((streams, bobs, roots));
    assert_eq!(open("/watch", "ann-viewer").await.0, StatusCode::OK);
}

/// Streams have their share of the connections, so that there is one for everybody else.
#[tokio::test]
async fn streams_leave_connections_to_requests() {
    let server = TestServer::with(InMemoryCluster::default(), |builder| {
        builder.open_limits(OpenLimits::default().streams(4, 8))
    });
    let app = small(&server.app);
    let server = Server::start(app, ListenerOptions { max_connections: 8, ..Default::default() }).await;
    let request = |path: &str, caller: &str, close: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {caller}\r\n{close}\r\n").into_bytes()
    };
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = server.connect().await;
        stream.write_all(&request("/watch", "ann-viewer", "")).await.unwrap();
        until(&mut stream, "event: listed").await;
        streams.push(stream);
    }
    for _ in 0..20 {
        let answer = server.send(&request("/watch", "ann-viewer", "connection: close\r\n")).await;
        assert_problem(&answer, 503, "overloaded");
        let answer = server.send(&request("/whoami", "root", "connection: close\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

/// A body that does not come keeps a request in flight.
#[tokio::test(start_paused = true)]
async fn slow_requests_of_others_leave_room_for_administrators_and_health() {
    let limits = OpenLimits::default().requests_per_caller(3);
    let server = TestServer::with(InMemoryCluster::default(), |builder| builder.open_limits(limits));
    let options = LayerOptions { max_in_flight: 4, reserved_in_flight: 1, ..LayerOptions::default() };
    let app = wrap(server.app.clone(), &options);
    let slow = |caller: &str| {
        let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let ask = Ask::new(app.clone(), "POST", "/stores").as_(caller).body("application/json", body);
        tokio::spawn(async move { ask.send().await.verdict() })
    };
    let verdict =
        async |path: &str, caller: &str| Ask::new(app.clone(), "GET", path).as_(caller).send().await.verdict();
    let mut held: Vec<_> = (0..3).map(|_| slow("ann-operator")).collect();
    eventually("ann's limit", async || verdict("/whoami", "ann-operator").await == (429, "rate-limited".to_owned()))
        .await;
    assert_eq!(verdict("/whoami", "bob").await.0, 200);
    held.push(slow("bob"));
    eventually("the limit of all", async || verdict("/whoami", "bob").await == (503, "overloaded".to_owned())).await;
    assert_eq!(verdict("/stores", "root").await.0, 200);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(Ask::new(app.clone(), "GET", path).anonymously().send().await.status, StatusCode::OK, "{path}");
    }
    for held in join_all(held).await {
        assert_eq!(held.unwrap(), (408, "timed-out".to_owned()));
    }
    assert_eq!(verdict("/whoami", "ann-operator").await.0, 200);
}

/// However it is asked for: what is compressed at each request is an attack by those who ask.
#[tokio::test]
async fn files_are_never_compressed_at_a_request() {
    let server = TestServer::new(InMemoryCluster::default());
    let app = wrap(server.app.clone().merge(dashboard(Settings::new(SignIn::default()))), &LayerOptions::default());
    let get = async |path: &str, accept: &str| {
        let answer = Ask::new(app.clone(), "GET", path).anonymously().header("accept-encoding", accept).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        answer
    };
    // Without the dashboard, this page names no files.
    let page = Ask::new(app.clone(), "GET", "/ui/").anonymously().send().await;
    let files = std::str::from_utf8(&page.body).unwrap().split('"').filter(|it| it.starts_with("/ui/assets/"));
    let mut paths = vec!["/openapi.json".to_owned(), "/openapi.yaml".to_owned()];
    paths.extend(files.map(str::to_owned));
    for path in &paths {
        let packed = get(path, "gzip").await;
        assert_eq!(packed.header("vary"), Some("accept-encoding"), "{path}");
        assert_eq!(packed.body, get(path, "zstd, gzip").await.body, "{path}");
        for accept in ["zstd", "br", "deflate", "identity", "gzip;q=0"] {
            let plain = get(path, accept).await;
            assert_eq!(plain.header("content-encoding"), None, "{path} for {accept}");
            assert!(plain.body.len() >= packed.body.len(), "{path} for {accept}");
        }
    }
    for path in ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"] {
        for accept in ["gzip", "zstd"] {
            assert_eq!(get(path, accept).await.header("content-encoding"), Some("gzip"), "packed at build");
        }
    }
}

/// The page has the origin of the dashboard, whose storage has the token.
#[tokio::test]
async fn the_documentation_runs_only_its_own_scripts() {
    let server = TestServer::new(InMemoryCluster::default());
    for path in ["/docs/", "/docs/swagger-initializer.js", "/openapi.json", "/openapi.yaml"] {
        let answer = server.ask("GET", path).anonymously().send().await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("connect-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    }
    let page = server.ask("GET", "/docs/").anonymously().send().await.text();
    assert!(page.split("<script").skip(1).all(|script| script.trim_start().starts_with("src=")), "{page}");
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" on"), "{page}");
}

#[tokio::test]
async fn browsers_are_told_to_use_https_where_it_is_used() {
    for hsts in [false, true] {
        let server = TestServer::new(InMemoryCluster::default());
        let app = wrap(server.app.clone(), &LayerOptions { hsts, ..LayerOptions::default() });
        let answer = Ask::new(app, "GET", "/docs/").anonymously().send().await;
        assert_eq!(answer.header("strict-transport-security"), hsts.then_some("max-age=31536000"));
    }
}

/// The pages without authentication have the limits of an address; the health routes, which cost nothing, have none.
#[tokio::test]
async fn pages_have_the_limit_of_an_address_and_health_has_none() {
    let server = crate::process::Server::start(&["--rate-limit", "1", "--rate-burst", "1"]).await;
    let base = server.url.trim_end_matches("/ui/");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
    let status = async |path: &str| client.get(format!("{base}{path}")).send().await.unwrap().status().as_u16();
    let mut seen = Vec::new();
    for path in ["/docs/", "/openapi.json", "/ui/", "/ui/settings.json", "/docs/swagger-ui.css"].repeat(20) {
        seen.push(status(path).await);
    }
    assert!(seen.contains(&200) && seen.contains(&429), "{seen:?}");
    for _ in 0..20 {
        assert_eq!((status("/healthz").await, status("/readyz").await), (200, 200));
    }
}
