//! Seeds that must hold, broken builds that must not, and every pair of writes at which a process may die.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "helpers of tests may fail as tests do; clippy knows only the tests themselves"
)]

mod crash_points;
mod mutant;
mod mutants;
mod seeds;
