//! The few cluster verbs urumi needs, behind one object-safe trait.
//!
//! [`ClusterBackend`] is implemented by `KubeCluster` (a real API server, feature `kube`), by `InMemoryCluster` (tests and
//! demonstrations, feature `memory`) and by `MockClusterBackend` (feature `mock`). Every backend and decorator must pass
//! the suite `testing::cluster` (feature `testing`), which checks the trait's contract.

mod backend;
#[cfg(feature = "kube")]
mod kube;
#[cfg(feature = "memory")]
mod memory;

#[cfg(feature = "mock")]
pub use self::backend::MockClusterBackend;
pub use self::backend::{ClusterBackend, LogStream, WatchStream};
#[cfg(feature = "kube")]
pub use self::kube::{ConnectError, ConnectOptions, KubeCluster};
#[cfg(feature = "memory")]
pub use self::memory::{Fault, FaultTarget, InMemoryCluster, InMemoryClusterBuilder, Outage, OutageId, Request};
