mod caches;
mod logs;
mod requests;
mod troubles;
mod watches;
mod workloads;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::kinds::{CLAIM, CONFIG_MAP, DEPLOYMENT, EVENT, NAMESPACE, POD, SECRET, STATEFUL_SET};
use super::{Fault, FaultTarget, InMemoryCluster};
use crate::cluster::ClusterBackend;
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::kubernetes::{Preconditions, Query};

/// How long pods take in these tests.
const DELAY: Duration = Duration::from_secs(10);

/// A cluster where pods take [`DELAY`], with a namespace `shop`.
async fn cluster() -> InMemoryCluster {
    let cluster = InMemoryCluster::builder().readiness_delay(DELAY).termination_delay(DELAY).build();
    namespace(&cluster, "shop").await;
    cluster
}

async fn namespace(cluster: &InMemoryCluster, name: &str) -> Object {
    create(cluster, NAMESPACE, json!({"metadata": {"name": name}})).await
}

async fn create(cluster: &InMemoryCluster, kind: Kind, value: Value) -> Object {
    cluster.create(&object(kind, value)).await.unwrap()
}

fn object(kind: Kind, value: Value) -> Object {
    Object::from_value(kind, value).unwrap()
}

fn config_map(name: &str, data: Value) -> Object {
    object(CONFIG_MAP, json!({"metadata": {"name": name, "namespace": "shop"}, "data": data}))
}

fn workload(kind: Kind, name: &str, replicas: i64, container: Value) -> Object {
    let mut container = container;
    container["name"] = json!("main");
    container["image"] = json!("shop/app:1");
    let mut spec = json!({
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
    });
    if kind == STATEFUL_SET {
        spec["serviceName"] = json!(name);
        spec["volumeClaimTemplates"] = json!([{
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
        }]);
    }
    object(kind, json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}))
}

fn deployment(name: &str) -> Object {
    workload(DEPLOYMENT, name, 1, json!({}))
}

fn stateful_set(name: &str) -> Object {
    workload(STATEFUL_SET, name, 1, json!({}))
}

async fn get(cluster: &InMemoryCluster, kind: Kind, name: &str) -> Object {
    cluster.get(&ObjectRef::namespaced(kind, "shop", name)).await.unwrap().unwrap()
}

async fn all(cluster: &InMemoryCluster, kind: Kind) -> Vec<Object> {
    cluster.list(&Query::all(kind).in_namespace("shop")).await.unwrap()
}

async fn only_pod(cluster: &InMemoryCluster) -> Object {
    let mut pods = all(cluster, POD).await;
    assert_eq!(pods.len(), 1, "{pods:?}");
    pods.remove(0)
}

/// The reasons of the Events in `shop`, with what they are about.
async fn events(cluster: &InMemoryCluster) -> Vec<String> {
    let line = |event: Object| {
        let text = |pointer: &str| event.str_at(pointer).unwrap_or_default().to_owned();
        format!("{} {} {}: {}", text("/type"), text("/involvedObject/kind"), text("/reason"), text("/message"))
    };
    all(cluster, EVENT).await.into_iter().map(line).collect()
}

fn condition<'a>(object: &'a Object, kind: &str) -> &'a Value {
    let conditions = object.list_at("/status/conditions");
    conditions.iter().find(|c| c["type"] == kind).unwrap_or(&Value::Null)
}

async fn delete(cluster: &InMemoryCluster, namespace: &Object) {
    let now = cluster.get(&namespace.reference()).await.unwrap().unwrap();
    cluster.delete(&now.reference(), &Preconditions::of(&now)).await.unwrap();
}
