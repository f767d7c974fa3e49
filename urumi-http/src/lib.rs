//! The HTTP API of urumi.

pub mod problem;
