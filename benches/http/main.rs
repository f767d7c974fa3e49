//! Measures urumi-http against bare servers that send the same bytes, and prints a table. Needs no cluster.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command that prints its results")]

mod child;
mod floor;
mod hostile;
mod list;
mod load;
#[path = "../src/stats.rs"]
mod stats;
mod watch;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures urumi-http against bare servers that send the same bytes.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    floor: Option<Floor>,
    /// The server to measure; the one beside this program by default.
    #[arg(long)]
    server: Option<PathBuf>,
    /// How often each comparison is repeated; the two take turns.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How many stores are listed.
    #[arg(long, default_value_t = 1000)]
    stores: usize,
    /// How many watch.
    #[arg(long, default_value_t = 9_000)]
    subscribers: usize,
    /// How many do not behave.
    #[arg(long, default_value_t = 2000)]
    hostile: usize,
    /// Measure only this: list, watch or hostile.
    #[arg(long)]
    only: Option<String>,
}

/// The bare servers, which this program starts as processes of their own.
#[derive(Subcommand)]
enum Floor {
    /// Answers every request with the content of a file.
    #[command(hide = true)]
    Answer { file: PathBuf },
    /// Sends the content of a file to all connections whenever one of them asks for it.
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
    println!("{}", stats::table(&rows));
    Ok(())
}
