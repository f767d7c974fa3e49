//! What the benchmarks share.

pub mod cluster;
pub mod floor;
pub mod server_process;
pub mod stats;
