//! The layers around a small router, without a network.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode};
use tokio::sync::Notify;
use tower::ServiceExt as _;
use urumi_core::cluster::InMemoryCluster;
use urumi_http::layers::{LayerOptions, RequestId, long_running, wrap};
use urumi_http::problem::Code;

use crate::support::{problem, text};
use crate::test_server::{Ask, TestServer};

fn options() -> LayerOptions {
    LayerOptions::default()
}

async fn ask(router: &Router, request: Request) -> Response {
    router.clone().oneshot(request).await.unwrap()
}

fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path)
}

async fn get_path(router: &Router, path: &str) -> Response {
    ask(router, request("GET", path).body(Body::empty()).unwrap()).await
}

fn router() -> Router {
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/big", get(async || "x".repeat(10_000)))
        .route("/echo", post(async |body: Result<Bytes, axum::extract::rejection::BytesRejection>| body))
        .route("/panic", get(async || -> String { panic!("with {}", "reasons") }))
        .route("/never", get(std::future::pending::<String>))
        .route("/id", get(async |request: Request| request.extensions().get::<RequestId>().unwrap().0.clone()))
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let router = wrap(router(), &options());
    let response = get_path(&router, "/nothing").await;
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(problem(response).await.code, Code::NoSuchPath);
    let response = ask(&router, request("DELETE", "/hello").body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(problem(response).await.code, Code::MethodNotAllowed);
}

#[tokio::test]
async fn answers_have_safe_headers_unless_they_have_their_own() {
    let router =
        wrap(router().route("/cached", get(async || ([("cache-control", "max-age=60")], "cached"))), &options());
    let response = get_path(&router, "/hello").await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(get_path(&router, "/cached").await.headers()["cache-control"], "max-age=60");
}

#[tokio::test]
async fn a_request_keeps_a_sane_id_and_gets_one_otherwise() {
    let router = wrap(router(), &options());
    let with_id = |id: &str| request("GET", "/id").header("x-request-id", id).body(Body::empty()).unwrap();
    let response = ask(&router, with_id("abc-1.2_3")).await;
    assert_eq!(response.headers()["x-request-id"], "abc-1.2_3");
    assert_eq!(text(response).await, "abc-1.2_3");
    let response = ask(&router, with_id("a b")).await;
    let made = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(made.len(), 36);
    assert_eq!(text(response).await, made);
}

#[tokio::test]
async fn a_problem_names_its_request() {
    let router = wrap(router(), &options());
    let named = async |id: &str| {
        let asked = request("GET", "/nothing").header("x-request-id", id).body(Body::empty()).unwrap();
        problem(ask(&router, asked).await).await.instance.unwrap().into_string()
    };
    assert_eq!(named("abc-1.2_3").await, "abc-1.2_3");
    assert_eq!(named("6F9619FF-8B86-4D01-B42D-00CF4FC964FF").await, "urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff");
    let response = get_path(&router, "/never-ever").await;
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(problem(response).await.instance, Some(format!("urn:uuid:{id}").into()));
}

#[tokio::test]
async fn a_similar_path_is_suggested() {
    let detail = async |known: &[&str]| {
        let known_paths = known.iter().map(|path| (*path).to_owned()).collect();
        let router = wrap(router(), &LayerOptions { known_paths, ..options() });
        problem(get_path(&router, "/hallo").await).await.detail
    };
    assert_eq!(detail(&["/hello", "/big"]).await, "there is no path /hallo; did you mean /hello?");
    assert_eq!(detail(&[]).await, "there is no path /hallo");
}

#[tokio::test]
async fn a_panic_is_a_problem() {
    let router = wrap(router(), &options());
    let problem = problem(get_path(&router, "/panic").await).await;
    assert_eq!(problem.code, Code::Internal);
    assert!(!problem.detail.contains("reasons"));
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_with_and_without_a_length() {
    let options = LayerOptions { max_body: 1000, ..options() };
    let router = wrap(router(), &options);
    let chunked = |parts: usize| {
        let parts = (0..parts).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 100])));
        request("POST", "/echo").body(Body::from_stream(futures::stream::iter(parts))).unwrap()
    };
    let whole = |length: usize| request("POST", "/echo").body(Body::from("x".repeat(length))).unwrap();
    for fine in [chunked(10), whole(1000)] {
        assert_eq!(text(ask(&router, fine).await).await.len(), 1000);
    }
    for large in [chunked(11), whole(1001)] {
        assert_eq!(problem(ask(&router, large).await).await.code, Code::PayloadTooLarge);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let router = wrap(router(), &LayerOptions { body_timeout: Duration::from_secs(5), ..options() });
    let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let response = ask(&router, request("POST", "/echo").body(body).unwrap()).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(problem(response).await.code, Code::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_request_has_limited_time() {
    let router = wrap(router(), &options());
    assert_eq!(problem(get_path(&router, "/never").await).await.code, Code::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn only_a_route_can_lift_the_limit_of_time_and_no_path_does() {
    let slow = async || {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        "done"
    };
    let own_deadline = Router::new().route("/slow", post(slow)).layer(from_fn(long_running));
    let router =
        wrap(router().route("/never/smoke", post(std::future::pending::<String>)).merge(own_deadline), &options());
    let ask_for = async |path: &str| ask(&router, request("POST", path).body(Body::empty()).unwrap()).await;
    assert_eq!(text(ask_for("/slow").await).await, "done");
    let limited = tokio::time::timeout(Duration::from_secs(3600), ask_for("/never/smoke")).await;
    assert_eq!(problem(limited.expect("the limit holds")).await.code, Code::TimedOut);
}

/// Both requests ask the cluster, which takes longer than the server's limit.
#[tokio::test(start_paused = true)]
async fn a_smoke_order_has_the_stores_deadline_and_not_the_servers() {
    let server = TestServer::new(InMemoryCluster::builder().latency(Duration::from_secs(2)).build());
    server.store("shop", None).await;
    let app = wrap(server.app.clone(), &LayerOptions { request_timeout: Duration::from_secs(1), ..options() });
    let verdict = async |method: &str, path: &str| Ask::new(app.clone(), method, path).send().await.verdict();
    assert_eq!(verdict("GET", "/stores/shop/events").await, (504, "timed-out".to_owned()));
    assert_eq!(verdict("POST", "/stores/shop/smoke").await, (409, "wrong-state".to_owned()));
}

#[tokio::test]
async fn what_there_is_no_room_for_is_refused_at_once_on_all_routes_together() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (entered, leave) = (entered.clone(), leave.clone());
        get(async move || {
            entered.notify_one();
            leave.notified().await;
            "slow"
        })
    };
    let router = wrap(router().route("/slow", slow), &LayerOptions { max_in_flight: 1, ..options() });
    let first = tokio::spawn({
        let router = router.clone();
        async move { text(get_path(&router, "/slow").await).await }
    });
    entered.notified().await;
    let response = get_path(&router, "/hello").await;
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(problem(response).await.code, Code::Overloaded);
    leave.notify_one();
    assert_eq!(first.await.unwrap(), "slow");
    assert_eq!(get_path(&router, "/hello").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn whole_large_answers_are_packed_and_streams_are_not() {
    let stream = async || {
        let parts = ["x".repeat(5000), "y".repeat(5000)].map(Ok::<_, std::io::Error>);
        Body::from_stream(futures::stream::iter(parts)).into_response()
    };
    let events = async || ([("content-type", "text/event-stream")], "x".repeat(10_000));
    let router = wrap(router().route("/stream", get(stream)).route("/events", get(events)), &options());
    for (path, encoding) in [("/big", Some("zstd")), ("/hello", None), ("/stream", None), ("/events", None)] {
        let asked = request("GET", path).header("accept-encoding", "gzip;q=0.5, zstd").body(Body::empty()).unwrap();
        let response = ask(&router, asked).await;
        assert_eq!(response.headers().get("content-encoding").map(|it| it.to_str().unwrap()), encoding, "{path}");
    }
}

/// The layer of compression would answer 406 after the handler has run: the change would be made all the same.
#[tokio::test]
async fn whoever_refuses_plain_answers_gets_the_answer_all_the_same() {
    let router = wrap(router(), &options());
    for (accepted, encoding) in [
        ("identity;q=0", None),
        ("gzip, identity;q=0.0", Some("gzip")),
        ("*;q=0", None),
        ("br;q=1, *; q=0", None),
        ("Identity; Q=0, gzip;q=0.5, zstd", Some("zstd")),
    ] {
        let asked = request("GET", "/big").header("accept-encoding", accepted).body(Body::empty()).unwrap();
        let response = ask(&router, asked).await;
        let chosen = response.headers().get("content-encoding").map(|it| it.to_str().unwrap());
        assert_eq!((response.status(), chosen), (StatusCode::OK, encoding), "{accepted}");
    }
}

#[tokio::test]
async fn only_configured_origins_may_ask() {
    let preflight = |origin: &str| {
        request("OPTIONS", "/echo")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .body(Body::empty())
            .unwrap()
    };
    let allowed = |response: &Response| response.headers().get("access-control-allow-origin").cloned();
    let shut = wrap(router(), &options());
    assert_eq!(allowed(&ask(&shut, preflight("https://shop.example")).await), None);
    let origin = HeaderValue::from_static("https://shop.example");
    let open = wrap(router(), &LayerOptions { cors_origins: vec![origin.clone()], ..options() });
    let response = ask(&open, preflight("https://shop.example")).await;
    assert_eq!((response.status(), allowed(&response)), (StatusCode::OK, Some(origin)));
    assert_eq!(allowed(&ask(&open, preflight("https://evil.example")).await), None);
}
