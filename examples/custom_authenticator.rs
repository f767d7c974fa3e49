//! A custom `Authenticator` for urumi's HTTP API: API keys from the service's own database.
#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::http_client::ServerOptions;
use urumi_core::secret::SecretString;
use urumi_core::{CreateStore, HttpOrchestrator, Orchestrator, StoreOrchestrator};
use urumi_http::ServerState;
use urumi_http::auth::{AuthError, Authentication, Authenticator, Principal, Role};

/// API keys and their users. A real service would look up a hash of the key.
struct ApiKeys {
    users: HashMap<String, Principal>,
}

#[async_trait]
impl Authenticator for ApiKeys {
    /// `None` passes the token on to the next authenticator; an error rejects the request.
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError> {
        Ok(self.users.get(token.reveal()).cloned())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let users = HashMap::from([
        ("key-of-alice".to_owned(), Principal::new("alice", Role::Operator).teams(["web"])),
        ("key-of-bob".to_owned(), Principal::new("bob", Role::Viewer)),
    ]);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let urumi = Orchestrator::builder(InMemoryCluster::default()).build();
    let state = ServerState::builder(Arc::new(urumi))
        .authentication(Authentication::chain(vec![Arc::new(ApiKeys { users })]))
        .spawn(&tasks, &stop);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = format!("http://{}", listener.local_addr()?);
    let serving =
        axum::serve(listener, urumi_http::router(state)).with_graceful_shutdown(stop.clone().cancelled_owned());
    let serving = tokio::spawn(serving.into_future());

    for key in ["key-of-alice", "key-of-bob", "wrong-key"] {
        let options = ServerOptions::default().token(SecretString::new(key));
        let stores = HttpOrchestrator::connect(&server, &options)?;
        match stores.create(CreateStore::new("My Shop", "medusa")).await {
            Ok(creation) => {
                let store = creation.into_store();
                println!("{key}: created store {} of {}", store.id, store.owner.unwrap_or_default());
            }
            Err(error) => println!("{key}: {error}"),
        }
    }

    stop.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(serving.await??)
}
