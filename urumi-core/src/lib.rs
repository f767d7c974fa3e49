//! Provision isolated online stores on Kubernetes.

pub mod cluster;
pub mod engine;
pub mod error;
mod manifests;
mod merge_keys;
pub mod names;
pub mod object;
pub mod orchestrator;
pub mod plan;
pub mod provisioner;
pub mod readiness;
pub mod record;
pub mod secret;
pub mod status;
pub mod store;

pub use error::{Error, ErrorKind, Result};
pub use orchestrator::{StoreEvent, StoreOrchestrator, StoreOrchestratorExt, StoreStream};
pub use provisioner::{Orchestrator, OrchestratorBuilder};
pub use readiness::{MonitorHandle, MonitorHealth, ReadinessMonitor};
pub use store::{CreateStore, Store, StoreId};
