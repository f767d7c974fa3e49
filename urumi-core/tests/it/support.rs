//! A store under test: an orchestrator, a monitor for that store alone, and clean-up whatever happens.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Event, Namespace, PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::cluster::{ClusterBackend, ConnectOptions, InMemoryCluster, KubeCluster};
use urumi_core::kubernetes::Query;
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::store::Authority;
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::{CreateStore, MonitorHandle, Orchestrator, ReadinessMonitor, Store, StoreId};
use urumi_core::{StoreOrchestrator, StoreOrchestratorExt};
use urumi_testing::REQUEST_TIMEOUT;

/// How long anything may take. Nothing is asserted about how long it does take. On a busy machine, Kubernetes takes minutes to
/// remove a namespace.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// A store that will be created, with an orchestrator and an id of its own.
#[derive(Clone)]
pub(crate) struct Scene {
    /// As urumi sees it.
    pub(crate) own: Arc<dyn ClusterBackend>,
    /// As everybody else sees it: those who do what urumi may not, and those who look at what has become of it.
    pub(crate) cluster: Arc<dyn ClusterBackend>,
    pub(crate) urumi: Orchestrator,
    pub(crate) id: StoreId,
}

impl Scene {
    pub(crate) fn request(&self) -> CreateStore {
        // Tests choose options that the policy locks for operators.
        CreateStore::new("Test \"Shop\"", "medusa").id(self.id.as_str()).on_authority_of(Authority::Installation)
    }

    pub(crate) fn monitor(&self) -> ReadinessMonitor {
        ReadinessMonitor::new(self.urumi.clone()).only(self.id.clone()).quiet_period(Duration::from_millis(200))
    }

    pub(crate) async fn ready(&self) -> Store {
        self.urumi.wait_until(&self.id, Ready.or_failed(), PATIENCE).await.unwrap().unwrap()
    }

