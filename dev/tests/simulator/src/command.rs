//! The command line: many seeds at once, or one with all that happens in it.

use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::{Build, Report, Scenario, judge};

/// Runs several replicas of urumi on a cluster in memory, under every fault that a seed can think of.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// The seeds to run, e.g. 0..1000
    #[arg(long, default_value = "0..1000", value_parser = parse_range)]
    seeds: Range<u64>,
    /// Only this seed
    #[arg(long)]
    seed: Option<u64>,
    /// Shows what a seed stands for and everything that happens in it
    #[arg(long)]
    verbose: bool,
}

fn parse_range(text: &str) -> Result<Range<u64>> {
    let (from, to) = text.split_once("..").context("a range looks like 0..1000")?;
    let range = from.parse()?..to.parse()?;
    if range.is_empty() {
        bail!("there is no seed in {text}");
    }
    Ok(range)
}

/// What came of many seeds.
#[derive(Default)]
struct Sum {
    writes: u64,
    late: u64,
    slowest: Duration,
    violated: Vec<u64>,
}

/// Runs the command.
///
/// # Errors
/// When the arguments are wrong.
#[expect(clippy::print_stdout, reason = "this is the command's output")]
pub fn run() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let seeds = arguments.seed.map_or(arguments.seeds, |seed| seed..seed + 1);
    let began = Instant::now();
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let scenario = Scenario::of(seed);
                    let report = judge(&scenario, &Build::default());
                    let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    note(&mut sum, &scenario, &report, arguments.verbose);
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!(
        "{} seeds, {} writes, {} of them late, {} violated, settled at most {:.1} s after healing, {:.1} s",
        seeds.end - seeds.start,
        sum.writes,
        sum.late,
        sum.violated.len(),
        sum.slowest.as_secs_f64(),
        began.elapsed().as_secs_f64(),
    );
    Ok(if sum.violated.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "this is the command's output")]
fn note(sum: &mut Sum, scenario: &Scenario, report: &Report, verbose: bool) {
    sum.writes += report.writes;
    sum.late += report.late;
    sum.slowest = sum.slowest.max(report.settled_after);
    if verbose {
        println!("{scenario:#?}");
        report.trace.iter().for_each(|line| println!("{line}"));
    }
    for violation in &report.violations {
        println!("seed {}: {violation}", scenario.seed);
    }
    if !report.violations.is_empty() {
        sum.violated.push(scenario.seed);
    }
}
