//! The builder of an in-memory cluster.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::cluster::InMemoryCluster;
use super::config::Config;
use super::kinds::{INGRESS_CLASS, NAMESPACE, STORAGE_CLASS};
use super::server;
use super::state::State;
use super::tokens::Tokens;
use crate::kubernetes::{Access, Kind, Object};
use crate::secret::SecretString;

/// Sets up an [`InMemoryCluster`].
#[derive(Clone, Debug)]
pub struct InMemoryClusterBuilder {
    config: Config,
    latency: Duration,
    denied: Vec<Access>,
    tokens: Tokens,
    storage_class: bool,
    ingress_class: bool,
}

impl Default for InMemoryClusterBuilder {
    fn default() -> Self {
        InMemoryClusterBuilder {
            config: Config {
                readiness_delay: Duration::ZERO,
                readiness_delays: HashMap::new(),
                termination_delay: Duration::ZERO,
                collection_delay: Duration::ZERO,
                watch_history: 4096,
                began: None,
                version: "v1.37.0 (in memory)".into(),
            },
            latency: Duration::ZERO,
            denied: Vec::new(),
            tokens: Tokens::default(),
            storage_class: true,
            ingress_class: true,
        }
    }
}

impl InMemoryClusterBuilder {
    /// The time from the creation of a pod until it is ready; zero by default.
    #[must_use]
    pub fn readiness_delay(mut self, delay: Duration) -> Self {
        self.config.readiness_delay = delay;
        self
    }

    /// The readiness delay of workloads of one name, in any namespace.
    #[must_use]
    pub fn readiness_delay_of(mut self, workload: impl Into<String>, delay: Duration) -> Self {
        self.config.readiness_delays.insert(workload.into(), delay);
        self
    }

    /// How long a namespace takes to terminate; zero by default. Its contents are deleted half-way through. With
    /// [`Duration::MAX`] it never ends.
    #[must_use]
    pub fn termination_delay(mut self, delay: Duration) -> Self {
        self.config.termination_delay = delay;
        self
    }

    /// The time until an object is deleted whose owner does not exist when it is created; zero by default.
    #[must_use]
    pub fn collection_delay(mut self, delay: Duration) -> Self {
        self.config.collection_delay = delay;
        self
    }

    /// How long every request takes: half of it passes before it takes effect, half after.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// The time of day at which the cluster begins; the system's by default. From there on it follows tokio's clock.
    #[must_use]
    pub fn begins_at(mut self, time: Timestamp) -> Self {
        self.config.began = Some(time);
        self
    }

    /// How many changes of each kind are kept for watches. A watch that falls further behind lists again.
    #[must_use]
    pub fn watch_history(mut self, changes: usize) -> Self {
        self.config.watch_history = changes.max(1);
        self
    }

    /// Denies an access, as a missing RBAC rule would. Without a namespace it is denied everywhere.
    #[must_use]
    pub fn deny(mut self, access: Access) -> Self {
        self.denied.push(access);
        self
    }

    /// Adds a token, as [`InMemoryCluster::add_token`] does.
    #[must_use]
    pub fn token<G: Into<String>>(
        mut self,
        token: SecretString,
        username: impl Into<String>,
        groups: impl IntoIterator<Item = G>,
    ) -> Self {
        self.tokens.add(token, username.into(), groups.into_iter().map(Into::into).collect());
        self
    }

    /// Leaves out the default StorageClass `standard`; claims without a class then stay unbound.
    #[must_use]
    pub fn without_storage_class(mut self) -> Self {
        self.storage_class = false;
        self
    }

    /// Leaves out the default IngressClass `memory`.
    #[must_use]
    pub fn without_ingress_class(mut self) -> Self {
        self.ingress_class = false;
        self
    }

    /// The version that the cluster reports.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.config.version = version.into();
        self
    }

    /// Builds the cluster.
    pub fn build(self) -> InMemoryCluster {
        let mut state = State::new(self.config);
        let mut add = |kind: Kind, value| {
            if let Ok(object) = Object::from_value(kind, value) {
                // Cannot fail: the objects are well-formed and the cluster is empty.
                let _ = server::create(&mut state, &object);
            }
        };
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            add(NAMESPACE, json!({"metadata": {"name": name}}));
        }
        if self.storage_class {
            let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
            add(
                STORAGE_CLASS,
                json!({
                    "metadata": {"name": "standard", "annotations": annotations},
                    "provisioner": "memory.urumi.ai/volumes",
                    "reclaimPolicy": "Delete",
                    "volumeBindingMode": "Immediate",
                }),
            );
        }
        if self.ingress_class {
            let annotations = json!({"ingressclass.kubernetes.io/is-default-class": "true"});
            add(
                INGRESS_CLASS,
                json!({
                    "metadata": {"name": "memory", "annotations": annotations},
                    "spec": {"controller": "memory.urumi.ai/ingress"},
                }),
            );
        }
        state.gate.latency = self.latency;
        state.gate.denied = self.denied;
        state.tokens = self.tokens;
        InMemoryCluster::from_state(state)
    }
}

impl Default for InMemoryCluster {
    /// A cluster where everything happens at once and nothing fails.
    fn default() -> Self {
        InMemoryCluster::builder().build()
    }
}

impl InMemoryCluster {
    /// Sets up a cluster.
    pub fn builder() -> InMemoryClusterBuilder {
        InMemoryClusterBuilder::default()
    }
}
