//! Compares urumi with a floor on a real API server, and prints a table. `make bench` sets everything up.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command that prints its results")]

mod change;
mod process;
mod provision;
mod quiet;
mod readiness;

use std::path::PathBuf;

use clap::Parser;
use urumi_benches::cluster::BenchCluster;

/// Compares urumi with a floor, the least work that gives the same result, on a real API server.
#[derive(Parser)]
struct Arguments {
    /// The kubeconfig of the cluster. The benchmarks delete everything that they create.
    #[arg(long, env = "URUMI_TEST_KUBECONFIG")]
    kubeconfig: PathBuf,
    /// The API server's audit log, to count requests.
    #[arg(long, env = "URUMI_TEST_AUDIT_LOG")]
    audit_log: Option<PathBuf>,
    /// The helm program, for comparison.
    #[arg(long, env = "URUMI_HELM")]
    helm: Option<PathBuf>,
    /// Run only benchmarks whose names contain one of these: provision-one, provision-fifty, process, readiness, quiet,
    /// change.
    only: Vec<String>,
    /// How often to repeat each comparison.
    #[arg(long, default_value_t = 40)]
    rounds: usize,
    /// How many unchanging stores to watch.
    #[arg(long, default_value_t = 200)]
    stores: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Arguments::parse();
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|o| name.contains(o.as_str()));
    let cluster = BenchCluster::connect(args.kubeconfig).await?;
    let mut rows = Vec::new();
    if wanted("provision-one") {
        eprintln!("measuring: one store at a time");
        rows.push(provision::single(&cluster, args.rounds).await?);
    }
    if wanted("provision-fifty") {
        eprintln!("measuring: 50 stores at once");
        rows.push(provision::fifty(&cluster, (args.rounds / 4).max(4)).await?);
    }
    if wanted("process") {
        eprintln!("measuring: whole processes");
        rows.extend(process::create(&cluster, args.helm, (args.rounds / 4).max(3)).await?);
    }
    if wanted("readiness") {
        eprintln!("measuring: readiness");
        rows.extend(readiness::measure(&cluster, args.rounds).await?);
    }
    if wanted("quiet") {
        eprintln!("measuring: requests for {} unchanging stores", args.stores);
        rows.extend(quiet::measure(&cluster, args.audit_log.as_deref(), args.stores).await?);
    }
    if wanted("change") {
        eprintln!("measuring: changes of stores");
        rows.extend(change::measure(&cluster, args.rounds).await?);
    }
    println!("{}", urumi_benches::stats::table(&rows));
    Ok(())
}
