//! The dashboard: how its files are served, and how a replica passes on what is the API's.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use urumi_http::layers::{LayerOptions, wrap};
use urumi_http::program::dashboard::{OidcSignIn, Settings, SignIn, router};

use crate::process::Server;

/// The dashboard where it was built: by `make dashboard`, which `make test` calls.
fn built(settings: SignIn) -> Option<Router> {
    let index = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard/dist/index.html");
    if index.exists() {
        return Some(wrap(router(Settings::new(settings)), &LayerOptions::default()));
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "the dashboard is not built; make dashboard does it");
    None
}

async fn get(app: &Router, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn every_address_of_the_application_is_its_page_and_no_two_answers_have_the_same_nonce() {
    let Some(app) = built(SignIn::default()) else { return };
    let (status, headers, _) = get(&app, "/", &[]).await;
    assert_eq!((status, &headers["location"]), (StatusCode::SEE_OTHER, &"/ui/".parse().unwrap()));
    let mut nonces = Vec::new();
    for path in ["/ui/", "/ui/stores", "/ui/stores/my-shop/logs?component=api", "/ui/..%2f..%2fCargo.toml"] {
        let (status, headers, page) = get(&app, path, &[]).await;
        assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap()));
        assert_eq!(headers["cache-control"], "no-cache", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned();
        assert!(page.contains(&nonce) && !page.contains("__CSP_NONCE__"), "{path}: {page}");
        assert!(policy.contains("connect-src 'self';") && !policy.contains("unsafe"), "{policy}");
        nonces.push(nonce);
    }
    nonces.dedup();
    assert_eq!(nonces.len(), 4);
}

