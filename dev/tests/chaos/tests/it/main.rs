//! `urumi-http` behind a proxy that injects faults (`dev/tests/faultproxy`), on a real API server.
//!
//! `make test` runs a sample, `make chaos` runs everything. To run one group:
//! `dev/clusters/kubernetes/with -- dev/tests/integration real_cluster_watches`. These variables set the number of runs:
//!
//! | Variable | Meaning | Default |
//! |---|---|---|
//! | `URUMI_CHAOS_SEEDS` | how often to run all crash points and all faults, combined differently each time | a sample of the first seed |
//! | `URUMI_CHAOS_WATCH_PLANS` | plans of watch faults | 10 |
//! | `URUMI_CHAOS_STALE_PLANS` | plans of moves to an API server that lags for up to 20 s | 4, of up to 6 s |
//! | `URUMI_CHAOS_OUTAGES` | outages of 0.1 to 120 s | 2, of at most 4 s |
//! | `URUMI_CHAOS_PARALLEL` | stores that live side by side | 8 |
//!
//! Seeds count from 0, and a seed always gives the same plans; with an API server that lags, those of as many seeds as stores
//! live side by side. A range such as `87..100` selects some plans or outages. A test that fails prints the plan, the log of
//! all requests and the server's own log.
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
