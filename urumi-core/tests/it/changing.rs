//! Changes of a store, on the in-memory cluster and on a real API server.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret, Service};
use serde_json::{Value, json};
use urumi_core::engine::medusa::MedusaEngine;
use urumi_core::engine::{
    Component, Engine, EngineInfo, Manifest, NewStore, OptionPolicy, RenderError, RequestChange, SignIn,
};
use urumi_core::error::FieldError;
use urumi_core::kubernetes::{Kind, LabelRequirement, Object, Query};
use urumi_core::secret::SecretSource;
use urumi_core::store::status::{Condition, StoreStatus};
use urumi_core::store::update::UpdateStore;
use urumi_core::store::wait::UpToDate;
use urumi_core::store::{Authority, Options, StoreSpec, StoreUrls};
use urumi_core::{Orchestrator, Precondition, ReadinessMonitor, Store, StoreOrchestrator, StoreOrchestratorExt};

use crate::support::{Outsider, PATIENCE, Running, Scene};

/// How often it is asked whether a change is applied.
const PACE: Duration = Duration::from_millis(100);
/// Annotation on pods: the digest of the settings that they have been told of.
const MOUNTED: &str = "store.urumi.ai/mounted";

fn options(value: Value) -> Options {
    value.as_object().cloned().unwrap()
}

fn change(value: Value) -> UpdateStore {
    UpdateStore::new().options(options(value)).by("alice").on_authority_of(Authority::Installation)
}

fn condition<'a>(store: &'a Store, type_: &str) -> Option<&'a Condition> {
    store.conditions.iter().find(|condition| condition.type_ == type_)
}

/// Why a store is up to date or not.
pub(crate) fn newness(store: &Store) -> &str {
    condition(store, Condition::UP_TO_DATE).map_or("never changed", |condition| condition.reason.as_str())
}

async fn rolled_out(scene: &Scene) -> Store {
    scene.urumi.wait_until(&scene.id, UpToDate, PATIENCE).await.unwrap().unwrap()
}

async fn deployment(scene: &Scene, name: &str) -> Object {
    scene.object(Kind::of::<Deployment>(), name).await
}

/// The names of the objects of a kind in the store's namespace.
async fn names(scene: &Scene, kind: Kind) -> Vec<String> {
    let objects = scene.cluster.list(&Query::all(kind).in_namespace(scene.id.namespace())).await.unwrap();
    objects.iter().map(|object| object.name().to_owned()).collect()
}

/// A revision whose image does not exist is taken back by itself. The shop sells all the time, and the history says why.
pub(crate) async fn a_change_that_does_not_work_is_taken_back(scene: Scene) {
    let monitor = Running::start(scene.monitor());
    scene.urumi.create(scene.request()).await.unwrap();
    scene.ready().await;
    let before = deployment(&scene, "medusa-storefront").await;

    let typo = change(json!({"storefront": {"image": "fail.example/image-pull:1"}})).reason("a typo");
    let changed = scene.urumi.update(&scene.id, typo).await.unwrap();
    assert_eq!((changed.revision, changed.status), (2, StoreStatus::Ready));
    // It is not up to date before the store has returned.
    let back = scene.urumi.wait_until(&scene.id, UpToDate, PATIENCE).await;
    assert!(back.is_err(), "{back:?}");
    let taken_back = async {
        let mut watch = scene.urumi.watch(Some(&scene.id));
        while let Some(event) = futures::StreamExt::next(&mut watch).await {
            let store = scene.urumi.get(&scene.id).await.unwrap();
            assert_eq!(store.status, StoreStatus::Ready, "{event:?}");
            if newness(&store) == "RolledBack" {
                return store;
            }
        }
        panic!("the watch has ended")
    };
    let store = tokio::time::timeout(PATIENCE, taken_back).await.unwrap();
    assert_eq!((store.revision, store.observed_revision), (3, 3));
    let after = deployment(&scene, "medusa-storefront").await;
    let image = "/spec/template/spec/containers/0/image";
    assert_eq!(before.at(image), after.at(image));

    let history = scene.urumi.history(&scene.id).await.unwrap();
    let [first, failed, present] = history.as_slice() else { panic!("{history:?}") };
    assert_eq!((first.number, first.failure.as_deref()), (1, None));
    assert_eq!((failed.by.as_deref(), failed.reason.as_deref()), (Some("alice"), Some("a typo")));
    let why = failed.failure.as_deref().unwrap();
    assert!(why.contains("fail.example/image-pull:1"), "{why}");
    assert_eq!((present.by.as_deref(), present.restores, present.current), (Some("urumi"), Some(1), true));
    assert_eq!(present.requested, first.requested);
    monitor.stop().await;
}

