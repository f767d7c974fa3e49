//! Tests of the crate from outside, on what a unit test cannot have: a real API server.
//!
//! They need `URUMI_TEST_KUBECONFIG` (see `dev/cluster`) and say so when they are skipped. In CI a skip is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do; clippy knows only the tests themselves"
)]

#[cfg(feature = "kube")]
mod kube;
