//! Connects to the configured cluster.

use std::sync::Arc;

use urumi_core::cluster::{ClusterBackend, ConnectError, ConnectOptions, InMemoryCluster, KubeCluster};

use super::config::{ClusterChoice, Target};

/// The maximum number of concurrent requests to the API server.
const IN_FLIGHT: usize = 64;

pub(super) async fn connect(target: &Target) -> Result<Arc<dyn ClusterBackend>, ConnectError> {
    match target.cluster {
        ClusterChoice::Memory => {
            Ok(Arc::new(InMemoryCluster::builder().readiness_delay(target.memory_ready_after).build()))
        }
        ClusterChoice::Kube => {
            let mut options = ConnectOptions::default()
                .user_agent(concat!("urumi-http/", env!("CARGO_PKG_VERSION")))
                .max_in_flight(IN_FLIGHT);
            options.kubeconfig.clone_from(&target.kubeconfig);
            options.context.clone_from(&target.context);
            KubeCluster::install_crypto_provider();
            Ok(Arc::new(KubeCluster::connect(options).await?))
        }
    }
}