/// What a revision does not render any more is deleted once the revision is proven: never data, Secrets, or what others made.
pub(crate) async fn what_a_change_makes_superfluous_goes(scene: Scene) {
    let monitor = Running::start(scene.monitor());
    let with_redis = scene.request().options(options(json!({"redis": {"enabled": true}, "api": {"replicas": 2}})));
    scene.urumi.create(with_redis).await.unwrap();
    scene.ready().await;
    let foreign = json!({"metadata": {"name": "theirs", "namespace": scene.id.namespace()}, "data": {"a": "b"}});
    scene.cluster.create(&Object::from_value(Kind::of::<ConfigMap>(), foreign).unwrap()).await.unwrap();
    let secrets = names(&scene, Kind::of::<Secret>()).await;
    let claims = names(&scene, Kind::of::<PersistentVolumeClaim>()).await;
    let api = deployment(&scene, "medusa-api").await;

    let without = change(json!({"redis": null, "api": {"replicas": null}}));
    let preview = scene.urumi.preview_update(&scene.id, without.clone(), &Precondition::NONE).await.unwrap();
    let gone = |object: &str| preview.objects.iter().any(|difference| difference.object.ends_with(object));
    assert!(gone("/redis"), "{preview:?}");
    assert!(names(&scene, Kind::of::<Deployment>()).await.contains(&"redis".to_owned()), "a preview changes nothing");
    scene.urumi.update(&scene.id, without).await.unwrap();
    rolled_out(&scene).await;
    let redis = scene.reference(Kind::of::<Deployment>(), "redis");
    scene.until(&redis, |object| object.is_none_or(Object::is_terminating)).await;
    scene.until(&scene.reference(Kind::of::<Service>(), "redis"), |object| object.is_none()).await;

    assert_eq!(names(&scene, Kind::of::<Secret>()).await, secrets);
    assert_eq!(names(&scene, Kind::of::<PersistentVolumeClaim>()).await, claims);
    scene.object(Kind::of::<StatefulSet>(), "postgres").await;
    scene.object(Kind::of::<ConfigMap>(), "theirs").await;
    assert_eq!(scene.object(Kind::of::<ControllerRevision>(), "revision-1").await.int_at("/revision"), Some(1));
    // A field that the new revision does not set is removed from an object that stays.
    let env =
        |api: &Object| api.list_at("/spec/template/spec/containers/0/env").iter().any(|v| v["name"] == "REDIS_URL");
    let now = deployment(&scene, "medusa-api").await;
    assert!(env(&api), "{api:?}");
    assert!(!env(&now), "{now:?}");
    assert!(scene.urumi.diff(&scene.id).await.unwrap().is_empty());
    monitor.stop().await;
}

/// The shop's name and looks restart nothing: the storefront's pods are annotated, so that they see them at once.
pub(crate) async fn a_new_look_restarts_nothing(scene: Scene) {
    let monitor = Running::start(scene.monitor());
    scene.urumi.create(scene.request()).await.unwrap();
    scene.ready().await;
    let pods = async || {
        let storefront = LabelRequirement::Equals("app.kubernetes.io/name".into(), "medusa-storefront".into());
        let query = Query::all(Kind::of::<Pod>()).in_namespace(scene.id.namespace()).labelled(storefront);
        let pods = scene.cluster.list(&query).await.unwrap();
        pods.iter().map(|pod| (pod.uid().unwrap().to_owned(), pod.annotation(MOUNTED).map(str::to_owned))).collect()
    };
    let before: Vec<(String, Option<String>)> = pods().await;
    assert_eq!((before.len(), &before[0].1), (1, &None));
    let look = change(json!({"storefront": {"theme": {"colors": {"accent": "#0a7d4f"}}}})).name("Other");
    let preview = scene.urumi.preview_update(&scene.id, look.clone(), &Precondition::NONE).await.unwrap();
    assert_eq!(preview.restarts, [""; 0]);
    scene.urumi.update(&scene.id, look).await.unwrap();
    rolled_out(&scene).await;
    let settings = scene.object(Kind::of::<ConfigMap>(), "medusa-storefront").await;
    let text = settings.at("/data/settings.json").and_then(Value::as_str).unwrap();
    assert!(text.contains("Other") && text.contains("#0a7d4f"), "{text}");
    let after = pods().await;
    assert_eq!((after.len(), &after[0].0), (1, &before[0].0), "the pod is the same");
    assert!(after[0].1.is_some(), "it was told");
    monitor.stop().await;
}

