//! Drift: what others change or delete is repaired within a second, with one write, and nothing else is touched.

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use serde_json::{Value, json};
use tokio::time::Instant;
use urumi_core::cluster::{ClusterBackend as _, InMemoryCluster, Request};
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::kubernetes::{Query, Verb, WatchEvent};
use urumi_core::store::status::StoreStatus;
use urumi_core::{ReadinessMonitor, StoreOrchestrator as _};

use crate::support::{Running, Scene, with_scene};

/// Runs a test on a store that is ready and that nobody has touched for a while.
async fn with_ready_store<F: Future<Output = ()>>(test: impl FnOnce(InMemoryCluster, Scene) -> F) {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(300)).build();
    let handle = cluster.clone();
    with_scene(std::sync::Arc::new(cluster), async |scene| {
        let _monitor = Running::start(ReadinessMonitor::new(scene.urumi.clone()));
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        quiet().await;
        test(handle, scene).await;
    })
    .await;
}

/// Lets time pass that nobody waits for: the clock is paused and jumps.
async fn quiet() {
    tokio::time::sleep(Duration::from_secs(12)).await;
}

/// What urumi rendered for the store and keeps as it is.
async fn managed(scene: &Scene) -> Vec<Object> {
    let spec = scene.urumi.prepare(&scene.request()).unwrap();
    let rendered = scene.urumi.render(&spec).unwrap().into_iter();
    rendered.filter(|o| !["Namespace", "Secret", "Job"].contains(&o.kind().kind.as_ref())).collect()
}

/// The writes to objects (not to the record) that were sent.
fn writes(cluster: &InMemoryCluster) -> Vec<Request> {
    let written = |request: &Request| matches!(request.verb, Verb::Create | Verb::Apply);
    cluster.requests().into_iter().filter(written).collect()
}

/// Waits until the object is as it should be; says how long that took.
async fn repaired(cluster: &InMemoryCluster, reference: &ObjectRef, holds: impl Fn(&Object) -> bool) -> Duration {
    let began = Instant::now();
    let mut query = Query::all(reference.kind.clone()).named(&reference.name);
    query.namespace.clone_from(&reference.namespace);
    let mut events = cluster.watch(&query);
    let waiting = async {
        loop {
            let holds = match events.next().await.unwrap().unwrap() {
                WatchEvent::Snapshot(objects) => objects.first().as_ref().is_some_and(&holds),
                WatchEvent::Applied(object) => holds(&object),
                _ => false,
            };
            if holds {
                return began.elapsed();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap_or(Duration::MAX)
}

/// The JSON pointers of all values in an object that are neither object nor array, but of what identifies it.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    let identity = ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"];
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| {
                leaves(value, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            });
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| leaves(value, &format!("{path}/{index}"), found));
        }
        Value::Null => {}
        _ if identity.contains(&path) => {}
        _ => found.push(path.to_owned()),
    }
}

/// What another manager could set a value to. Only values are changed that an API server lets anybody change.
fn other(value: &Value) -> Value {
    match value {
        Value::String(text) => format!("{text}x").into(),
        Value::Number(number) => (number.as_i64().unwrap() + 1).into(),
        Value::Bool(truth) => (!truth).into(),
        _ => Value::Null,
    }
}

/// Keys of list items and selectors, which tell what is meant, and what an API server refuses to change.
fn is_fixed(kind: &str, path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    let volatile = ["/spec/selector", "/spec/serviceName", "/spec/volumeClaimTemplates", "/spec/podManagementPolicy"];
    (["StatefulSet", "Deployment"].contains(&kind) && volatile.iter().any(|fixed| path.starts_with(fixed)))
        || ["name", "containerPort", "mountPath", "protocol"].contains(&last)
        || (kind == "Service" && last == "port")
        // The selector must go on to fit them.
        || path.starts_with("/spec/template/metadata/labels")
        || path == "/metadata/labels/store.urumi.ai~1id"
}

