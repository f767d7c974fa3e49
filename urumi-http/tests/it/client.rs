//! The library's client of servers that do not behave as usual.

use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Json, Router};
use futures::StreamExt as _;
use http::{StatusCode, Uri};
use tokio::net::TcpListener;
use urumi_core::{HttpOrchestrator, StoreEvent, StoreId, StoreOrchestrator as _, StoreOrchestratorExt as _};
use urumi_http::problem::{Code, Problem};

use crate::stub_orchestrator::store;

/// A server that started after the store was gone never sees the version of its deletion.
#[tokio::test]
async fn a_version_that_is_never_reached_keeps_a_client_from_one_read_only() {
    let read = async |uri: Uri| match uri.query() {
        Some("resourceVersion=1000") => Problem::new(Code::VersionNotReached, "not yet").into_response(),
        Some(other) => panic!("{other}"),
        None => Json(store("shop", 1, 7)).into_response(),
    };
    let delete = async || (StatusCode::ACCEPTED, Json(store("shop", 1, 1000)));
    let watch = async |uri: Uri| match uri.query() {
        Some(_) => Problem::new(Code::VersionNotReached, "not yet").into_response(),
        None => ([("content-type", "text/event-stream")], "event: listed\ndata: []\n\n").into_response(),
    };
    let app = Router::new().route("/stores/shop", get(read).delete(delete)).route("/watch", get(watch));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let client = HttpOrchestrator::connect(&address, &Default::default()).unwrap();
    let id = StoreId::parse("shop").unwrap();
    client.delete(&id).await.unwrap();
    let error = client.get(&id).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(client.get(&id).await.unwrap().resource_version, "7");
    // A watch is as patient as a read.
    client.delete(&id).await.unwrap();
    let mut events = client.watch(None);
    for _ in 0..4 {
        assert!(events.next().await.unwrap().unwrap_err().is_retryable());
    }
    assert_eq!(events.next().await.unwrap().unwrap(), StoreEvent::Listed(Vec::new()));
    server.abort();
}
