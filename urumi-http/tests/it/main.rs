//! The HTTP API as its users see it, and as those see it who mean no good.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do; clippy knows only the tests themselves"
)]

mod auth;
mod config;
mod hostile;
mod layers;
mod listener;
mod process;
mod rate_limit;
mod real_cluster_replicas;
mod real_cluster_secrecy;
mod support;
