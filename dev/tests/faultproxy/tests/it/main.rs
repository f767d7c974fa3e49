//! urumi behind a proxy that makes faults, on a real API server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests may fail and print as tests do; clippy knows only the tests themselves"
)]

mod cluster;
mod component;
mod lagging;
mod life;
mod oracle;
mod points;
mod real_cluster_crashes;
mod real_cluster_deletion;
mod real_cluster_faults;
mod real_cluster_outages;
mod real_cluster_proxy;
mod real_cluster_stale;
mod real_cluster_watches;
mod server;
mod statuses;
