//! Stores and backends as a user of the library sees them: on the in-memory cluster and on a real API server.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests may panic and need no docs")]

mod lifecycle;
mod memory_cluster;
mod monitor;
mod real_cluster;
mod support;
