//! The cluster and orchestrator that all benchmarks use, and their cleanup.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;
use urumi_core::cluster::{ClusterBackend, ConnectOptions, KubeCluster};
use urumi_core::kubernetes::{Kind, Object};
use urumi_core::kubernetes::{Query, WatchEvent};
use urumi_core::store::wait::Deleted;
use urumi_core::{CreateStore, Orchestrator, StoreId, StoreOrchestratorExt};

use crate::floor::plain_client;

/// The pods of a store with default options.
const PODS: usize = 3;

/// The cluster under measurement.
pub struct BenchCluster {
    /// Its kubeconfig.
    pub kubeconfig: PathBuf,
    /// The same, read.
    pub config: kube::Config,
    /// urumi's way to it.
    pub backend: KubeCluster,
    /// An orchestrator on it.
    pub urumi: Orchestrator,
}

impl BenchCluster {
    /// Connects to the cluster of a kubeconfig.
    pub async fn connect(kubeconfig: PathBuf) -> Result<BenchCluster> {
        KubeCluster::install_crypto_provider();
        let file = kube::config::Kubeconfig::read_from(&kubeconfig)?;
        let config = kube::Config::from_custom_kubeconfig(file, &Default::default()).await?;
        let backend = KubeCluster::connect(ConnectOptions::default().kubeconfig(&kubeconfig)).await?;
        let urumi = Orchestrator::builder(backend.clone()).max_in_flight(64).build();
        Ok(BenchCluster { kubeconfig, config, backend, urumi })
    }

    /// The id and objects of a new store.
    pub fn objects(&self) -> Result<(StoreId, Vec<Object>)> {
        let spec = self.urumi.prepare(&request())?;
        Ok((spec.id.clone(), self.urumi.render(&spec)?))
    }

    /// The size of etcd's database in bytes, as the API server reports it.
    pub async fn database_size(&self) -> Result<u64> {
        let client = plain_client(&self.config)?;
        let metrics = client.request_text(http::Request::get("/metrics").body(Vec::new())?).await?;
        let line = metrics.lines().find(|line| line.starts_with("apiserver_storage_size_bytes{"));
        let size: f64 = line.and_then(|line| line.rsplit(' ').next()).context("the database's size")?.parse()?;
        Ok(size as u64)
    }

    /// Waits until a store's pods run, so that the next measurement does not include Kubernetes' work for this store.
    pub async fn settled(&self, id: &StoreId) -> Result<()> {
        let mut pods = self.backend.watch(&Query::all(Kind::of::<Pod>()).in_namespace(id.namespace()));
        let mut ready = HashSet::new();
        let waiting = async {
            while ready.len() < PODS {
                let seen = match pods.next().await.context("a watch never ends")?? {
                    WatchEvent::Snapshot(pods) => pods.into_iter().collect(),
                    WatchEvent::Applied(pod) => vec![pod],
                    _ => Vec::new(),
                };
                let running = seen.iter().filter(|pod| pod.str_at("/status/phase") == Some("Running"));
                ready.extend(running.map(|pod| pod.name().to_owned()));
            }
            Ok(())
        };
        tokio::time::timeout(Duration::from_secs(120), waiting).await.context("waiting for pods")?
    }

    /// Deletes stores, and waits until they are gone.
    pub async fn remove(&self, ids: &[StoreId]) -> Result<()> {
        for some in ids.chunks(25) {
            try_join_all(some.iter().map(|id| self.urumi.delete(id))).await?;
        }
        let gone = ids.iter().map(|id| self.urumi.wait_until(id, Deleted, Duration::from_secs(300)));
        try_join_all(gone).await.context("deleting what was measured")?;
        // Kubernetes removes volumes a moment after their namespaces.
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(())
    }
}

/// A request for a store with default options.
pub fn request() -> CreateStore {
    CreateStore::new("Benchmark", "medusa")
}
