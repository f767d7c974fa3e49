//! Stores that an earlier version of urumi has made: they go on as they are until somebody asks for more.
//!
//! `fixtures/first_renderer.json` has the objects of six stores of the last version that could not change a store, as it created
//! them: the names of stores, and what follows from them, are placeholders.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, LimitRange, Namespace, Pod, ResourceQuota, Secret, Service};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use urumi_core::kubernetes::{Kind, Object, Query};
use urumi_core::store::Authority;
use urumi_core::store::status::StoreStatus;
use urumi_core::store::update::UpdateStore;
use urumi_core::store::wait::Deleted;
use urumi_core::{Precondition, ReadinessMonitor, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use crate::changing::newness;
use crate::support::{PATIENCE, Running, Scene};

const FIXTURE: &str = include_str!("fixtures/first_renderer.json");
/// How many stores there are.
const STORES: usize = 50;

/// The kinds of the fixture's objects.
fn kind_of(object: &Value) -> Kind {
    match object["kind"].as_str() {
        Some("Namespace") => Kind::of::<Namespace>(),
        Some("Secret") => Kind::of::<Secret>(),
        Some("ConfigMap") => Kind::of::<ConfigMap>(),
        Some("Service") => Kind::of::<Service>(),
        Some("LimitRange") => Kind::of::<LimitRange>(),
        Some("ResourceQuota") => Kind::of::<ResourceQuota>(),
        Some("NetworkPolicy") => Kind::of::<NetworkPolicy>(),
        Some("Ingress") => Kind::of::<Ingress>(),
        Some("Deployment") => Kind::of::<Deployment>(),
        Some("StatefulSet") => Kind::of::<StatefulSet>(),
        Some("Job") => Kind::of::<Job>(),
        Some("CronJob") => Kind::of::<CronJob>(),
        kind => panic!("{kind:?} is in the fixture"),
    }
}

/// Creates one of the fixture's stores under an id.
async fn load(scene: &Scene, store: &Value, id: &StoreId) {
    let key = base16ct::lower::encode_string(&Sha256::digest(format!("store.urumi.ai/publishable-key/{id}")));
    let text = store.to_string().replace("{id}", id.as_str()).replace("{key}", &format!("pk_{key}"));
    let objects: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut owner = Value::Null;
    for value in objects {
        let mut object = Object::from_value(kind_of(&value), value).unwrap();
        if object.namespace().is_some() && object.kind().kind != "Secret" {
            object.as_value_mut()["metadata"]["ownerReferences"] = json!([owner]);
        }
        let created = scene.own.create(&object).await.unwrap();
        if object.namespace().is_none() {
            owner =
                json!({"apiVersion": "v1", "kind": "Namespace", "name": object.name(), "uid": created.uid().unwrap()});
        }
    }
}

/// What urumi may have written to the objects of a store, by kind and name, and the pods by uid.
async fn written(scene: &Scene, id: &StoreId) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let kinds = [
        Kind::of::<ConfigMap>(),
        Kind::of::<Service>(),
        Kind::of::<NetworkPolicy>(),
        Kind::of::<Ingress>(),
        Kind::of::<Deployment>(),
        Kind::of::<StatefulSet>(),
        Kind::of::<Job>(),
        Kind::of::<Pod>(),
    ];
    for kind in kinds {
        let is_pod = kind == Kind::of::<Pod>();
        for object in scene.cluster.list(&Query::all(kind).in_namespace(id.namespace())).await.unwrap() {
            let mut value = object.as_value().clone();
            let Some(fields) = value.as_object_mut() else { continue };
            fields.remove("status");
            for passing in ["resourceVersion", "managedFields"] {
                fields["metadata"].as_object_mut().unwrap().remove(passing);
            }
            if is_pod {
                value = json!(object.uid());
            }
            found.insert(object.reference().to_string(), value);
        }
    }
    found
}

/// Nothing is written to them but what their records say of them, and all stay ready; a refresh moves the one that it is for.
pub(crate) async fn stores_of_an_earlier_version_go_on_as_they_are(scene: Scene) {
    let fixture: Vec<Value> = serde_json::from_str(FIXTURE).unwrap();
    let ids: Vec<StoreId> = (0..STORES).map(|_| StoreId::random()).collect();
    let stores = fixture.iter().cycle();
    futures::future::join_all(stores.zip(&ids).map(|(store, id)| load(&scene, store, id))).await;
    for id in &ids {
        for kind in [Kind::of::<Deployment>(), Kind::of::<StatefulSet>()] {
            for workload in scene.cluster.list(&Query::all(kind).in_namespace(id.namespace())).await.unwrap() {
                let available = |object: Option<&Object>| {
                    let count = |pointer| object.and_then(|object| object.int_at(pointer));
                    count("/status/availableReplicas") == count("/spec/replicas")
                };
                scene.until(&workload.reference(), available).await;
            }
        }
    }
    let mut before = Vec::new();
    for id in &ids {
        before.push(written(&scene, id).await);
    }

    let monitor = Running::start(ReadinessMonitor::new(scene.urumi.clone()));
    for id in &ids {
        scene.until_store(id, |store| newness(store) == "NewRenderer").await;
        let store = scene.urumi.get(id).await.unwrap();
        assert_eq!((store.status, store.revision), (StoreStatus::Ready, 1), "{store:?}");
        assert!(scene.urumi.diff(id).await.unwrap().is_empty(), "{id}");
    }
    for (id, before) in ids.iter().zip(&before) {
        assert_eq!(written(&scene, id).await, *before);
    }

    let moved = &ids[0];
    let refresh = UpdateStore::new().refresh().on_authority_of(Authority::Installation);
    let preview = scene.urumi.preview_update(moved, refresh.clone(), &Precondition::NONE).await.unwrap();
    assert_eq!(preview.restarts, ["api", "storefront"]);
    scene.urumi.update(moved, refresh).await.unwrap();
    scene.until_store(moved, |store| newness(store) == "RolledOut").await;
    let renderers: Vec<u32> = scene.urumi.history(moved).await.unwrap().iter().map(|one| one.renderer).collect();
    assert_eq!(renderers, [1, 2]);
    assert_ne!(written(&scene, moved).await, before[0]);
    for (id, before) in ids.iter().zip(&before).skip(1) {
        assert_eq!(written(&scene, id).await, *before);
        assert_eq!(scene.urumi.get(id).await.unwrap().status, StoreStatus::Ready);
    }
    monitor.stop().await;
    futures::future::join_all(ids.iter().map(|id| scene.urumi.delete(id))).await;
    for id in &ids {
        scene.urumi.wait_until(id, Deleted, PATIENCE).await.unwrap();
    }
}
