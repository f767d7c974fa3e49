//! Provision isolated online stores on Kubernetes.
//!
//! ```toml
//! [dependencies]
//! urumi-core = "0.1"
//! # The program that uses the library chooses the version of the Kubernetes types. Without a feature `v1_…`, k8s-openapi does
//! # not compile.
//! k8s-openapi = { version = "0.29", features = ["v1_33"] }
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `kube` | yes | `cluster::KubeCluster`, which talks to a Kubernetes API server |
//! | `memory` | no | `cluster::InMemoryCluster`, a cluster for tests and demonstrations |
//! | `testing` | no | `testing`, conformance suites for [`cluster::ClusterBackend`] and [`StoreOrchestrator`]; implies `memory` |
//! | `http-client` | no | `HttpOrchestrator`, which talks to a urumi server |
//! | `openapi` | no | OpenAPI schemas of the data types |
//! | `mock` | no | `cluster::MockClusterBackend`, for unit tests |
//!
//! The minimum supported Rust version is 1.89.
//!
//! # Usage
//!
//! A *store* is a storefront, a commerce API and a database in a Kubernetes namespace of its own. [`Orchestrator`]
//! creates, shows and removes stores. [`ReadinessMonitor`] keeps their statuses up to date. An [`engine::Engine`] renders
//! the objects of a store; [`engine::medusa`] is built in. A [`cluster::ClusterBackend`] is the cluster:
//! `cluster::KubeCluster`, or `cluster::InMemoryCluster` for tests.
//!
//! ```
//! use std::time::Duration;
//! use urumi_core::cluster::InMemoryCluster;
//! use urumi_core::store::wait::Ready;
//! use urumi_core::tokio_util::{sync::CancellationToken, task::TaskTracker};
//! use urumi_core::{CreateStore, Orchestrator, ReadinessMonitor, StoreOrchestrator, StoreOrchestratorExt};
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
//! Crates whose types appear in this one's interface are re-exported, in the versions that fit: [`jiff`], [`k8s_openapi`],
//! [`serde_json`] and others. The
//! [examples](https://github.com/urumi/urumi/tree/main/examples) are `quickstart`, `readiness_monitor`, `custom_engine`,
//! `custom_backend`, `dyn_orchestrator`, `embed_http` and `custom_authenticator`.

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

pub use async_trait;
pub use bytes;
pub use futures;
pub use jiff;
pub use k8s_openapi;
#[cfg(feature = "kube")]
pub use kube;
pub use schemars;
pub use serde;
pub use serde_json;
pub use tokio_util;
#[cfg(feature = "openapi")]
pub use utoipa;

/// Tests the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
