//! What every measurement needs: the cluster, the orchestrator, and a way to clean up.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use urumi_core::cluster::{ConnectOptions, KubeCluster};
use urumi_core::object::Object;
use urumi_core::readiness::condition::Deleted;
use urumi_core::{CreateStore, Orchestrator, StoreId, StoreOrchestrator, StoreOrchestratorExt};

/// The cluster under measurement.
pub(crate) struct Setting {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) config: kube::Config,
    pub(crate) cluster: KubeCluster,
    pub(crate) urumi: Orchestrator,
}

impl Setting {
    /// Connects to the cluster of a kubeconfig.
    pub(crate) async fn connect(kubeconfig: PathBuf) -> Result<Setting> {
        let file = kube::config::Kubeconfig::read_from(&kubeconfig)?;
        let config = kube::Config::from_custom_kubeconfig(file, &Default::default()).await?;
        let cluster = KubeCluster::connect(ConnectOptions::default().kubeconfig(&kubeconfig)).await?;
        let urumi = Orchestrator::builder(cluster.clone()).max_in_flight(64).build();
        Ok(Setting { kubeconfig, config, cluster, urumi })
    }

    /// The objects of a new store, with an id of its own.
    pub(crate) fn objects(&self) -> Result<(StoreId, Vec<Object>)> {
        let spec = self.urumi.prepare(&request())?;
        Ok((spec.id.clone(), self.urumi.render(&spec)?))
    }

    /// Deletes stores and waits until nothing is left of them.
    pub(crate) async fn remove(&self, ids: &[StoreId]) -> Result<()> {
        for some in ids.chunks(25) {
            try_join_all(some.iter().map(|id| self.urumi.delete(id))).await?;
        }
        let gone = ids.iter().map(|id| self.urumi.wait_until(id, Deleted, Duration::from_secs(300)));
        try_join_all(gone).await.context("deleting what was measured")?;
        Ok(())
    }
}

/// A request for a store with all defaults.
pub(crate) fn request() -> CreateStore {
    CreateStore::new("Benchmark", "medusa")
}
