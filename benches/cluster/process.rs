//! Compares the process `urumi create` with `helm install` of the same objects.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use urumi_core::StoreId;
use urumi_core::kubernetes::Object;

use urumi_benches::chart;
use urumi_benches::cluster::BenchCluster;
use urumi_benches::stats::{Row, median};

/// Runs both commands alternately.
pub(crate) async fn create(cluster: &BenchCluster, helm: Option<PathBuf>, rounds: usize) -> Result<Option<Row>> {
    let Some(helm) = helm else { return Ok(None) };
    let urumi = std::env::current_exe()?.with_file_name("urumi");
    let (mut helms, mut ours, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (id, objects) = cluster.objects()?;
        let folder = tempfile::tempdir()?;
        chart::write(folder.path(), &objects).await?;
        let mut install = Command::new(&helm);
        install.args(["install", "store"]).arg(folder.path());
        install.args(["--namespace", &id.namespace(), "--kubeconfig"]).arg(&cluster.kubeconfig);
        let namespace = objects.first().context("a store has a namespace")?;
        create_namespace(cluster, namespace).await?;
        helms.push(run(&mut install).await?);
        cluster.settled(&id).await?;
        ids.push(id);

        let id = StoreId::random();
        let mut create = Command::new(&urumi);
        create.args(["create", "Benchmark", "--id", id.as_str(), "--kubeconfig"]).arg(&cluster.kubeconfig);
        ours.push(run(&mut create).await?);
        cluster.settled(&id).await?;
        ids.push(id);
    }
    cluster.remove(&ids).await?;
    Ok(Some(Row::compared(
        "`urumi create` ÷ `helm install` (whole process, median)",
        median(&ours),
        median(&helms),
        "≤ 0.25",
    )))
}

/// Creates the namespace before the measurement of Helm, which cannot install into a namespace of its own chart. This
/// favours Helm: urumi's time includes the namespace.
async fn create_namespace(cluster: &BenchCluster, namespace: &Object) -> Result<()> {
    use urumi_core::cluster::ClusterBackend;
    cluster.backend.create(namespace).await?;
    Ok(())
}

async fn run(command: &mut Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let output = command.output().await.with_context(|| format!("{command:?}"))?;
    let took = started.elapsed();
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(took)
}
