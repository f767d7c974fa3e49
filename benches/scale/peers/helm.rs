//! Helm, which installs the objects of each store in a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use tempfile::TempDir;
use tokio::process::Command;
use urumi_benches::cluster::BenchCluster;
use urumi_benches::{chart, memory};
use urumi_core::cluster::ClusterBackend;

use super::Figures;
use super::arrivals::Arrivals;
use super::objects::objects;

/// How often the memory of a process is read.
const SAMPLES: Duration = Duration::from_millis(10);

/// A store that is ready to be installed.
struct Store {
    namespace: String,
    chart: TempDir,
}

/// Installs a chart for each store, and waits until the objects exist. The namespaces exist before, which favours Helm.
pub(crate) async fn measure(cluster: &BenchCluster, program: &Path, stores: usize, clients: usize) -> Result<Figures> {
    let (mut prepared, mut wanted) = (Vec::new(), 0);
    for _ in 0..stores {
        let (id, objects) = objects(cluster)?;
        let chart = tempfile::tempdir()?;
        chart::write(chart.path(), &objects).await?;
        let (namespace, others) = objects.split_first().context("a store has a namespace")?;
        cluster.backend.create(namespace).await?;
        prepared.push(Store { namespace: id.namespace(), chart });
        wanted += others.len();
    }
    let mut arrivals = Arrivals::watch(cluster).await?;
    let began = Instant::now();
    let installs = prepared.iter().map(|store| install(cluster, program, store));
    let installs = stream::iter(installs).buffer_unordered(clients).try_fold(0, async |most, peak| Ok(peak.max(most)));
    let (peak, last) = tokio::try_join!(installs, arrivals.wait(wanted))?;
    arrivals.quiet().await?;
    Ok(Figures { took: last - began, peak })
}

/// Installs a chart; returns the most resident memory of the process, in bytes.
async fn install(cluster: &BenchCluster, program: &Path, store: &Store) -> Result<u64> {
    let mut command = Command::new(program);
    command.args(["install", "store"]).arg(store.chart.path());
    command.args(["--namespace", &store.namespace, "--kubeconfig"]).arg(&cluster.kubeconfig);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().with_context(|| program.display().to_string())?;
    let process = child.id().context("a process has an id")?;
    let mut output = std::pin::pin!(child.wait_with_output());
    let (mut ticks, mut peak) = (tokio::time::interval(SAMPLES), 0);
    loop {
        tokio::select! {
            output = &mut output => {
                let output = output?;
                ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
                return Ok(peak);
            }
            // A process that is ending has no memory.
            _ = ticks.tick() => peak = memory::peak(process).unwrap_or_default().max(peak),
        }
    }
}