/// What the preview of a change says that it restarts is what it restarts, for each option that can be changed.
pub(crate) async fn every_option_restarts_what_its_preview_says(scene: Scene) {
    let monitor = Running::start(scene.monitor());
    scene.urumi.create(scene.request()).await.unwrap();
    scene.ready().await;
    let info = MedusaEngine::default().info();
    let mut examples = Vec::new();
    leaves(&info.options, &mut Vec::new(), &mut examples);
    let mut before: Option<Vec<String>> = None;
    let (mut changed, mut refused) = (0, Vec::new());
    for (path, example) in examples {
        // The examples of limits are below what is requested by default.
        let value = if path.ends_with(&["limits".into(), "memory".into()]) { json!("2Gi") } else { example };
        let update = change(merged(before.as_deref(), &path, value));
        let preview = match scene.urumi.preview_update(&scene.id, update.clone(), &Precondition::NONE).await {
            Ok(preview) => preview,
            Err(error) => {
                refused.push(format!("{}: {error}", path.join(".")));
                continue;
            }
        };
        let templates = templates(&scene).await;
        scene.urumi.update(&scene.id, update).await.unwrap();
        let applied = async {
            while !scene.urumi.diff(&scene.id).await.unwrap().is_empty() {
                tokio::time::sleep(PACE).await;
            }
        };
        tokio::time::timeout(PATIENCE, applied).await.unwrap_or_else(|_| panic!("{path:?} is not applied"));
        let now = self::templates(&scene).await;
        let restarted: Vec<&str> = templates
            .iter()
            .filter(|(name, hash)| now.get(*name).is_some_and(|now| now != *hash))
            .map(|(name, _)| name.as_str())
            .collect();
        let mut foretold: Vec<&str> = preview.restarts.iter().map(|component| workload(component)).collect();
        foretold.sort_unstable();
        assert_eq!(restarted, foretold, "{}", path.join("."));
        changed += 1;
        before = Some(path);
    }
    assert!(changed >= 60, "{changed}, refused: {refused:#?}");
    let decided = |error: &String| error.starts_with("admin.email") || error.starts_with("database.");
    assert!(refused.iter().all(decided), "{refused:#?}");
    rolled_out(&scene).await;
    monitor.stop().await;
}

/// The options of a schema that have an example, with it, by their paths. What is handed over at creation is left out.
fn leaves(schema: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Value)>) {
    for (name, option) in schema["properties"].as_object().into_iter().flatten() {
        path.push(name.clone());
        match option["examples"].get(0) {
            // Its options need each other.
            _ if name == "autoscaling" => found.push((path.clone(), json!({"min": 1, "max": 2}))),
            Some(example) if option["writeOnly"] != true => found.push((path.clone(), example.clone())),
            _ => leaves(option, path, found),
        }
        path.pop();
    }
}

/// A change that sets an option, and takes the one before back.
fn merged(before: Option<&[String]>, path: &[String], value: Value) -> Value {
    let mut change = json!({});
    let mut set = |path: &[String], value: Value| {
        let place = path.iter().fold(&mut change, |place, name| &mut place[name.as_str()]);
        *place = value;
    };
    if let Some(before) = before {
        set(before, Value::Null);
    }
    set(path, value);
    change
}

/// The pod templates of the store's workloads, by name.
async fn templates(scene: &Scene) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for kind in [Kind::of::<Deployment>(), Kind::of::<StatefulSet>()] {
        let query = Query::all(kind).in_namespace(scene.id.namespace());
        for workload in scene.cluster.list(&query).await.unwrap() {
            found.insert(workload.name().to_owned(), workload.at("/spec/template").unwrap().to_string());
        }
    }
    found
}

/// The workload of a component.
fn workload(component: &str) -> &str {
    match component {
        "api" => "medusa-api",
        "storefront" => "medusa-storefront",
        "database" => "postgres",
        other => other,
    }
}

