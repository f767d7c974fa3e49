//! Stores that come and go.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use urumi_benches::server_process::ServerProcess;
use urumi_core::store::wait::Deleted;
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator, StoreOrchestratorExt};

/// How long a store may take to be gone: Kubernetes removes few namespaces at once.
const PATIENCE: Duration = Duration::from_secs(1800);

/// The resident memory of a server, in bytes, before and after stores were created and deleted.
pub(crate) struct Churn {
    pub(crate) before: u64,
    pub(crate) after: u64,
}

/// Creates stores, and deletes each as soon as it is on record.
pub(crate) async fn measure(server: &ServerProcess, stores: usize, clients: usize) -> Result<Churn> {
    let client = server.client()?;
    // Once before, so that memory which is kept for the next stores counts as used.
    come_and_go(&client, stores / 10, clients).await?;
    let before = at_rest(server).await?;
    come_and_go(&client, stores, clients).await?;
    Ok(Churn { before, after: at_rest(server).await? })
}

async fn come_and_go(client: &HttpOrchestrator, stores: usize, clients: usize) -> Result<()> {
    let lives = (0..stores).map(|_| async {
        let store = client.create(CreateStore::new("Churn", "medusa")).await?.into_store();
        client.delete(&store.id).await?;
        client.wait_until(&store.id, Deleted, PATIENCE).await.context("waiting until a store is gone")?;
        anyhow::Ok(())
    });
    stream::iter(lives).buffer_unordered(clients).try_collect().await
}

/// The memory when the monitor has put everything away.
async fn at_rest(server: &ServerProcess) -> Result<u64> {
    tokio::time::sleep(Duration::from_secs(20)).await;
    server.resident()
}
