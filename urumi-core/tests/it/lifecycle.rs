//! What must hold of a store's life on every backend. `memory_cluster` and `real_cluster` run each of these.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::{Value, json};
use urumi_core::error::{Error, ErrorKind};
use urumi_core::kubernetes::{ClusterErrorKind, Query};
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::orchestrator::Action;
use urumi_core::plan::drift;
use urumi_core::store::status::{ConditionStatus, StoreStatus};
use urumi_core::store::wait::Deleted;
use urumi_core::{CreateStore, Precondition, StoreEvent, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use crate::support::{Outsider, PATIENCE, Running, Scene, kinds};

/// Created, ready, exactly what was rendered, and gone.
pub(crate) async fn a_store_lives_and_goes_without_a_trace(scene: Scene) {
    let monitor = Running::start(scene.monitor());
    let created = scene.urumi.create(scene.request()).await.unwrap().into_store();
    assert_eq!(created.status, StoreStatus::Provisioning);
    assert_eq!(created.urls.storefront.as_deref(), Some(&*format!("http://store-{}.localtest.me", scene.id)));
    assert_eq!(created.urls.api.as_deref(), Some(&*format!("http://api-{}.localtest.me", scene.id)));

    let ready = scene.ready().await;
    assert_eq!(ready.status, StoreStatus::Ready);
    assert_eq!(ready.reason, None);
    let conditions: Vec<_> = ready.conditions.iter().map(|c| (c.type_.as_str(), c.status)).collect();
    for expected in ["Ready", "ObjectsCreated", "DatabaseReady", "ApiReady", "StorefrontReady", "ProofOfLifeReady"] {
        assert!(conditions.contains(&(expected, ConditionStatus::True)), "{expected} in {conditions:?}");
    }
    assert_eq!(scene.urumi.get(&scene.id).await.unwrap(), ready);
    assert!(scene.urumi.list().await.unwrap().contains(&ready));

    everything_is_as_rendered(&scene).await;
    let claims = Query::all(Kind::of::<PersistentVolumeClaim>()).in_namespace(scene.id.namespace());
    let claims: Vec<_> = scene.cluster.list(&claims).await.unwrap().iter().map(|c| c.name().to_owned()).collect();
    assert_eq!(claims, ["postgres-data-postgres-0"]);
    assert!(scene.urumi.diff(&scene.id).await.unwrap().is_empty());

    assert_eq!(scene.urumi.delete(&scene.id).await.unwrap().status, StoreStatus::Deleting);
    assert!(scene.urumi.wait_until(&scene.id, Deleted, PATIENCE).await.is_ok());
    assert_eq!(scene.urumi.get(&scene.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    for kind in kinds() {
        let left = scene.cluster.list(&Query::all(kind).in_namespace(scene.id.namespace())).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
    monitor.stop().await;
}

/// Every field that was rendered has that value; only generated secrets and what the server adds differ.
async fn everything_is_as_rendered(scene: &Scene) {
    let spec = scene.urumi.prepare(&scene.request()).unwrap();
    for rendered in scene.urumi.render(&spec).unwrap() {
        let stored = scene.cluster.get(&rendered.reference()).await.unwrap();
        let stored = stored.unwrap_or_else(|| panic!("{} is missing", rendered.reference()));
        // The status is the monitor's to change.
        let differing = drift(&rendered, &stored).into_iter().map(|d| d.path).filter(|p| !p.ends_with("/status]"));
        let differing: Vec<String> = differing.collect();
        let expected: &[&str] = match (rendered.kind().kind.as_ref(), rendered.name()) {
            ("Secret", "medusa-admin") => &["data.password"],
            ("Secret", _) => &[
                "data.COOKIE_SECRET",
                "data.DATABASE_URL",
                "data.JWT_SECRET",
                "data.POSTGRES_PASSWORD",
                "data.REDIS_PASSWORD",
                "data.REDIS_URL",
                "data.SMOKE_TOKEN",
            ],
            _ => &[],
        };
        assert_eq!(differing, expected, "{}", rendered.reference());
    }
}

/// A restart replaces the pods of the components that keep no data, or those of the named one. It is on record until a monitor
/// carries it out.
pub(crate) async fn a_restart_replaces_the_pods_that_it_is_for(scene: Scene) {
    let monitor = Running::start(scene.monitor());
    scene.urumi.create(scene.request()).await.unwrap();
    scene.ready().await;
    monitor.stop().await;

    let before = pods_by_component(&scene).await;
    scene.urumi.restart(&scene.id).await.unwrap();
    let monitor = Running::start(scene.monitor());
    pods_are_new(&scene, &before, &["api", "storefront"]).await;
    let restart = |component: &str| Action::Restart { component: Some(component.to_owned()) };
    scene.urumi.act_if(&scene.id, restart("database"), &Precondition::NONE).await.unwrap();
    pods_are_new(&scene, &before, &["api", "storefront", "database"]).await;

    assert_eq!(scene.ready().await.status, StoreStatus::Ready);
    assert!(scene.urumi.diff(&scene.id).await.unwrap().is_empty());
    let shown = scene.urumi.manifests(&scene.id).await.unwrap();
    let annotations = |object: &&Value| object.pointer("/spec/template/metadata/annotations").is_some();
    assert_eq!(shown.iter().filter(annotations).count(), 3);
    let refused = scene.urumi.act_if(&scene.id, restart("proof-of-life"), &Precondition::NONE).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("choose one of database, api, storefront"), "{refused}");
    monitor.stop().await;
}

/// The uids of the store's pods that run on, by component.
async fn pods_by_component(scene: &Scene) -> BTreeMap<String, BTreeSet<String>> {
    let query = Query::all(Kind::of::<Pod>()).in_namespace(scene.id.namespace());
    let mut uids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pod in scene.cluster.list(&query).await.unwrap() {
        let component = pod.label("app.kubernetes.io/component").unwrap_or_default();
        if !pod.is_terminating() && component != "proof-of-life" {
            uids.entry(component.to_owned()).or_default().insert(pod.uid().unwrap().to_owned());
        }
    }
    uids
}

/// Waits until these components, and no others, have other pods than before, as many as before.
async fn pods_are_new(scene: &Scene, before: &BTreeMap<String, BTreeSet<String>>, components: &[&str]) {
    let mut changes = scene.cluster.watch(&Query::all(Kind::of::<Pod>()).in_namespace(scene.id.namespace()));
    let waiting = async {
        while changes.next().await.is_some() {
            let now = pods_by_component(scene).await;
            let as_wanted = |(component, old): (&String, &BTreeSet<String>)| {
                let new = now.get(component).cloned().unwrap_or_default();
                if components.contains(&component.as_str()) {
                    new.len() == old.len() && new.is_disjoint(old)
                } else {
                    new == *old
                }
            };
            if before.iter().all(as_wanted) {
                return;
            }
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(in_time.is_ok(), "{components:?} should be new: {before:?}, {:?}", pods_by_component(scene).await);
}

/// Two at once with one id: one store, and one clear conflict.
pub(crate) async fn of_two_creations_with_one_id_one_wins(scene: Scene) {
    let (one, two) = tokio::join!(scene.urumi.create(scene.request()), scene.urumi.create(scene.request()));
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    assert_eq!(won.unwrap().store().id, scene.id);
    let lost = lost.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Conflict);
    assert!(lost.to_string().contains("a store of that id exists"), "{lost}");
    everything_is_as_rendered(&scene).await;
}

/// A step of a creation that was long on its way gets into the next namespace of that name, whose creator has died right
/// after its record. It goes, with what was made for it, and the store is made as if nothing had come.
pub(crate) async fn a_store_is_ready_though_a_step_of_an_earlier_one_comes_late(scene: Scene) {
    let set = Kind::of::<StatefulSet>();
    let owner = |object: &Object| object.str_at("/metadata/ownerReferences/0/uid").map(str::to_owned);
    scene.urumi.create(scene.request()).await.unwrap();
    let mut earlier = scene.object(set.clone(), "postgres").await;
    earlier.as_value_mut()["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    scene.urumi.delete(&scene.id).await.unwrap();
    scene.urumi.wait_until(&scene.id, Deleted, PATIENCE).await.unwrap();

    let rendered = scene.urumi.render(&scene.urumi.prepare(&scene.request()).unwrap()).unwrap();
    let record = rendered.iter().find(|object| object.kind().kind == "Namespace").unwrap();
    let namespace = scene.own.create(record).await.unwrap();
    let late = scene.own.create(&earlier).await.unwrap();
    assert_ne!(owner(&late).as_deref(), namespace.uid());

    let monitor = Running::start(scene.monitor());
    assert_eq!(scene.ready().await.status, StoreStatus::Ready);
    everything_is_as_rendered(&scene).await;
    assert_eq!(owner(&scene.object(set, "postgres").await).as_deref(), namespace.uid());
    monitor.stop().await;
}

/// Bad requests create nothing, and all of their mistakes are named at once.
pub(crate) async fn a_bad_request_names_every_mistake_and_creates_nothing(scene: Scene) {
    let options = json!({"api": {"replicas": -1}, "nonsense": true});
    let request = CreateStore::new("", "medusa").id("UPPER").options(options.as_object().cloned().unwrap());
    let Err(Error::Invalid(errors)) = scene.urumi.create(request).await else { panic!("it was accepted") };
    let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
    assert!(fields.contains(&"name") && fields.contains(&"id"), "{fields:?}");
    assert!(fields.iter().any(|f| f.starts_with("options.")), "{fields:?}");
    let request = CreateStore::new("x", "nope").id(scene.id.as_str());
    assert_eq!(scene.urumi.create(request).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(scene.urumi.get(&scene.id).await.unwrap_err().kind(), ErrorKind::NotFound);
}

/// Namespaces that only look like stores are never listed, touched or deleted.
pub(crate) async fn foreign_namespaces_are_left_alone(scene: Scene) {
    let unlabelled = StoreId::random();
    let wrong_id = StoreId::random();
    let foreign = |id: &StoreId, metadata: Value| {
        let mut value = json!({"metadata": metadata});
        value["metadata"]["name"] = json!(id.namespace());
        Object::from_value(Kind::of::<Namespace>(), value).unwrap()
    };
    let annotations = json!({"store.urumi.ai/id": unlabelled.as_str()});
    let labels = json!({"store.urumi.ai/enabled": "true"});
    let namespaces = [
        foreign(&unlabelled, json!({"annotations": annotations})),
        foreign(&wrong_id, json!({"labels": labels, "annotations": {"store.urumi.ai/id": "another"}})),
    ];
    let monitors = [&unlabelled, &wrong_id].map(|id| Running::start(scene.monitor().only(id.clone())));
    let mut before = Vec::new();
    for namespace in &namespaces {
        before.push(scene.cluster.create(namespace).await.unwrap());
    }
    for (id, namespace) in [(&unlabelled, &namespaces[0]), (&wrong_id, &namespaces[1])] {
        assert_eq!(scene.urumi.get(id).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(scene.urumi.delete(id).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(scene.urumi.retry(id).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(!scene.urumi.list().await.unwrap().iter().any(|s| s.id == *id));
        let taken = scene.urumi.create(CreateStore::new("x", "medusa").id(id.as_str())).await.unwrap_err();
        assert!(taken.to_string().contains("is not urumi's"), "{taken}");
        let now = scene.cluster.get(&namespace.reference()).await.unwrap().unwrap();
        let seen = before.iter().find(|n| n.name() == namespace.name()).unwrap();
        assert_eq!(now.at("/metadata/annotations"), seen.at("/metadata/annotations"));
        assert!(!now.is_terminating());
    }
    for monitor in monitors {
        monitor.stop().await;
    }
    for namespace in &before {
        let expected = urumi_core::kubernetes::Preconditions::uid(namespace.uid().unwrap());
        match scene.cluster.delete(&namespace.reference(), &expected).await {
            Err(error) if error.kind() != ClusterErrorKind::Conflict => panic!("{error}"),
            _ => {}
        }
    }
}

/// What is missing comes back, what was changed is set back, what is foreign stays, and the password stays the same.
pub(crate) async fn drift_is_repaired_and_foreign_fields_stay(scene: Scene, outsider: Outsider) {
    scene.urumi.create(scene.request()).await.unwrap();
    let secret = scene.object(Kind::of::<Secret>(), "postgres-credentials").await;
    let service = scene.reference(Kind::of::<Service>(), "medusa-api");
    let ingress = scene.reference(Kind::of::<Ingress>(), "medusa-api");
    let deployment = scene.reference(Kind::of::<Deployment>(), "medusa-storefront");

    let ports = json!([{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 1234}]);
    let foreign = json!({"example.com/foreign": "stays"});
    outsider.patch(&service, json!({"metadata": {"annotations": foreign}, "spec": {"ports": ports}})).await;
    outsider.patch(&deployment, json!({"spec": {"replicas": 3, "minReadySeconds": 1}})).await;
    outsider.delete(&ingress).await;
    let plan = scene.urumi.diff(&scene.id).await.unwrap();
    let mut shown: Vec<String> = plan.steps().map(|step| step.to_string().replace(scene.id.as_str(), "ID")).collect();
    shown.sort();
    insta::allow_duplicates! {
        insta::assert_snapshot!(shown.join("\n"), @r"
        create Ingress store-ID/medusa-api
        repair Deployment store-ID/medusa-storefront
          spec.replicas: 3 should be 1
        repair Service store-ID/medusa-api
          spec.ports[port=80,protocol=TCP].targetPort: 1234 should be 9000
        ");
    }

    let monitor = Running::start(scene.monitor());
    scene.until(&service, |s| s.is_some_and(|s| s.int_at("/spec/ports/0/targetPort") == Some(9000))).await;
    scene.until(&deployment, |d| d.is_some_and(|d| d.int_at("/spec/replicas") == Some(1))).await;
    scene.until(&ingress, |i| i.is_some()).await;
    scene.ready().await;
    let repaired = scene.object(Kind::of::<Service>(), "medusa-api").await;
    assert_eq!(repaired.annotation("example.com/foreign"), Some("stays"));
    let repaired = scene.object(Kind::of::<Deployment>(), "medusa-storefront").await;
    assert_eq!(repaired.int_at("/spec/minReadySeconds"), Some(1));
    let after = scene.object(Kind::of::<Secret>(), "postgres-credentials").await;
    assert_eq!((after.uid(), after.resource_version()), (secret.uid(), secret.resource_version()));
    monitor.stop().await;
}

/// A store whose image cannot be had fails by its deadline with that reason, and a retry gives it a new deadline.
pub(crate) async fn a_store_that_cannot_start_fails_with_the_reason(scene: Scene) {
    let monitor = Running::start(scene.monitor().deadline(Duration::from_secs(5)));
    let options = json!({"api": {"image": "fail.example/image-pull/medusa:1"}});
    let request = scene.request().options(options.as_object().cloned().unwrap());
    scene.urumi.create(request).await.unwrap();
    let failed = scene.urumi.wait_until(&scene.id, urumi_core::store::wait::Ready.or_failed(), PATIENCE).await;
    let Err(Error::StoreFailed { store }) = failed else { panic!("{failed:?}") };
    let reason = store.reason.clone().unwrap();
    assert!(reason.starts_with("ImagePullBackOff medusa-api: "), "{reason}");
    assert!(reason.contains("fail.example/image-pull/medusa:1"), "{reason}");
    let condition = |type_: &str| store.conditions.iter().find(|c| c.type_ == type_).unwrap().status;
    assert_eq!(condition("DatabaseReady"), ConditionStatus::True);
    assert_eq!(condition("ApiReady"), ConditionStatus::False);

    let retried = scene.urumi.retry(&scene.id).await.unwrap();
    assert_eq!(retried.status, StoreStatus::Provisioning);
    let failed = scene.urumi.wait_until(&scene.id, urumi_core::store::wait::Ready.or_failed(), PATIENCE).await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::StoreFailed);
    monitor.stop().await;
}

/// A claim without its class, and an Ingress without its class, are named as the reason.
pub(crate) async fn missing_classes_are_the_reason(scene: Scene) {
    for (options, expected) in [
        (json!({"database": {"storage": {"className": "no-such"}}}), "StorageClassNotFound postgres: claim"),
        (json!({"ingress": {"className": "no-such"}}), "IngressClassNotFound ingress: IngressClass \"no-such\""),
    ] {
        let scene = Scene { id: StoreId::random(), ..scene.clone() };
        let monitor = Running::start(scene.monitor().deadline(Duration::from_secs(4)));
        let request = scene.request().options(options.as_object().cloned().unwrap());
        scene.urumi.create(request).await.unwrap();
        // The reason is the best that is known, and may become better after the deadline.
        let mut changes = scene.urumi.watch(Some(&scene.id));
        let named = async {
            while let Some(change) = changes.next().await {
                if let StoreEvent::Changed(store) = change.unwrap()
                    && store.status == StoreStatus::Failed
                    && store.reason.is_some_and(|reason| reason.starts_with(expected))
                {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, named).await.unwrap_or_else(|_| panic!("{expected} was not named"));
        monitor.stop().await;
        scene.urumi.delete(&scene.id).await.unwrap();
    }
}

/// A quota that allows no pods is the reason.
pub(crate) async fn a_used_up_quota_is_the_reason(scene: Scene) {
    let monitor = Running::start(scene.monitor().deadline(Duration::from_secs(6)));
    scene.urumi.create(scene.request()).await.unwrap();
    let failed = scene.urumi.wait_until(&scene.id, urumi_core::store::wait::Ready.or_failed(), PATIENCE).await;
    let Err(Error::StoreFailed { store }) = failed else { panic!("{failed:?}") };
    let reason = store.reason.unwrap_or_default();
    assert!(reason.starts_with("QuotaExceeded "), "{reason}");
    assert!(reason.contains("exceeded quota"), "{reason}");
    monitor.stop().await;
}

/// With a database outside, no Postgres object is made, and the store is ready without it.
pub(crate) async fn with_an_external_database_there_is_no_postgres(scene: Scene) {
    let monitor = Running::start(scene.monitor());
    let options = json!({"database": {"mode": "external", "secret": {"name": "my-database"}}});
    scene.urumi.create(scene.request().options(options.as_object().cloned().unwrap())).await.unwrap();
    let secret = json!({"metadata": {"name": "my-database", "namespace": scene.id.namespace()},
        "data": {"DATABASE_URL": "cG9zdGdyZXM6Ly94"}});
    scene.cluster.create(&Object::from_value(Kind::of::<Secret>(), secret).unwrap()).await.unwrap();
    let ready = scene.ready().await;
    assert!(!ready.conditions.iter().any(|c| c.type_ == "DatabaseReady"));
    for kind in [Kind::of::<StatefulSet>(), Kind::of::<PersistentVolumeClaim>()] {
        let found = scene.cluster.list(&Query::all(kind).in_namespace(scene.id.namespace())).await.unwrap();
        assert!(found.is_empty(), "{found:?}");
    }
    let postgres = ObjectRef::namespaced(Kind::of::<Service>(), scene.id.namespace(), "postgres");
    assert_eq!(scene.cluster.get(&postgres).await.unwrap(), None);
    monitor.stop().await;
}

/// The seed's namespace, object by object.
pub(crate) async fn the_namespace_holds_the_objects_by_name(scene: Scene) {
    scene.urumi.create(scene.request()).await.unwrap();
    let namespace = scene.cluster.get(&ObjectRef::cluster(Kind::of::<Namespace>(), scene.id.namespace())).await;
    let namespace = namespace.unwrap().unwrap();
    assert_eq!(namespace.label("store.urumi.ai/enabled"), Some("true"));
    assert_eq!(namespace.annotation("store.urumi.ai/id"), Some(scene.id.as_str()));
    assert_eq!(namespace.annotation("store.urumi.ai/name"), Some("Test \"Shop\""));
    assert_eq!(namespace.annotation("store.urumi.ai/engine"), Some("medusa"));
    assert_eq!(namespace.label("pod-security.kubernetes.io/enforce"), Some("restricted"));

    let set = scene.object(Kind::of::<StatefulSet>(), "postgres").await;
    assert_eq!(set.int_at("/spec/replicas"), Some(1));
    assert_eq!(set.str_at("/spec/template/spec/containers/0/image"), Some("postgres:15-alpine"));
    assert_eq!(set.str_at("/spec/volumeClaimTemplates/0/spec/resources/requests/storage"), Some("5Gi"));
    for (name, port) in [("medusa-api", 9000), ("medusa-storefront", 8000)] {
        let deployment = scene.object(Kind::of::<Deployment>(), name).await;
        assert_eq!(deployment.int_at("/spec/replicas"), Some(1));
        let container = deployment.at("/spec/template/spec/containers/0").unwrap();
        assert_eq!(container["ports"][0]["containerPort"], json!(port));
        assert!(container["readinessProbe"].is_object() && container["livenessProbe"].is_object());
    }
    let api = scene.object(Kind::of::<Deployment>(), "medusa-api").await;
    let env = api.list_at("/spec/template/spec/containers/0/env");
    let database_url = env.iter().find(|e| e["name"] == "DATABASE_URL").unwrap();
    assert_eq!(database_url["valueFrom"]["secretKeyRef"]["name"], json!("postgres-credentials"));
    let storefront = scene.object(Kind::of::<Deployment>(), "medusa-storefront").await;
    let env = storefront.list_at("/spec/template/spec/containers/0/env");
    assert!(env.contains(&json!({"name": "MEDUSA_BACKEND_URL", "value": "http://medusa-api"})), "{env:?}");

    for (name, port, target) in [("postgres", 5432, 5432), ("medusa-api", 80, 9000), ("medusa-storefront", 80, 8000)] {
        let service = scene.object(Kind::of::<Service>(), name).await;
        assert_eq!(service.int_at("/spec/ports/0/port"), Some(port), "{name}");
        assert_eq!(service.int_at("/spec/ports/0/targetPort"), Some(target), "{name}");
    }
    for (name, host) in [("medusa-storefront", "store"), ("medusa-api", "api")] {
        let ingress = scene.object(Kind::of::<Ingress>(), name).await;
        assert_eq!(ingress.str_at("/spec/rules/0/host"), Some(&*format!("{host}-{}.localtest.me", scene.id)));
        let backend = "/spec/rules/0/http/paths/0/backend/service";
        assert_eq!(ingress.str_at(&format!("{backend}/name")), Some(name));
        assert_eq!(ingress.int_at(&format!("{backend}/port/number")), Some(80));
    }
}