/// The built-in engine in a later version, which renders another label.
struct Later(MedusaEngine);

impl Engine for Later {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn info(&self) -> EngineInfo {
        self.0.info()
    }
    fn policy(&self) -> OptionPolicy {
        self.0.policy()
    }
    fn resolve(&self, store: &NewStore<'_>, options: &Options) -> Result<Options, Vec<FieldError>> {
        self.0.resolve(store, options)
    }
    fn settle(
        &self,
        store: &StoreSpec,
        change: &RequestChange<'_>,
        options: Options,
    ) -> Result<Options, Vec<FieldError>> {
        self.0.settle(store, change, options)
    }
    fn renderer(&self) -> u32 {
        self.0.renderer() + 1
    }
    fn render(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError> {
        let mut manifests = self.0.render(spec, secrets)?;
        let deployments = manifests.iter_mut().filter(|manifest| manifest.object.kind().kind == "Deployment");
        for Manifest { object, .. } in deployments.filter(|_| spec.renderer == self.renderer()) {
            object.as_value_mut()["spec"]["template"]["metadata"]["labels"]["example.com/later"] = json!("true");
        }
        Ok(manifests)
    }
    fn components(&self, spec: &StoreSpec) -> Result<Vec<Component>, RenderError> {
        self.0.components(spec)
    }
    fn urls(&self, spec: &StoreSpec) -> Result<StoreUrls, RenderError> {
        self.0.urls(spec)
    }
    fn sign_in(&self, spec: &StoreSpec) -> Result<Option<SignIn>, RenderError> {
        self.0.sign_in(spec)
    }
    fn proof(&self, spec: &StoreSpec) -> Result<Option<Object>, RenderError> {
        self.0.proof(spec)
    }
}

/// A version of urumi that renders in another way touches no workload. It says so, and moves a store when it is asked to.
pub(crate) async fn a_new_renderer_restarts_nobody(scene: Scene) {
    let monitor = Running::start(scene.monitor());
    scene.urumi.create(scene.request()).await.unwrap();
    scene.ready().await;
    monitor.stop().await;
    let before = deployment(&scene, "medusa-api").await;

    let later = Orchestrator::builder(scene.own.clone()).engine(Later(MedusaEngine::default())).build();
    let watching = ReadinessMonitor::new(later.clone()).only(scene.id.clone()).quiet_period(Duration::from_millis(200));
    let monitor = Running::start(watching);
    let later = Scene { urumi: later, ..scene.clone() };
    let outdated = |store: &Store| newness(store) == "NewRenderer";
    later.until_store(&later.id, outdated).await;
    // Drift is repaired to what was applied.
    let service = scene.reference(Kind::of::<Service>(), "medusa-api");
    scene
        .cluster
        .delete(
            &service,
            &urumi_core::kubernetes::Preconditions::of(&scene.object(service.kind.clone(), &service.name).await),
        )
        .await
        .unwrap();
    scene.until(&service, |object| object.is_some_and(|object| !object.is_terminating())).await;
    // A change does not move the store either.
    later.urumi.update(&later.id, change(json!({"storefront": {"replicas": 2}}))).await.unwrap();
    let scaled = rolled_out(&later).await;
    assert_eq!((newness(&scaled), scaled.revision), ("NewRenderer", 2));
    assert_eq!(deployment(&scene, "medusa-storefront").await.int_at("/spec/replicas"), Some(2));
    let label = "/spec/template/metadata/labels/example.com~1later";
    let api = deployment(&scene, "medusa-api").await;
    assert_eq!((api.uid(), api.at(label)), (before.uid(), None));
    assert_eq!(api.int_at("/metadata/generation"), before.int_at("/metadata/generation"), "the API is untouched");

    let refresh = UpdateStore::new().refresh().on_authority_of(Authority::Installation);
    let preview = later.urumi.preview_update(&later.id, refresh.clone(), &Precondition::NONE).await.unwrap();
    assert_eq!(preview.restarts, ["api", "storefront"]);
    later.urumi.update(&later.id, refresh).await.unwrap();
    later.until_store(&later.id, |store| newness(store) == "RolledOut" && store.observed_revision == 3).await;
    assert!(deployment(&scene, "medusa-api").await.at(label).is_some());
    let renderers: Vec<u32> = later.urumi.history(&later.id).await.unwrap().iter().map(|one| one.renderer).collect();
    let newest = MedusaEngine::default().renderer();
    assert_eq!(renderers, [newest, newest, newest + 1]);
    monitor.stop().await;

    // The version before does not undo what it does not know.
    let refused = scene.urumi.diff(&scene.id).await.unwrap_err();
    assert!(refused.to_string().contains("a newer version"), "{refused}");
    let monitor = Running::start(scene.monitor());
    let changed = scene.urumi.update(&scene.id, UpdateStore::new().name("Too old")).await.unwrap_err();
    assert!(changed.to_string().contains("a newer version"), "{changed}");
    assert_eq!(scene.urumi.get(&scene.id).await.unwrap().status, StoreStatus::Ready);
    monitor.stop().await;
    later.urumi.delete(&later.id).await.unwrap();
}

/// An autoscaler takes over the number of replicas as it is, and gives it back.
pub(crate) async fn an_autoscaler_takes_the_number_of_replicas_over(scene: Scene, outsider: Outsider) {
    let monitor = Running::start(scene.monitor());
    scene.urumi.create(scene.request().options(options(json!({"storefront": {"replicas": 2}})))).await.unwrap();
    scene.ready().await;
    let shop = scene.reference(Kind::of::<Deployment>(), "medusa-storefront");
    let autoscaler = scene.reference(Kind::of::<HorizontalPodAutoscaler>(), &shop.name);
    let changed = async |storefront: Value| {
        scene.urumi.update(&scene.id, change(json!({ "storefront": storefront }))).await.unwrap();
        let store = rolled_out(&scene).await;
        assert_eq!((newness(&store), store.status), ("RolledOut", StoreStatus::Ready));
        deployment(&scene, &shop.name).await
    };
    let replicas = |deployment: &Object| deployment.int_at("/spec/replicas");

    // The first time, it was created with the number, and the second time, the number was applied.
    for least in [1, 3] {
        let scaled = changed(json!({"autoscaling": {"min": least, "max": 4}})).await;
        let found = scene.object(autoscaler.kind.clone(), &autoscaler.name).await;
        assert_eq!((found.int_at("/spec/minReplicas"), found.int_at("/spec/maxReplicas")), (Some(least), Some(4)));
        // Nothing would set it back if it were lost: at most, the autoscaler has set its minimum by now.
        assert!([Some(2), Some(least.max(2))].contains(&replicas(&scaled)), "{scaled:?}");
        // The number is the autoscaler's, also while something else is changed.
        outsider.patch(&shop, json!({"spec": {"replicas": 4}})).await;
        assert!(scene.urumi.diff(&scene.id).await.unwrap().is_empty());
        let other = changed(json!({"env": {"LEAST": least.to_string()}})).await;
        assert_eq!(replicas(&other), Some(4));

        let fixed = changed(json!({"autoscaling": null})).await;
        assert_eq!(replicas(&fixed), Some(2));
        scene.until(&autoscaler, |object| object.is_none_or(Object::is_terminating)).await;
    }
    monitor.stop().await;
}

/// A change during a change counts from the revision that was rolled out last, and a store keeps ten revisions.
pub(crate) async fn the_last_ten_revisions_are_kept(scene: Scene) {
    let monitor = Running::start(scene.monitor());
    scene.urumi.create(scene.request()).await.unwrap();
    scene.ready().await;
    for number in 2..=13 {
        // A name alone would be rolled out at once.
        let update = change(json!({"api": {"env": {"NUMBER": number.to_string()}}})).name(format!("Shop {number}"));
        let changed = scene.urumi.update(&scene.id, update).await.unwrap();
        assert_eq!(changed.revision, number);
    }
    rolled_out(&scene).await;
    let history = scene.urumi.history(&scene.id).await.unwrap();
    let numbers: Vec<u64> = history.iter().map(|revision| revision.number).collect();
    // The first one was rolled out, and none of the others before the last one.
    assert_eq!(numbers, [1, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    let back = scene.urumi.act_if(
        &scene.id,
        urumi_core::orchestrator::Action::Rollback { to: Some(7), by: None },
        &Precondition::NONE,
    );
    let back = back.await.unwrap();
    assert_eq!((back.revision, back.name.as_str()), (14, "Shop 7"));
    rolled_out(&scene).await;
    monitor.stop().await;
}
