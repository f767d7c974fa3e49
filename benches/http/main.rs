//! Compares urumi-http with minimal servers that send the same bytes, and prints a table. Needs no cluster.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command that prints its results")]

mod abuse;
mod floor;
mod hostile;
mod list;
mod load;
mod watch;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Compares urumi-http with minimal servers that send the same bytes.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    floor: Option<Floor>,
    /// The urumi-http program; the default is the one beside this program.
    #[arg(long)]
    server: Option<PathBuf>,
    /// How often to repeat each comparison.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How many stores to list.
    #[arg(long, default_value_t = 1000)]
    stores: usize,
    /// How many clients watch.
    #[arg(long, default_value_t = 9_000)]
    subscribers: usize,
    /// How many clients are hostile.
    #[arg(long, default_value_t = 2000)]
    hostile: usize,
    /// Run only this benchmark: list, watch, hostile or abuse.
    #[arg(long)]
    only: Option<String>,
}

/// The minimal servers. This program starts them in separate processes.
#[derive(Subcommand)]
enum Floor {
    /// Answers every request with a file's content.
    #[command(hide = true)]
    Answer { file: PathBuf },
    /// Sends a file's content to all connections whenever one of them requests it.
    #[command(hide = true)]
    Broadcast { file: PathBuf },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Arguments::parse();
    match args.floor {
        Some(Floor::Answer { file }) => return floor::answer(&file).await,
        Some(Floor::Broadcast { file }) => return floor::broadcast(&file).await,
        None => {}
    }
    let server = match args.server {
        Some(server) => server,
        None => std::env::current_exe()?.with_file_name("urumi-http"),
    };
    let wanted = |name: &str| args.only.as_ref().is_none_or(|only| only == name);
    let mut rows = Vec::new();
    if wanted("list") {
        rows.extend(list::measure(&server, args.stores, args.rounds).await?);
    }
    if wanted("watch") {
        rows.extend(watch::measure(&server, args.subscribers, args.rounds).await?);
    }
    if wanted("hostile") {
        rows.extend(hostile::measure(&server, args.rounds, args.hostile).await?);
    }
    if wanted("abuse") {
        rows.extend(abuse::measure(&server, args.rounds).await?);
    }
    println!("{}", urumi_benches::stats::table(&rows));
    Ok(())
}
