//! The HTTP API as its users see it.
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
mod conformance;
mod contract;
mod matrix;
mod readiness;
mod real_cluster;
mod scene;
mod shelf;
mod stores;
mod watching;
