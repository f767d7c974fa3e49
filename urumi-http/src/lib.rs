//! The HTTP API of urumi.

pub mod auth;
pub mod problem;
