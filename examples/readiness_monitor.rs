//! The readiness monitor inside another service: the service owns the task, reads its health, follows the stores'
//! changes, and stops it cleanly.
#![allow(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::time::Duration;

use futures::StreamExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use urumi_core::cluster::{Fault, FaultTarget, InMemoryCluster};
use urumi_core::store::status::StoreStatus;
use urumi_core::{CreateStore, Orchestrator, ReadinessMonitor, StoreEvent, StoreOrchestrator, StoreOrchestratorExt};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(300)).build();
    let urumi = Orchestrator::builder(cluster.clone()).build();

    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let mut monitor = ReadinessMonitor::new(urumi.clone())
        .resync(Duration::from_secs(10))
        .deadline(Duration::from_secs(600))
        .spawn(&tasks, stop.clone());
    monitor.synced().await;
    println!("the monitor runs: {:?}", monitor.health());

    // What a service would send to its own users: every change of every store.
    let mut changes = urumi.watch(None);
    let store = urumi.create(CreateStore::new("Kiosk", "medusa")).await?;
    let mut broken = false;
    let broken_api = FaultTarget::named("medusa-api");
    while let Some(change) = changes.next().await {
        let StoreEvent::Changed(store) = change? else { continue };
        println!("{} is {} {}", store.name, store.status, store.reason.as_deref().unwrap_or_default());
        match store.status {
            // Something breaks after the store was ready: a store that crashes later does not stay green.
            StoreStatus::Ready if !broken => {
                broken = true;
                cluster.inject_fault(broken_api.clone(), Fault::CrashLoop { exit_code: 1, restarts: 1 });
            }
            StoreStatus::Degraded => {
                cluster.clear_fault(&broken_api);
            }
            StoreStatus::Ready => break,
            _ => {}
        }
    }
    urumi.delete(&store.id).await?;

    stop.cancel();
    tasks.close();
    tasks.wait().await;
    println!("after the stop: running = {}", monitor.health().running);
    Ok(())
}
