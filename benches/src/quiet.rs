//! The number of requests that a monitor makes for unchanging stores, counted in the API server's audit log.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::Value;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use urumi_core::cluster::{ConnectOptions, KubeCluster};
use urumi_core::store::wait::Ready;
use urumi_core::{Orchestrator, ReadinessMonitor, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use crate::bench_cluster::{BenchCluster, request};
use crate::stats::Row;

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
    let before = requests(audit_log).await?;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let after = requests(audit_log).await?;
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    cluster.remove(&ids).await?;

    let made: BTreeMap<&String, usize> =
        after.iter().map(|(verb, n)| (verb, n - before.get(verb).unwrap_or(&0))).filter(|(_, n)| *n > 0).collect();
    let others: usize = made.iter().filter(|(verb, _)| verb.as_str() != "watch").map(|(_, n)| n).sum();
    let shown: Vec<String> = made.iter().map(|(verb, n)| format!("{n} {verb}")).collect();
    Ok(Some(Row {
        what: format!("requests in a minute for {stores} unchanging stores"),
        urumi: if shown.is_empty() { "none".into() } else { shown.join(", ") },
        floor: "a 10 s poll of each store: 6 a minute".into(),
        ratio: format!("{others} besides watches"),
        goal: "only watches".into(),
    }))
}

/// The monitor's requests so far, by verb.
async fn requests(audit_log: &Path) -> Result<BTreeMap<String, usize>> {
    let log = tokio::fs::read_to_string(audit_log).await.context("the audit log")?;
    let mut counts = BTreeMap::new();
    for line in log.lines() {
        // The API server may be writing the last line.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        // A watch is logged twice: when it starts (ResponseStarted) and when it ends.
        let counted = text("stage") == "ResponseComplete";
        if counted && text("userAgent").starts_with(AGENT) {
            *counts.entry(text("verb").to_owned()).or_insert(0) += 1;
        }
    }
    Ok(counts)
}
