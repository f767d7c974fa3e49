//! Connects to the configured cluster.

use std::sync::Arc;

use urumi_core::cluster::{ClusterBackend, ConnectError, ConnectOptions, InMemoryCluster, KubeCluster};
use urumi_core::orchestrator::local::LOCAL_DOMAIN;

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
            options.context.clone_from(&target.kube_context);
            KubeCluster::install_crypto_provider();
            Ok(Arc::new(KubeCluster::connect(options).await?))
        }
    }
}

/// What users of the server must know, so that nobody takes it for one that runs real stores.
pub(super) fn notices(target: &Target, domain: &str) -> Vec<String> {
    let mut notices = Vec::new();
    if target.cluster == ClusterChoice::Memory {
        notices.push(
            "This server uses an in-memory cluster: its stores are simulated, and are lost when the server stops."
                .into(),
        );
    }
    if is_local(domain) {
        notices.push(format!(
            "New stores get URLs under {domain}, which lead to each visitor's own computer: others cannot reach them."
        ));
    }
    notices
}

/// Whether the names of this domain lead to the computer that resolves them.
fn is_local(domain: &str) -> bool {
    let is_below =
        |parent: &str| domain == parent || domain.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
    [LOCAL_DOMAIN, "localhost", "127.0.0.1.nip.io", "127.0.0.1.sslip.io"].into_iter().any(is_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_that_leads_to_the_visitors_computer_is_local() {
        for domain in ["localtest.me", "shops.localtest.me", "localhost", "a.localhost", "127.0.0.1.nip.io"] {
            assert!(is_local(domain), "{domain}");
        }
        for domain in ["stores.example.com", "mylocalhost", "localtest.me.example.com", "10.0.0.5.nip.io"] {
            assert!(!is_local(domain), "{domain}");
        }
    }
}
