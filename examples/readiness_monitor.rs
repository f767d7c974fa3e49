//! Runs the readiness monitor inside another service. The service owns the monitor's task, reads its health, watches the
//! stores' changes, and stops the task cleanly.
#![allow(clippy::print_stdout, reason = "an example prints its results")]

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

    // Every change of every store, as a service would send it to its own users.
    let mut changes = urumi.watch(None);
    let store = urumi.create(CreateStore::new("Kiosk", "medusa")).await?.into_store();
    let mut broken = false;
    let broken_api = FaultTarget::named("medusa-api");
    while let Some(change) = changes.next().await {
        let StoreEvent::Changed(store) = change? else { continue };
        println!("{} is {} {}", store.name, store.status, store.reason.as_deref().unwrap_or_default());
        match store.status {
            // A workload fails after the store was ready; the store becomes degraded.
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
