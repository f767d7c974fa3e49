//! The memory of processes.

use anyhow::{Context, Result};

/// The most resident memory that a process has had, in bytes.
pub fn peak(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    let kib: u64 = peak.trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}
