//! The readiness monitor: a reusable task that keeps each store's status true.

pub mod condition;
