//! Other programs that create the objects of a store, and the server for comparison.

mod arrivals;
mod definition;
mod helm;
mod kro;
mod objects;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use urumi_benches::cluster::BenchCluster;
use urumi_benches::server_process::ServerProcess;

use crate::mib;
use arrivals::Arrivals;

/// How many stores kro creates by default.
const WITH_KRO: usize = 1000;
/// How many stores Helm creates by default: each takes a process.
const WITH_HELM: usize = 100;

/// The programs to compare with.
#[derive(clap::Args)]
pub(crate) struct Peers {
    /// The program kro, to compare with. The folder `crds` beside it has kro's CustomResourceDefinitions.
    #[arg(long, env = "URUMI_KRO")]
    kro: Option<PathBuf>,
    /// The program helm, to compare with.
    #[arg(long, env = "URUMI_HELM")]
    helm: Option<PathBuf>,
    /// How many stores each of these creates, and the server after it [default: 1000 with kro, 100 with helm].
    #[arg(long)]
    peers: Option<usize>,
}

/// What it takes to create stores.
struct Figures {
    /// The time from the first request until the last object of the last store exists.
    took: Duration,
    /// The most resident memory of a process, in bytes.
    peak: u64,
}

impl Peers {
    /// Compares the server with each program that is given. A program goes first, and the server second, on a cluster that has more
    /// objects by then. No server runs meanwhile.
    pub(crate) async fn compare(&self, cluster: &BenchCluster, clients: usize) -> Result<Option<String>> {
        let mut rows = Vec::new();
        if let Some(program) = &self.kro {
            let stores = self.peers.unwrap_or(WITH_KRO);
            eprintln!("{stores} stores with kro");
            let theirs = kro::measure(cluster, program, stores, clients).await.context("kro")?;
            let ours = server(cluster, stores, clients).await?;
            rows.push(row("kro", stores, &theirs, &ours));
        }
        if let Some(program) = &self.helm {
            let stores = self.peers.unwrap_or(WITH_HELM);
            eprintln!("{stores} stores with Helm");
            let theirs = helm::measure(cluster, program, stores, clients).await.context("Helm")?;
            let ours = server(cluster, stores, clients).await?;
            rows.push(row("`helm install`, a process for each store", stores, &theirs, &ours));
        }
        Ok((!rows.is_empty()).then(|| table(&rows)))
    }
}

/// The same of a server that has just been started.
async fn server(cluster: &BenchCluster, stores: usize, clients: usize) -> Result<Figures> {
    eprintln!("{stores} stores with the server");
    let server = ServerProcess::on_cluster(&cluster.kubeconfig).await?;
    let client = server.client()?;
    let mut arrivals = Arrivals::watch(cluster).await?;
    let wanted = stores * cluster.objects()?.1.len();
    let began = Instant::now();
    let (_, last) = tokio::try_join!(crate::create(&client, stores, clients), arrivals.wait(wanted))?;
    arrivals.quiet().await?;
    Ok(Figures { took: last - began, peak: server.peak()? })
}

fn row(peer: &str, stores: usize, theirs: &Figures, ours: &Figures) -> String {
    let rate = |figures: &Figures| stores as f64 / figures.took.as_secs_f64().max(f64::MIN_POSITIVE);
    format!(
        "| {peer} | {stores} | {:.1?} | {:.1?} | {:.1} | {:.1} | {:.2} | {:.1} | {:.1} | {:.2} |\n",
        theirs.took,
        ours.took,
        rate(theirs),
        rate(ours),
        rate(ours) / rate(theirs).max(f64::MIN_POSITIVE),
        mib(theirs.peak),
        mib(ours.peak),
        ours.peak as f64 / theirs.peak.max(1) as f64,
    )
}

fn table(rows: &[String]) -> String {
    format!(
        "| peer | stores | its time until all objects exist | urumi's | its stores/s | urumi's | urumi ÷ peer | peak of its RSS, MiB | \
         urumi's | urumi ÷ peer |\n|---|---|---|---|---|---|---|---|---|---|\n{}",
        rows.concat()
    )
}
