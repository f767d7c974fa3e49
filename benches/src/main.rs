//! Measures urumi against its floors on a real API server, and prints a table. `make bench` sets everything up.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command that prints its results")]

mod floor;
mod process;
mod provision;
mod quiet;
mod readiness;
mod setting;
mod stats;

use std::path::PathBuf;

use clap::Parser;

/// Measures urumi against its floors on a real API server.
#[derive(Parser)]
struct Arguments {
    /// The cluster to measure on. Everything that is created there is deleted again.
    #[arg(long, env = "URUMI_TEST_KUBECONFIG")]
    kubeconfig: PathBuf,
    /// The API server's audit log, for counting requests.
    #[arg(long, env = "URUMI_TEST_AUDIT_LOG")]
    audit_log: Option<PathBuf>,
    /// Helm, to compare with.
    #[arg(long, env = "URUMI_HELM")]
    helm: Option<PathBuf>,
    /// Measure only what has one of these in its name: provision-one, provision-fifty, process, readiness, quiet.
    only: Vec<String>,
    /// How often each comparison is repeated.
    #[arg(long, default_value_t = 40)]
    rounds: usize,
    /// How many steady stores are watched.
    #[arg(long, default_value_t = 200)]
    stores: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Arguments::parse();
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|o| name.contains(o.as_str()));
    let setting = setting::Setting::connect(args.kubeconfig).await?;
    let mut rows = Vec::new();
    if wanted("provision-one") {
        eprintln!("measuring: one store at a time");
        rows.push(provision::single(&setting, args.rounds).await?);
    }
    if wanted("provision-fifty") {
        eprintln!("measuring: 50 stores at once");
        rows.push(provision::fifty(&setting, (args.rounds / 4).max(4)).await?);
    }
    if wanted("process") {
        eprintln!("measuring: whole processes");
        rows.extend(process::create(&setting, args.helm, (args.rounds / 4).max(3)).await?);
    }
    if wanted("readiness") {
        eprintln!("measuring: readiness");
        rows.extend(readiness::measure(&setting, args.rounds).await?);
    }
    if wanted("quiet") {
        eprintln!("measuring: requests for {} steady stores", args.stores);
        rows.extend(quiet::measure(&setting, args.audit_log.as_deref(), args.stores).await?);
    }
    println!("{}", stats::table(&rows));
    Ok(())
}
