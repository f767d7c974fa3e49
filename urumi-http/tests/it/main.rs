//! The HTTP API as its users see it, and as those see it who mean no good.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests may fail and print as tests do; clippy knows only the tests themselves"
)]

mod audit;
mod auth;
mod browser_guard;
mod client;
mod config;
mod conformance;
mod contract;
mod dashboard;
mod engine_defaults;
mod greedy;
mod hostile;
mod layers;
mod listener;
mod logs;
mod matrix;
mod policy;
mod process;
mod rate_limit;
mod readiness;
mod real_cluster;
mod real_cluster_leaders;
mod real_cluster_reads;
mod real_cluster_replicas;
mod real_cluster_scale;
mod real_cluster_secrecy;
mod stores;
mod stub_orchestrator;
mod support;
mod test_server;
mod version;
mod watching;
