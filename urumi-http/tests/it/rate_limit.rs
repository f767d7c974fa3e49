//! Clients that ask often, directly and through proxies.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use tower::ServiceExt as _;
use urumi_http::auth::ClientKey;
use urumi_http::problem::Code;
use urumi_http::rate_limit::{RateLimitOptions, RateLimiter, limit};

use crate::support::problem;

/// Two requests at once and one more each second, for each client; `/free` costs nothing.
fn router() -> Router {
    let limiter = RateLimiter::new(RateLimitOptions {
        rate: NonZeroU32::new(1).unwrap(),
        burst: NonZeroU32::new(2).unwrap(),
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..Default::default()
    });
    Router::new()
        .route("/", get(async || "hello"))
        .route_layer(from_fn_with_state(limiter, limit))
        .route("/free", get(async || "free"))
}

fn request(peer: &str) -> Request {
    let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
    Request::get("/").extension(ConnectInfo(peer)).body(Body::empty()).unwrap()
}

fn through(proxy: &str, chain: &str) -> Request {
    let mut request = request(proxy);
    request.headers_mut().insert("x-forwarded-for", chain.parse().unwrap());
    request
}

async fn ask(router: &Router, request: Request) -> Response {
    router.clone().oneshot(request).await.unwrap()
}

/// How many of some requests pass.
async fn passed(router: &Router, request: impl Fn(usize) -> Request) -> usize {
    let mut passed = 0;
    for n in 0..5 {
        passed += usize::from(ask(router, request(n)).await.status() == StatusCode::OK);
    }
    passed
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let router = router();
    let response = ask(&router, request("192.0.2.1")).await;
    assert_eq!(response.headers()["ratelimit-policy"], "\"default\";q=2;w=2");
    assert_eq!(response.headers()["ratelimit"], "\"default\";r=1;t=1");
    ask(&router, request("192.0.2.1")).await;
    let response = ask(&router, request("192.0.2.1")).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["ratelimit"], "\"default\";r=0;t=2");
    assert_eq!(problem(response).await.code, Code::RateLimited);
    assert_eq!(ask(&router, Request::get("/free").body(Body::empty()).unwrap()).await.status(), StatusCode::OK);

    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(ask(&router, request("192.0.2.1")).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn each_address_has_its_own_allowance_and_each_ipv6_network() {
    let router = router();
    for client in ["192.0.2.1", "192.0.2.2", "2001:db8:0:1::1", "2001:db8:0:2::1"] {
        assert_eq!(passed(&router, |_| request(client)).await, 2, "{client}");
    }
    assert_eq!(passed(&router, |n| request(&format!("2001:db8:0:1::{n:x}"))).await, 0);
}

#[tokio::test(start_paused = true)]
async fn clients_behind_a_trusted_proxy_are_told_apart_and_others_cannot_pretend() {
    let router = router();
    for client in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(passed(&router, |n| through("10.0.0.1", &format!("6.6.6.{n}, {client}"))).await, 2, "{client}");
    }
    assert_eq!(passed(&router, |n| through("203.0.113.9", &format!("192.0.2.{n}"))).await, 2);
}

#[tokio::test(start_paused = true)]
async fn who_is_recognised_has_one_allowance_wherever_they_are() {
    let router = router();
    let with_key = |key: &str, n: usize| {
        let mut request = request(&format!("192.0.2.{n}"));
        request.extensions_mut().insert(ClientKey(key.to_owned()));
        request
    };
    assert_eq!(passed(&router, |n| with_key("static:ann", n)).await, 2);
    assert_eq!(passed(&router, |n| with_key("static:bob", n)).await, 2);
    assert_eq!(passed(&router, |_| request("192.0.2.0")).await, 2);
}
