//! The HTTP API of urumi.

pub mod layers;
pub mod listener;
pub mod problem;
