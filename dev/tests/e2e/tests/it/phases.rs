//! How long each phase of a store's making takes, as the cluster reports it.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use serde_json::Value;
use urumi_core::cluster::{ClusterBackend as _, KubeCluster};
use urumi_core::kubernetes::{Kind, Object};
use urumi_core::kubernetes::{Query, WatchEvent};

/// What is waited for, in the order of a table.
const PHASES: [&str; 6] = ["volume", "database", "preparation", "API", "storefront", "proof of life"];

/// Watches a namespace until everything in it is there, and says when each phase was over.
pub(crate) async fn watch(cluster: &KubeCluster, namespace: &str) -> Vec<(&'static str, Duration)> {
    let began = Instant::now();
    let kinds = [Kind::of::<PersistentVolumeClaim>(), Kind::of::<Pod>(), Kind::of::<Job>()];
    let streams = kinds.map(|kind| cluster.watch(&Query::all(kind).in_namespace(namespace)));
    let mut events = futures::stream::select_all(streams);
    let mut over: Vec<(&'static str, Duration)> = Vec::new();
    while over.len() < PHASES.len() {
        let objects = match events.next().await {
            Some(Ok(WatchEvent::Snapshot(objects))) => objects.into_iter().collect::<Vec<_>>(),
            Some(Ok(WatchEvent::Applied(object))) => vec![object],
            _ => continue,
        };
        for phase in objects.iter().flat_map(phases_over) {
            if over.iter().all(|(name, _)| *name != phase) {
                over.push((phase, began.elapsed()));
            }
        }
    }
    over
}

/// Which phases an object says to be over.
fn phases_over(object: &Object) -> Vec<&'static str> {
    let is = |name: &str| object.label("app.kubernetes.io/name") == Some(name);
    let ready = object.list_at("/status/conditions").iter().any(|c| c["type"] == "Ready" && c["status"] == "True");
    let mut over = Vec::new();
    match object.kind().kind.as_ref() {
        "PersistentVolumeClaim" if object.str_at("/status/phase") == Some("Bound") => over.push("volume"),
        "Job" if object.int_at("/status/succeeded") == Some(1) => over.push("proof of life"),
        "Pod" if is("postgres") && ready => over.push("database"),
        "Pod" if is("medusa-storefront") && ready => over.push("storefront"),
        "Pod" if is("medusa-api") => {
            let init = object.list_at("/status/initContainerStatuses");
            if init.iter().any(|s| s.pointer("/state/terminated/exitCode").and_then(Value::as_i64) == Some(0)) {
                over.push("preparation");
            }
            if ready {
                over.push("API");
            }
        }
        _ => {}
    }
    over
}
