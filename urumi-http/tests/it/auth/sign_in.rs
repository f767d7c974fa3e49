//! What clients without a token are told of the ways to get one.

use serde_json::{Value, json};
use urumi_core::cluster::InMemoryCluster;
use urumi_http::auth::Authentication;
use urumi_http::program::config::Config;

use crate::process::Server;
use crate::test_server::TestServer;

async fn told(args: &[&str]) -> Value {
    let server = Server::start(args).await;
    let url = format!("{}/authentication", server.url.trim_end_matches("/ui/"));
    reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn everybody_may_know_how_to_authenticate() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    assert_eq!(told(&[]).await, json!({"methods": ["local"]}));
    let issuer = "http://127.0.0.1:1/realm";
    let oidc = ["--oidc-issuer", issuer, "--oidc-audience", "urumi,cli", "--default-role", "viewer"];
    let client = |id: &str| {
        let oidc = json!({"issuer": issuer, "clientId": id, "scopes": ["openid", "profile", "email", "groups"]});
        json!({"methods": ["oidc"], "oidc": oidc})
    };
    let none = json!({"methods": ["oidc"], "oidc": {"issuer": issuer, "scopes": []}});
    assert_eq!(told(&oidc).await, none, "the command line has no client");
    let dashboard = [&oidc[..], &["--oidc-client-id", "urumi"]].concat();
    assert_eq!(told(&dashboard).await, client("urumi"));
    assert_eq!(told(&[&dashboard[..], &["--oidc-cli-client-id", "cli"]].concat()).await, client("cli"));
}

/// A router without the program does not know the settings of its sources.
#[tokio::test]
async fn an_embedded_api_says_that_it_is_embedded_unless_it_is_told_more() {
    let ask = async |server: &TestServer| server.ask("GET", "/authentication").anonymously().send().await.json();
    let embedded = TestServer::new(InMemoryCluster::default());
    assert_eq!(ask(&embedded).await, json!({"methods": ["embedded"]}));
    let open = |builder: urumi_http::ServerStateBuilder| builder.authentication(Authentication::Open);
    assert_eq!(ask(&TestServer::with(InMemoryCluster::default(), open)).await, json!({"methods": ["local"]}));
}

#[test]
fn the_client_of_the_command_line_must_be_whom_its_tokens_are_for() {
    let load = |more: &[&str]| {
        let args = ["urumi-http", "--role-binding", "admin=team:a"].iter().chain(more);
        Config::load(args).map(|_| ()).map_err(|error| error.to_string())
    };
    let oidc = ["--oidc-issuer", "https://login.example.com", "--oidc-audience", "urumi", "--oidc-cli-client-id"];
    assert_eq!(load(&[&oidc[..], &["urumi"]].concat()), Ok(()));
    assert!(load(&[&oidc[..], &["other"]].concat()).unwrap_err().contains("one of --oidc-audience"));
    let without = ["--token-review", "--cluster", "kube", "--oidc-cli-client-id", "x"];
    assert!(load(&without).unwrap_err().contains("--oidc-cli-client-id needs --oidc-issuer"));
}
