//! Tests that run the real `urumi` command.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bad_inputs;
mod contexts;
mod deleting;
mod explain;
mod issuer;
mod login;
mod memory;
mod real_cluster;
mod real_cluster_crashes;
mod real_cluster_permissions;
mod reference;
mod server;
mod servers;
mod signals;
mod smoke;
mod support;
mod tokens;
mod words;
