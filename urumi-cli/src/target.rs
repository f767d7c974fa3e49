//! Which cluster a run works on.

use urumi_core::Orchestrator;
use urumi_core::cluster::{ClusterBackend, ConnectOptions, InMemoryCluster, KubeCluster};

use crate::cli::{ClusterChoice, Global};
use crate::exit::Failure;
use crate::output::Out;

/// What new stores say of who created them.
const CREATED_BY: &str = concat!("urumi-cli/", env!("CARGO_PKG_VERSION"));

/// An orchestrator over the cluster that was chosen.
pub(crate) async fn connect(global: &Global, out: &Out) -> Result<Orchestrator, Failure> {
    match global.cluster {
        ClusterChoice::Kube => {
            let mut options = ConnectOptions::default();
            options.kubeconfig.clone_from(&global.kubeconfig);
            options.context.clone_from(&global.context);
            Ok(over(KubeCluster::connect(options).await?, global))
        }
        ClusterChoice::Memory => {
            out.note(
                "note: this in-memory cluster begins empty and vanishes with all its stores when the command ends",
            );
            Ok(over(InMemoryCluster::builder().readiness_delay(global.memory_delay).build(), global))
        }
    }
}

/// An orchestrator for what needs no cluster: checking requests, rendering manifests, describing engines.
pub(crate) fn offline(global: &Global) -> Orchestrator {
    over(InMemoryCluster::builder().build(), global)
}

/// An orchestrator over a cluster.
pub(crate) fn over(cluster: impl ClusterBackend, global: &Global) -> Orchestrator {
    Orchestrator::builder(cluster).domain(&global.domain).created_by(CREATED_BY).build()
}
