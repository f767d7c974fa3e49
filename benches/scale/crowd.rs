//! Many pods in the namespace of one store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;
use urumi_benches::cluster::BenchCluster;
use urumi_core::StoreId;
use urumi_core::cluster::ClusterBackend;
use urumi_core::kubernetes::{Kind, Object, Preconditions};

/// How many requests are under way at once.
const AT_ONCE: usize = 16;

/// Pods that belong to a store and that no scheduler looks after.
pub(crate) struct Crowd<'a> {
    cluster: &'a BenchCluster,
    id: &'a StoreId,
    left: AtomicBool,
}

impl<'a> Crowd<'a> {
    pub(crate) async fn gather(cluster: &'a BenchCluster, id: &'a StoreId, pods: usize) -> Result<Crowd<'a>> {
        let crowd = Crowd { cluster, id, left: AtomicBool::new(false) };
        let creations = (0..pods).map(|n| {
            let crowd = &crowd;
            async move { crowd.create(&format!("crowd-{n}")).await.map(drop) }
        });
        stream::iter(creations).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(crowd)
    }

    /// Creates and deletes pods until [`leave`](Self::leave).
    pub(crate) async fn stir(&self) -> Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let mut number = 0;
        while !self.left.load(Ordering::Relaxed) {
            ticks.tick().await;
            let pod = self.create(&format!("stir-{number}")).await?;
            let uid = pod.uid().context("a uid")?;
            self.cluster.backend.delete(&pod.reference(), &Preconditions::uid(uid)).await?;
            number += 1;
        }
        Ok(())
    }

    pub(crate) fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    async fn create(&self, name: &str) -> Result<Object> {
        let pod = Object::from_value(
            Kind::of::<Pod>(),
            json!({
                "metadata": {"name": name, "namespace": self.id.namespace(), "labels": {urumi_core::record::ID: self.id.as_str()}},
                "spec": {
                    "schedulerName": "nobody",
                    "containers": [{
                        "name": "c", "image": "none",
                        "securityContext": {
                            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                    }],
                },
            }),
        )?;
        Ok(self.cluster.backend.create(&pod).await?)
    }
}