#[tokio::test]
async fn files_are_kept_for_ever_and_those_that_are_not_there_are_a_problem() {
    let Some(app) = built(SignIn::default()) else { return };
    let (_, _, page) = get(&app, "/ui/", &[]).await;
    let script = page.split('"').find(|value| value.starts_with("/ui/assets/") && value.ends_with(".js")).unwrap();
    let (status, headers, code) = get(&app, script, &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/javascript");
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    assert!(code.len() > 1000);
    let tag = headers["etag"].to_str().unwrap();
    let (status, _, body) = get(&app, script, &[("if-none-match", tag)]).await;
    assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let (status, headers, body) = get(&app, "/ui/assets/index-gone.js", &[]).await;
    assert_eq!(
        (status, &headers["content-type"]),
        (StatusCode::NOT_FOUND, &"application/problem+json".parse().unwrap())
    );
    assert!(body.contains("reload it"), "{body}");
}

#[tokio::test]
async fn the_issuer_may_be_asked_where_people_sign_in_there() {
    let oidc = OidcSignIn {
        issuer: "https://login.example.com/realms/shops".to_owned(),
        client_id: "urumi".to_owned(),
        scope: "openid".to_owned(),
    };
    let Some(app) = built(SignIn { token: true, oidc: Some(oidc) }) else { return };
    let (_, headers, _) = get(&app, "/ui/", &[]).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("connect-src 'self' https://login.example.com;"), "{policy}");
    let (_, headers, settings) = get(&app, "/ui/settings.json", &[]).await;
    assert_eq!(headers["cache-control"], "no-store");
    let settings: Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(
        settings["signIn"],
        json!({"token": true, "oidc": {"issuer": "https://login.example.com/realms/shops", "clientId": "urumi", "scope": "openid"}})
    );
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The next event, which may come in several pieces.
async fn event(watch: &mut reqwest::Response) -> String {
    let mut event = Vec::new();
    while !event.ends_with(b"\n\n") {
        event.extend_from_slice(&watch.chunk().await.unwrap().unwrap());
    }
    String::from_utf8(event).unwrap()
}

#[tokio::test]
async fn a_replica_passes_on_what_is_the_apis() {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new(env!("CARGO_BIN_EXE_urumi-http"))
        .args(["token", "--subject", "ann", "--role", "operator"])
        .output()
        .unwrap();
    let token = String::from_utf8(made.stderr).unwrap();
    let token = token.split_whitespace().last().unwrap().to_owned();
    let tokens = folder.path().join("tokens.yaml");
    std::fs::write(&tokens, made.stdout).unwrap();
    let api = Server::start(&["--tokens-file", tokens.to_str().unwrap()]).await;
    let replica = Server::start(&["dashboard", "--api-url", &api.url]).await;
    let (client, base) = (client(), replica.url.trim_end_matches("/ui/").to_owned());
    let at = |path: &str| format!("{base}{path}");

    let settings: Value = client.get(at("/ui/settings.json")).send().await.unwrap().json().await.unwrap();
    assert_eq!(settings["signIn"], json!({"token": true, "oidc": null}), "the API's own settings");
    let refused = client.get(at("/stores")).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(refused.headers().contains_key("www-authenticate"));

    // Events come as they happen: the watch is open while the store is made.
    let mut watch = client.get(at("/watch")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(watch.headers()["content-type"], "text/event-stream");
    assert!(event(&mut watch).await.contains("event: listed"));
    let made =
        client.post(at("/stores")).bearer_auth(&token).json(&json!({"name": "Shop", "engine": "medusa", "id": "shop"}));
    let made = made.header("x-request-id", "mine").send().await.unwrap();
    assert_eq!((made.status().as_u16(), &made.headers()["x-request-id"]), (202, &"mine".parse().unwrap()));
    assert_eq!(made.headers()["location"], "/stores/shop");
    assert!(event(&mut watch).await.contains("\"shop\""));
    let unknown = client.get(at("/nowhere?a=1")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(unknown.json::<Value>().await.unwrap()["code"], "no-such-path");

    // Without the API it says so, lives on, and serves the application.
    let ready = async { while client.get(at("/readyz")).send().await.unwrap().status() != 200 {} };
    tokio::time::timeout(Duration::from_secs(60), ready).await.expect("the API's monitor has seen its objects");
    drop(watch);
    let Server { mut child, .. } = api;
    child.kill().await.unwrap();
    let away = client.get(at("/stores")).bearer_auth(&token).send().await.unwrap();
    assert_eq!((away.status().as_u16(), &away.headers()["retry-after"]), (502, &"1".parse().unwrap()));
    let problem: Value = away.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["retryable"]), (&json!("api-unreachable"), &json!(true)));
    assert_eq!(client.get(at("/readyz")).send().await.unwrap().status(), 503);
    assert_eq!(client.get(at("/healthz")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_api_that_asks_nobody_is_not_shown_to_other_computers() {
    let api = Server::start(&[]).await;
    // However the API's address is written.
    for url in
        [api.url.clone(), api.url.replace("127.0.0.1", "0.0.0.0"), api.url.replace("127.0.0.1", "[::ffff:127.0.0.1]")]
    {
        let replica = Server::start(&["dashboard", "--api-url", &url, "--listen", "0.0.0.0:0"]).await;
        let base = replica.url.replace("0.0.0.0", "127.0.0.1");
        let base = base.trim_end_matches("/ui/");
        let refused = client().get(format!("{base}/whoami")).send().await.unwrap();
        assert_eq!(refused.status(), 403, "{url}");
        let problem: Value = refused.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains("--tokens-file"), "{problem}");
    }
    let replica = Server::start(&["dashboard", "--api-url", &api.url]).await;
    let base = replica.url.trim_end_matches("/ui/");
    assert_eq!(client().get(format!("{base}/whoami")).send().await.unwrap().status(), 200, "on loopback");
}

#[tokio::test]
async fn a_replica_before_an_api_that_asks_nobody_refuses_pages_of_other_sites() {
    let api = Server::start(&[]).await;
    let replica = Server::start(&["dashboard", "--api-url", &api.url, "--accept-host", "urumi.test"]).await;
    let base = replica.url.trim_end_matches("/ui/");
    let client = client();
    let code = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let code = answer.json::<Value>().await.ok().and_then(|body| Some(body["code"].as_str()?.to_owned()));
        (status, code.unwrap_or_default())
    };
    let whoami = |host: &str| client.get(format!("{base}/whoami")).header("host", host);
    assert_eq!(code(whoami("rebound.example")).await, (421, "misdirected".to_owned()));
    assert_eq!(code(whoami("urumi.test")).await.0, 200);
    let retry = || client.post(format!("{base}/stores/shop/retry"));
    assert_eq!(code(retry().header("sec-fetch-site", "cross-site")).await, (403, "cross-site".to_owned()));
    assert_eq!(code(retry().header("origin", "http://evil.example")).await, (403, "cross-site".to_owned()));
    // The replica's own page: to the API behind, whose address is another, it is no stranger.
    assert_eq!(code(retry().header("origin", base)).await, (404, "not-found".to_owned()));
}

#[tokio::test]
async fn a_replica_that_is_told_to_stop_ends_what_would_go_on_for_ever() {
    let api = Server::start(&[]).await;
    let mut replica = Server::start(&["dashboard", "--api-url", &api.url, "--shutdown-grace", "1h"]).await;
    let base = replica.url.trim_end_matches("/ui/").to_owned();
    let mut watch = client().get(format!("{base}/watch")).send().await.unwrap();
    assert!(watch.chunk().await.unwrap().is_some());
    let id = replica.child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").arg(id).status().unwrap().success());
    while watch.chunk().await.unwrap().is_some() {}
    assert!(replica.child.wait().await.unwrap().success());
}

#[test]
fn a_client_of_an_issuer_must_be_whom_its_tokens_are_for() {
    let load = |more: &[&str]| {
        let args = ["urumi-http", "--role-binding", "admin=team:a"].iter().chain(more);
        urumi_http::program::config::Config::load(args).map(|_| ()).map_err(|error| error.to_string())
    };
    let oidc = ["--oidc-issuer", "https://login.example.com", "--oidc-audience", "urumi"];
    let with = |client: &[&'static str]| oidc.iter().copied().chain(client.iter().copied()).collect::<Vec<_>>();
    assert_eq!(load(&with(&["--oidc-client-id", "urumi"])), Ok(()));
    assert!(load(&with(&["--oidc-client-id", "other"])).unwrap_err().contains("one of --oidc-audience"));
    assert!(
        load(&["--token-review", "--cluster", "kube", "--oidc-client-id", "x"])
            .unwrap_err()
            .contains("needs --oidc-issuer")
    );
}