#[tokio::test(start_paused = true)]
async fn every_owned_field_is_set_back_within_a_second_with_one_write() {
    with_ready_store(async |cluster, scene| {
        let mut changed = 0;
        for desired in managed(&scene).await {
            let reference = desired.reference();
            let mut pointers = Vec::new();
            leaves(desired.as_value(), "", &mut pointers);
            pointers.retain(|pointer| !is_fixed(&reference.kind.kind, pointer));
            for pointer in pointers {
                let wanted = desired.at(&pointer).unwrap().clone();
                cluster.forget_requests();
                let change = |object: &mut Object| {
                    object.as_value_mut()["metadata"]["annotations"]["example.com/foreign"] = json!("kept");
                    if let Some(value) = object.as_value_mut().pointer_mut(&pointer) {
                        *value = other(&wanted);
                    }
                };
                cluster.modify(&reference, change).unwrap();
                let took = repaired(&cluster, &reference, |object| object.at(&pointer) == Some(&wanted)).await;
                assert!(took <= Duration::from_secs(1), "{reference} {pointer}: {took:?}");
                quiet().await;
                assert_eq!(writes(&cluster).len(), 1, "{reference} {pointer}: {:?}", writes(&cluster));
                let after = cluster.get(&reference).await.unwrap().unwrap();
                assert_eq!(after.annotation("example.com/foreign"), Some("kept"), "{reference} {pointer}");
                changed += 1;
            }
        }
        assert!(changed > 200, "only {changed} fields were tried");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn every_object_that_is_deleted_is_made_again_within_a_second_with_one_write() {
    with_ready_store(async |cluster, scene| {
        let secret = ObjectRef::namespaced(Kind::of::<Secret>(), scene.id.namespace(), "postgres-credentials");
        let credentials = cluster.get(&secret).await.unwrap();
        for desired in managed(&scene).await {
            let reference = desired.reference();
            cluster.forget_requests();
            assert!(cluster.remove(&reference));
            let took = repaired(&cluster, &reference, |_| true).await;
            assert!(took <= Duration::from_secs(1), "{reference}: {took:?}");
            quiet().await;
            assert_eq!(writes(&cluster).len(), 1, "{reference}: {:?}", writes(&cluster));
            assert_eq!(scene.urumi.get(&scene.id).await.unwrap().status, StoreStatus::Ready);
        }
        assert_eq!(cluster.get(&secret).await.unwrap(), credentials);
    })
    .await;
}

/// Somebody else's autoscaler, say, that sets a field as often as urumi does.
#[tokio::test(start_paused = true)]
async fn a_field_that_another_manager_sets_again_and_again_is_reported_and_not_fought_over() {
    with_ready_store(async |cluster, scene| {
        let kind = Kind::of::<k8s_openapi::api::apps::v1::Deployment>();
        let web = ObjectRef::namespaced(kind, scene.id.namespace(), "medusa-storefront");
        let namespace = ObjectRef::cluster(Kind::of::<Namespace>(), scene.id.namespace());
        let tug = |cluster: InMemoryCluster, web: ObjectRef| async move {
            let mut events = cluster.watch(&Query::all(web.kind.clone()).named(&web.name));
            while events.next().await.is_some() {
                tokio::time::sleep(Duration::from_millis(100)).await;
                cluster.modify(&web, |object| {
                    let value = object.as_value_mut();
                    value["spec"]["replicas"] = json!(3);
                    value["metadata"]["managedFields"] = json!([
                        {"manager": "kube-controller-manager", "time": "2026-01-01T00:00:00Z"},
                        {"manager": "eager-scaler", "time": "2026-01-02T00:00:00Z"},
                    ]);
                });
            }
        };
        cluster.forget_requests();
        let other = tokio::spawn(tug(cluster.clone(), web.clone()));
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!(writes(&cluster).len(), 5);
        let conditions = cluster.get(&namespace).await.unwrap().unwrap();
        let conditions: Value =
            serde_json::from_str(conditions.annotation("store.urumi.ai/conditions").unwrap()).unwrap();
        let told = conditions.as_array().unwrap().iter().find(|c| c["type"] == "Uncontested").unwrap();
        assert_eq!(
            (told["status"].as_str(), told["reason"].as_str(), told["message"].as_str()),
            (
                Some("False"),
                Some("SetByAnother"),
                Some(
                    "Deployment medusa-storefront: spec.replicas is set again and again by \"eager-scaler\"; it is left \
                     as it is for 5 min"
                )
            )
        );
        assert_eq!(scene.urumi.get(&scene.id).await.unwrap().status, StoreStatus::Ready);
        // Once the other stops, urumi has its way again.
        other.abort();
        tokio::time::sleep(Duration::from_secs(300)).await;
        let after = cluster.get(&web).await.unwrap().unwrap();
        assert_eq!(after.int_at("/spec/replicas"), Some(1));
        assert!(scene.urumi.get(&scene.id).await.unwrap().conditions.iter().all(|c| c.type_ != "Uncontested"));
    })
    .await;
}
