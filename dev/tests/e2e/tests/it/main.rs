//! Stores with real pods, on the one node of a cluster that `dev/clusters/kubernetes/with --node` brings up.
//!
//! `make e2e` runs them. They use the real programs as a user would, and clean up after themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures, and what explains a failure, are for whoever runs them"
)]

mod browser;
mod customer;
mod dashboard;
mod kubectl;
mod node;
mod outside;
mod phases;
mod platform;
mod policies;
mod programs;
mod real_pods_faults;
mod real_pods_isolation;
mod real_pods_life;
mod real_pods_managed;
mod real_pods_many;
mod real_pods_orders;
mod real_pods_smoke;
mod real_pods_upgrade;
mod real_pods_year;
mod shop;
mod simulated_policies;
mod usage;
