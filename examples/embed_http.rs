//! Mounts urumi's API in an axum service that has its own authentication.
//!
//! `cargo run -p urumi-examples --bin embed_http` serves on a free port, creates a store as one user, shows that another
//! user does not see it, and exits. `-- --serve 127.0.0.1:8080` serves until Ctrl-C; then try
//! `curl -H 'X-User: alice' http://127.0.0.1:8080/shops/stores`.
#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::cluster::InMemoryCluster;
use urumi_core::store::wait::Ready;
use urumi_core::{
    CreateStore, HttpOrchestrator, Orchestrator, ReadinessMonitor, StoreOrchestrator, StoreOrchestratorExt,
};
use urumi_http::ServerState;
use urumi_http::auth::{Principal, Role};

/// Replace this with your own authentication. This one trusts a header, which only a trusted proxy may set.
async fn authenticate(mut request: Request, next: Next) -> Response {
    let user = request.headers().get("x-user").and_then(|user| user.to_str().ok()).map(str::to_owned);
    let Some(user) = user else {
        return (StatusCode::UNAUTHORIZED, "the header X-User is missing\n").into_response();
    };
    let role = if user == "root" { Role::Admin } else { Role::Operator };
    // urumi uses an existing principal instead of its own authentication.
    request.extensions_mut().insert(Principal::new(user, role));
    next.run(request).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(200)).build();
    let urumi = Orchestrator::builder(cluster).domain("shops.example.com").build();
    let monitor = ReadinessMonitor::new(urumi.clone()).spawn(&tasks, stop.clone());
    let state = ServerState::builder(Arc::new(urumi)).monitor(monitor).spawn(&tasks, &stop);

    // Your own routes next to urumi's; your authentication guards urumi's.
    let service = Router::new()
        .route("/", routing::get(|| async { "the shop service\n" }))
        .nest("/shops", urumi_http::router(state).layer(from_fn(authenticate)));

    let address = std::env::args().skip_while(|arg| arg != "--serve").nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let server = format!("http://{}", listener.local_addr()?);
    let until = stop.clone();
    let serving =
        tokio::spawn(axum::serve(listener, service).with_graceful_shutdown(until.cancelled_owned()).into_future());

    if address.is_some() {
        println!("serving on {server}/shops until Ctrl-C");
        tokio::signal::ctrl_c().await?;
    } else {
        try_it(&server).await?;
    }
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(serving.await??)
}

async fn try_it(server: &str) -> anyhow::Result<()> {
    let as_user = |user: &str| {
        let options = urumi_core::http_client::ServerOptions::default().header("x-user", user);
        HttpOrchestrator::connect(&format!("{server}/shops"), &options)
    };
    let (alice, bob) = (as_user("alice")?, as_user("bob")?);
    let store = alice.create(CreateStore::new("Alice's shop", "medusa")).await?.into_store();
    let store = alice.wait_until(&store.id, Ready.or_failed(), Duration::from_secs(30)).await?.context("it is gone")?;
    println!("{} of {} is {}", store.name, store.owner.as_deref().unwrap_or("nobody"), store.status);
    println!("bob sees {} stores", bob.list().await?.len());
    ensure!(bob.get(&store.id).await.is_err(), "bob must not see alice's store");
    alice.delete(&store.id).await?;
    println!("it is being deleted");
    Ok(())
}
