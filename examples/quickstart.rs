//! Creates a store on an in-memory cluster, waits until it is ready, and deletes it.
//!
//! On a real cluster only the first line changes: `KubeCluster::connect(Default::default()).await?`.
#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::time::Duration;

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::{CreateStore, Orchestrator, ReadinessMonitor, StoreOrchestrator, StoreOrchestratorExt};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build();
    let urumi = Orchestrator::builder(cluster).domain("stores.example.com").build();

    // The monitor keeps statuses up to date; in a team's installation urumi-http runs it.
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    ReadinessMonitor::new(urumi.clone()).spawn(&tasks, stop.clone());

    let store = urumi.create(CreateStore::new("My Shop", "medusa")).await?.into_store();
    println!("{} is {} in namespace {}", store.name, store.status, store.namespace);

    let store = urumi.wait_until(&store.id, Ready.or_failed(), Duration::from_secs(30)).await?;
    if let Some(store) = &store {
        println!("{} is {} at {}", store.name, store.status, store.urls.storefront.as_deref().unwrap_or("nowhere"));
        for condition in &store.conditions {
            println!("  {} {:?} ({})", condition.type_, condition.status, condition.reason);
        }
        urumi.delete(&store.id).await?;
        urumi.wait_until(&store.id, Deleted, Duration::from_secs(30)).await?;
        println!("{} is deleted", store.name);
    }

    stop.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(())
}
