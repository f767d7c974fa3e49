//! What the benchmarks share.

pub mod chart;
pub mod cluster;
pub mod floor;
pub mod memory;
pub mod server_process;
pub mod stats;