    /// Waits until a store is as `holds` says.
    pub(crate) async fn until_store(&self, id: &StoreId, holds: impl Fn(&Store) -> bool) {
        let mut watch = self.urumi.watch(Some(id));
        let waiting = async {
            while futures::StreamExt::next(&mut watch).await.is_some() {
                if holds(&self.urumi.get(id).await.unwrap()) {
                    return;
                }
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(in_time.is_ok(), "{:?}", self.urumi.get(id).await);
    }

    pub(crate) fn reference(&self, kind: Kind, name: &str) -> ObjectRef {
        ObjectRef::namespaced(kind, self.id.namespace(), name)
    }

    pub(crate) async fn object(&self, kind: Kind, name: &str) -> Object {
        let reference = self.reference(kind, name);
        self.cluster.get(&reference).await.unwrap().unwrap_or_else(|| panic!("{reference} is missing"))
    }

    /// Waits until an object is as `holds` says.
    pub(crate) async fn until(&self, reference: &ObjectRef, holds: impl Fn(Option<&Object>) -> bool) {
        use futures::StreamExt;
        use urumi_core::kubernetes::WatchEvent;
        let mut query = Query::all(reference.kind.clone()).named(&reference.name);
        query.namespace.clone_from(&reference.namespace);
        let mut events = self.cluster.watch(&query);
        let waiting = async {
            while let Some(event) = events.next().await {
                let holds = match event.unwrap() {
                    WatchEvent::Snapshot(objects) => holds(objects.first().as_ref()),
                    WatchEvent::Applied(object) => holds(Some(&object)),
                    _ => holds(None),
                };
                if holds {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("{reference} did not become as expected"));
    }
}

/// Somebody else who changes the objects of a store, with a field manager of their own.
pub(crate) enum Outsider {
    Memory(InMemoryCluster),
    Kube(kube::Client),
}

impl Outsider {
    /// Changes an object by a JSON merge patch.
    pub(crate) async fn patch(&self, reference: &ObjectRef, patch: Value) {
        match self {
            Outsider::Memory(cluster) => {
                let change = |object: &mut Object| merge(object.as_value_mut(), &patch);
                cluster.modify(reference, change).unwrap_or_else(|| panic!("{reference} is missing"));
            }
            Outsider::Kube(client) => {
                let parameters = PatchParams { field_manager: Some("outsider".into()), ..PatchParams::default() };
                let patched = api(client, reference).patch(&reference.name, &parameters, &Patch::Merge(&patch)).await;
                patched.unwrap();
            }
        }
    }

    /// Deletes an object.
    pub(crate) async fn delete(&self, reference: &ObjectRef) {
        match self {
            Outsider::Memory(cluster) => assert!(cluster.remove(reference)),
            Outsider::Kube(client) => {
                api(client, reference).delete(&reference.name, &DeleteParams::default()).await.unwrap();
            }
        }
    }
}

/// The real API server as an administrator sees it, and kube's own client of it.
pub(crate) async fn real_client() -> Option<(KubeCluster, kube::Client)> {
    let cluster = real_cluster().await?;
    let client = urumi_testing::client(&urumi_testing::kubeconfig()?).await;
    Some((cluster, client))
}

/// Has the API server judge an object, strictly, without storing it.
pub(crate) async fn dry_run(client: &kube::Client, object: &Object) -> kube::Result<()> {
    let kind = object.kind();
    let api = if kind.group.is_empty() { "api/v1".to_owned() } else { format!("apis/{}", kind.api_version()) };
    let namespace = object.namespace().unwrap();
    let uri = format!("/{api}/namespaces/{namespace}/{}?dryRun=All&fieldValidation=Strict", kind.plural);
    let body = serde_json::to_vec(object).unwrap();
    let request = http::Request::post(uri).header("content-type", "application/json").body(body).unwrap();
    client.request::<Value>(request).await.map(drop)
}

fn api(client: &kube::Client, reference: &ObjectRef) -> Api<DynamicObject> {
    let ObjectRef { kind, namespace, .. } = reference;
    let resource = ApiResource {
        group: kind.group.to_string(),
        version: kind.version.to_string(),
        api_version: kind.api_version(),
        kind: kind.kind.to_string(),
        plural: kind.plural.to_string(),
    };
    Api::namespaced_with(client.clone(), namespace.as_deref().unwrap(), &resource)
}

/// RFC 7396, as far as these tests need it.
fn merge(target: &mut Value, patch: &Value) {
    match patch {
        Value::Object(patch) => {
            for (key, value) in patch {
                merge(&mut target[key], value);
            }
        }
        other => *target = other.clone(),
    }
}

/// A monitor that runs while it is held.
pub(crate) struct Running {
    pub(crate) handle: MonitorHandle,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Running {
    pub(crate) fn start(monitor: ReadinessMonitor) -> Running {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let handle = monitor.spawn(&tasks, stop.clone());
        Running { handle, tasks, stop }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        assert!(!self.handle.health().running);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The real API server to test on, as an administrator sees it.
pub(crate) async fn real_cluster() -> Option<KubeCluster> {
    real_cluster_as("administrator").await
}

/// The real API server as urumi sees it and as an administrator does. Both are the same here; `dev/tests/chart/suites`
/// tells them apart by their user agents.
pub(crate) async fn real_views() -> Option<(KubeCluster, Arc<dyn ClusterBackend>)> {
    let own = real_cluster_as("urumi").await?;
    Some((own, Arc::new(real_cluster().await?)))
}

/// The real API server. Without one, the calling test is skipped.
async fn real_cluster_as(user_agent: &str) -> Option<KubeCluster> {
    let kubeconfig = urumi_testing::kubeconfig()?;
    let options =
        ConnectOptions::default().kubeconfig(kubeconfig).user_agent(user_agent).request_timeout(REQUEST_TIMEOUT);
    KubeCluster::install_crypto_provider();
    Some(KubeCluster::connect(options).await.unwrap())
}

/// Runs a test with a scene on a cluster where everybody may do everything.
pub(crate) async fn with_scene<F>(cluster: Arc<dyn ClusterBackend>, test: impl FnOnce(Scene) -> F)
where
    F: Future<Output = ()>,
{
    with_scene_of(cluster.clone(), cluster, test).await;
}

/// Runs a test with a scene on a cluster as urumi and as others see it; deletes its store afterwards, and shows what is
/// in the namespace if the test failed.
pub(crate) async fn with_scene_of<F>(
    own: Arc<dyn ClusterBackend>,
    cluster: Arc<dyn ClusterBackend>,
    test: impl FnOnce(Scene) -> F,
) where
    F: Future<Output = ()>,
{
    // Tokio's clock, which tests on the in-memory cluster pause.
    let (wall, start) = (Timestamp::now(), Instant::now());
    let clock = move || wall + SignedDuration::try_from(start.elapsed()).unwrap();
    let urumi = Orchestrator::builder(own.clone()).clock(clock).build();
    let scene = Scene { own, cluster, urumi, id: StoreId::random() };
    let outcome = AssertUnwindSafe(test(scene.clone())).catch_unwind().await;
    if outcome.is_err() {
        show(&scene).await;
    }
    if scene.urumi.delete(&scene.id).await.is_ok() && outcome.is_ok() {
        scene.urumi.wait_until(&scene.id, Deleted, PATIENCE).await.unwrap();
    }
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Every kind that a store is made of or that explains its state.
pub(crate) fn kinds() -> Vec<Kind> {
    vec![
        Kind::of::<StatefulSet>(),
        Kind::of::<Deployment>(),
        Kind::of::<Service>(),
        Kind::of::<Ingress>(),
        Kind::of::<NetworkPolicy>(),
        Kind::of::<Pod>(),
        Kind::of::<PersistentVolumeClaim>(),
        Kind::of::<Event>(),
    ]
}

async fn show(scene: &Scene) {
    let namespace = ObjectRef::cluster(Kind::of::<Namespace>(), scene.id.namespace());
    let mut found: Vec<Object> = scene.cluster.get(&namespace).await.ok().flatten().into_iter().collect();
    for kind in kinds() {
        found
            .extend(scene.cluster.list(&Query::all(kind).in_namespace(scene.id.namespace())).await.unwrap_or_default());
    }
    eprintln!("what is in {}:", scene.id.namespace());
    for object in found {
        eprintln!("---\n{}", serde_json::to_string_pretty(&object).unwrap_or_default());
    }
}
