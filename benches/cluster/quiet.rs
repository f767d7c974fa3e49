//! The number of requests that a monitor makes for unchanging stores, counted in the API server's audit log.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use urumi_core::cluster::{ConnectOptions, KubeCluster};
use urumi_core::store::wait::Ready;
use urumi_core::{Orchestrator, ReadinessMonitor, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use urumi_benches::cluster::{BenchCluster, request};
use urumi_benches::stats::Row;
use urumi_testing::audit;

const AGENT: &str = "urumi-quiet-benchmark";

/// Creates stores, waits until a monitor has seen all of them ready, and counts its requests during one idle minute.
pub(crate) async fn measure(cluster: &BenchCluster, audit_log: Option<&Path>, stores: usize) -> Result<Option<Row>> {
    let Some(audit_log) = audit_log else { return Ok(None) };
    let options = ConnectOptions::default().kubeconfig(&cluster.kubeconfig).user_agent(AGENT);
    KubeCluster::install_crypto_provider();
    let observed = Orchestrator::builder(KubeCluster::connect(options).await?).build();
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    ReadinessMonitor::new(observed).spawn(&tasks, stop.clone());

    let mut ids: Vec<StoreId> = Vec::new();
    while ids.len() < stores {
        let some = try_join_all((0..25.min(stores - ids.len())).map(|_| cluster.urumi.create(request()))).await?;
        ids.extend(some.into_iter().map(|creation| creation.into_store().id));
    }
    try_join_all(ids.iter().map(|id| cluster.urumi.wait_until(id, Ready, Duration::from_secs(600)))).await?;
    // By then, the monitor has written the last conditions and messages.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let from = audit::length(audit_log).context("the audit log")?;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let requests = audit::requests(audit_log, from).context("the audit log")?;
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    cluster.remove(&ids).await?;

    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    for request in requests.iter().filter(|request| request.agent.starts_with(AGENT)) {
        *made.entry(&request.verb).or_insert(0) += 1;
    }
    let shown: Vec<String> = made.iter().map(|(verb, n)| format!("{n} {verb}")).collect();
    Ok(Some(Row {
        what: format!("requests in a minute for {stores} unchanging stores"),
        urumi: if shown.is_empty() { "none".into() } else { shown.join(", ") },
        floor: "a 10 s poll of each store: 6 a minute".into(),
        ratio: format!("{} besides watches", made.values().sum::<usize>()),
        goal: "only watches".into(),
    }))
}
