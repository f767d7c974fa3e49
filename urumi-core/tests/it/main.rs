//! Stores and backends as a user of the library sees them: on the in-memory cluster and on a real API server.
//!
//! What needs a real API server is in modules named `real_cluster…`; it takes the cluster of `URUMI_TEST_KUBECONFIG`
//! (see `dev/clusters/kubernetes`), says so when it is skipped, and does not allow to be skipped in CI.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "helpers of tests may fail and print as tests do; clippy knows only the tests themselves"
)]

mod changing;
mod clocks;
mod conflicts;
#[cfg(feature = "http-client")]
mod crypto_provider;
mod documentation;
mod drift;
mod keys;
mod layers;
mod lifecycle;
mod limits;
mod logs;
mod managed;
mod memory_cluster;
mod monitor;
mod once;
mod options;
mod real_cluster;
mod real_cluster_admission;
mod real_cluster_backend;
mod real_cluster_conformance;
mod real_postgres;
mod support;
mod takeover;
mod waiting;
