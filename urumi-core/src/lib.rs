//! Provision isolated online stores on Kubernetes.
//!
//! A *store* is a storefront, a commerce API and a database in a Kubernetes namespace of its own. [`Orchestrator`]
//! creates, shows and removes stores; [`ReadinessMonitor`] keeps their statuses true; an [`engine::Engine`] says what
//! a store is made of ([`engine::medusa`] is built in); a [`cluster::ClusterBackend`] is where it all happens:
//! `cluster::KubeCluster` for real, `cluster::InMemoryCluster` for tests.
//!
//! ```
//! use std::time::Duration;
//! use tokio_util::{sync::CancellationToken, task::TaskTracker};
//! use urumi_core::{CreateStore, Orchestrator, ReadinessMonitor, StoreOrchestrator, StoreOrchestratorExt};
//! use urumi_core::{cluster::InMemoryCluster, store::wait::Ready};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> urumi_core::Result<()> {
//! let urumi = Orchestrator::builder(InMemoryCluster::default()).domain("stores.example.com").build();
//!
//! let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
//! ReadinessMonitor::new(urumi.clone()).spawn(&tasks, stop.clone());
//!
//! let created = urumi.create(CreateStore::new("My Shop", "medusa")).await?;
//! let store = urumi.wait_until(&created.store().id, Ready.or_failed(), Duration::from_secs(60)).await?;
//! assert!(store.is_some_and(|store| store.urls.storefront.is_some()));
//! # stop.cancel();
//! # Ok(())
//! # }
//! ```
//!
//! The cluster is the only database: a store's namespace is its record, and any process, restarted at any moment,
//! finishes what another began. The library never prints, never panics on input, and spawns nothing that its caller
//! does not own. It reads nothing from the environment, except that `cluster::KubeCluster::connect` finds a
//! kubeconfig the way `kubectl` does where it is given none.
//!
//! `k8s-openapi` wants its Kubernetes version to be chosen by the final binary: depend on it with one of its version
//! features, such as `v1_37`.
//!
//! # Features
//! - `kube` (default): `KubeCluster`, a cluster behind a Kubernetes API server.
//! - `memory`: `InMemoryCluster`, a cluster for tests and demonstrations.
//! - `testing`: the module `testing`, conformance suites for implementations of [`cluster::ClusterBackend`] and
//!   [`StoreOrchestrator`].
//! - `http-client`: `HttpOrchestrator`, which talks to a urumi server.
//! - `openapi`: OpenAPI schemas of the data types.
//! - `mock`: `MockClusterBackend`, for unit tests.

mod assessment;
pub mod cluster;
pub mod engine;
pub mod error;
#[cfg(feature = "http-client")]
pub mod http_client;
pub mod kubernetes;
mod lines;
pub mod monitor;
pub mod orchestrator;
pub mod plan;
pub mod record;
pub mod secret;
pub mod settings;
pub mod store;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "http-client")]
pub use http_client::HttpOrchestrator;
pub use monitor::leader::{LeaderElection, Leadership};
pub use monitor::{MonitorHandle, MonitorHealth, ReadinessMonitor};
pub use orchestrator::local::{Orchestrator, OrchestratorBuilder, OwnerLimits};
pub use orchestrator::{Action, Precondition, StoreEvent, StoreOrchestrator, StoreOrchestratorExt, StoreStream};
pub use store::{CreateStore, Creation, Store, StoreId};

/// Tests the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
