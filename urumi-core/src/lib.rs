//! Provision isolated online stores on Kubernetes.

pub mod cluster;
pub mod engine;
pub mod error;
pub mod names;
pub mod object;
pub mod orchestrator;
pub mod readiness;
pub mod secret;
pub mod status;
pub mod store;

pub use error::{Error, ErrorKind, Result};
