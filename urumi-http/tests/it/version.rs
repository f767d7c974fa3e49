//! What a server says of itself, so that nobody takes it for another one.

use serde_json::{Value, json};
use urumi_core::HttpOrchestrator;

use crate::process::Server;

async fn version(server: &Server) -> Value {
    // No token is needed.
    HttpOrchestrator::connect(&server.url, &Default::default()).unwrap().ask(&["version"]).await.unwrap()
}

#[tokio::test]
async fn a_simulated_or_local_server_says_so() {
    let server = Server::start(&["--cluster", "memory"]).await;
    let info = version(&server).await;
    assert_eq!((&info["version"], &info["cluster"]), (&json!(env!("CARGO_PKG_VERSION")), &json!("memory")));
    let notices: Vec<&str> = info["notices"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert!(notices[0].contains("in-memory cluster") && notices[1].contains("localtest.me"), "{notices:?}");
    let server = Server::start(&["--cluster", "memory", "--domain", "stores.example.com"]).await;
    assert_eq!(version(&server).await["notices"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_log_says_that_stores_are_simulated() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let _server = Server::start_logging_to(log.path(), &["--cluster", "memory"]).await;
    let text = std::fs::read_to_string(log.path()).unwrap();
    assert!(text.contains("WARN") && text.contains("its stores are simulated"), "{text}");
}
