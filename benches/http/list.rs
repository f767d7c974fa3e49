//! `GET /stores` with many stores, compared with a minimal hyper server that sends the same bytes.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use urumi_core::store::wait::Ready;
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator, StoreOrchestratorExt};

use crate::load;
use urumi_benches::server_process::ServerProcess;
use urumi_benches::stats::{Row, median, quantile, ratio};

/// The duration of each measurement.
const TURN: Duration = Duration::from_secs(3);

pub(crate) async fn measure(program: &Path, stores: usize, rounds: usize) -> Result<Vec<Row>> {
    eprintln!("measuring: GET /stores with {stores} stores");
    let urumi = ServerProcess::in_memory(program, "10ms").await?;
    let client = HttpOrchestrator::connect(&format!("http://{}", urumi.address), &Default::default())?;
    let made = stream::iter(0..stores).map(|n| client.create(CreateStore::new(format!("Store {n}"), "medusa")));
    let made: Vec<_> = made.buffer_unordered(16).try_collect().await?;
    let ready = made.iter().map(|creation| client.wait_until(&creation.store().id, Ready, Duration::from_secs(300)));
    stream::iter(ready).buffer_unordered(50).try_for_each(|_| async { Ok(()) }).await?;
    settled(&client).await?;

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("stores.json");
    std::fs::write(&file, client.raw(&["stores"]).await?)?;
    let floor = ServerProcess::floor("answer", &file).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut our_latencies, mut their_latencies) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let first = load::run(if round % 2 == 0 { urumi.address } else { floor.address }, TURN).await?;
        let second = load::run(if round % 2 == 0 { floor.address } else { urumi.address }, TURN).await?;
        let (our, their) = if round % 2 == 0 { (first, second) } else { (second, first) };
        eprintln!("  urumi {:.0}/s, floor {:.0}/s", our.per_second, their.per_second);
        // The first round warms up both servers.
        if round > 0 {
            ours.push(Duration::from_secs_f64(1.0 / our.per_second));
            theirs.push(Duration::from_secs_f64(1.0 / their.per_second));
            our_latencies.extend(our.latencies);
            their_latencies.extend(their.latencies);
        }
    }
    let (our, their) = (median(&ours), median(&theirs));
    let size = std::fs::metadata(&file).context("the answer")?.len() / 1024;
    Ok(vec![
        Row {
            what: format!("`GET /stores`, {stores} stores ({size} KiB), throughput"),
            urumi: format!("{:.0}/s", 1.0 / our.as_secs_f64()),
            floor: format!("bare hyper, {:.0}/s", 1.0 / their.as_secs_f64()),
            ratio: format!("{:.2}", ratio(their, our)),
            goal: "≥ 0.8".into(),
        },
        Row::compared("the same, p99", quantile(&our_latencies, 0.99), quantile(&their_latencies, 0.99), "≤ 2"),
    ])
}

/// Waits until the list of stores stops changing.
async fn settled(client: &HttpOrchestrator) -> Result<()> {
    let mut before = client.list().await?;
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = client.list().await?;
        if now == before {
            return Ok(());
        }
        before = now;
    }
}
