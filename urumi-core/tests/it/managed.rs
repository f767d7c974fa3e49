//! Stores whose database is on a shared server: what is made outside of their namespace, and that it goes with them.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use serde_json::json;
use urumi_core::cluster::{ClusterBackend, Fault, FaultTarget, InMemoryCluster, Outage};
use urumi_core::engine::medusa::MedusaEngine;
use urumi_core::kubernetes::{ClusterErrorKind, Preconditions, Verb};
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::store::status::StoreStatus;
use urumi_core::store::wait::Deleted;
use urumi_core::{Orchestrator, StoreOrchestrator, StoreOrchestratorExt};

use crate::support::{PATIENCE, Running, Scene, real_views, with_scene_of};

/// A scene whose stores have their database on a server, and the namespace beside that.
struct Server {
    scene: Scene,
    namespace: String,
}

impl Server {
    /// Runs a test beside a server of its own.
    async fn run<F: Future<Output = ()>>(cluster: Arc<dyn ClusterBackend>, test: impl FnOnce(Arc<Server>) -> F) {
        Server::run_in(None, (cluster.clone(), cluster), test).await;
    }

    /// Runs a test beside a server of its own, on a cluster as urumi and as others see it. What is beside the server is in a
    /// namespace that is there, or else in one that the test makes and deletes.
    async fn run_in<F: Future<Output = ()>>(
        given: Option<String>,
        (own, cluster): (Arc<dyn ClusterBackend>, Arc<dyn ClusterBackend>),
        test: impl FnOnce(Arc<Server>) -> F,
    ) {
        with_scene_of(own, cluster, async |scene| {
            let namespace = given.clone().unwrap_or_else(|| format!("databases-{}", scene.id));
            // Its pods meet the strictest standard, too.
            let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
            let object = json!({"metadata": {"name": namespace, "labels": labels}});
            let object = Object::from_value(Kind::of::<Namespace>(), object).unwrap();
            if given.is_none() {
                scene.cluster.create(&object).await.unwrap();
            }
            let administrator = json!({
                "metadata": {"name": "administrator", "namespace": namespace},
                "data": {"username": "cm9vdA==", "password": "cm9vdA=="},
            });
            scene.cluster.apply(&Object::from_value(Kind::of::<Secret>(), administrator).unwrap()).await.unwrap();
            let server = Arc::new(Server { scene: with_engine(scene, &namespace), namespace });
            let outcome = std::panic::AssertUnwindSafe(test(server.clone())).catch_unwind().await;
            if given.is_none() {
                let namespace = server.scene.cluster.get(&object.reference()).await.unwrap().unwrap();
                let expected = Preconditions::of(&namespace);
                server.scene.cluster.delete(&object.reference(), &expected).await.unwrap();
            }
            if let Err(panic) = outcome {
                std::panic::resume_unwind(panic);
            }
        })
        .await;
    }

    fn outside(&self, kind: Kind, suffix: &str) -> ObjectRef {
        ObjectRef::namespaced(kind, &self.namespace, format!("{}{suffix}", self.scene.id.namespace()))
    }

    async fn address(&self, secret: &ObjectRef) -> String {
        let secret = self.scene.cluster.get(secret).await.unwrap().unwrap_or_else(|| panic!("{secret} is missing"));
        secret.str_at("/data/DATABASE_URL").unwrap().to_owned()
    }

    async fn delete(&self) {
        self.scene.urumi.delete(&self.scene.id).await.unwrap();
        self.scene.urumi.wait_until(&self.scene.id, Deleted, PATIENCE).await.unwrap();
    }

    /// Nothing is left of the store beside the server.
    async fn is_clean(&self) {
        for (kind, suffix) in [(Kind::of::<Secret>(), ""), (Kind::of::<Job>(), ""), (Kind::of::<Job>(), "-removal")] {
            self.scene.until(&self.outside(kind, suffix), |object| object.is_none()).await;
        }
    }
}

fn with_engine(scene: Scene, namespace: &str) -> Scene {
    let defaults = json!({"database": {
        "mode": "managed",
        "server": {"host": "postgres.example.com", "namespace": namespace, "secretName": "administrator"},
    }});
    let engine = MedusaEngine::with_defaults(defaults.as_object().cloned().unwrap()).unwrap();
    Scene { urumi: Orchestrator::builder(scene.own.clone()).engine(engine).build(), ..scene }
}

async fn it_is_made_and_removed_with_the_store(server: Arc<Server>) {
    let scene = &server.scene;
    let _monitor = Running::start(scene.monitor());
    scene.urumi.create(scene.request()).await.unwrap();
    let store = scene.ready().await;
    assert_eq!(store.status, StoreStatus::Ready, "{store:?}");
    assert!(scene.urumi.diff(&scene.id).await.unwrap().is_empty());

    let own = scene.reference(Kind::of::<Secret>(), "postgres-credentials");
    let drawn = server.outside(Kind::of::<Secret>(), "");
    assert_eq!(server.address(&own).await, server.address(&drawn).await);
    let copied = scene.cluster.get(&own).await.unwrap().unwrap();
    let keys: Vec<&String> = copied.at("/data").unwrap().as_object().unwrap().keys().collect();
    assert_eq!(keys, ["DATABASE_URL"], "the store gets nothing else of what is beside the server");

    server.delete().await;
    server.is_clean().await;
}

#[tokio::test(start_paused = true)]
async fn a_database_on_a_server_is_made_and_removed_with_the_store() {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build();
    Server::run(Arc::new(cluster), it_is_made_and_removed_with_the_store).await;
}

#[tokio::test]
async fn real_cluster_a_database_on_a_server_is_made_and_removed_with_the_store() {
    let Some((own, cluster)) = real_views().await else { return };
    // Where urumi may do no more than it needs, it may do it in one namespace that is known from the first.
    let given = std::env::var("URUMI_TEST_DATABASES").ok();
    Server::run_in(given, (Arc::new(own), cluster), it_is_made_and_removed_with_the_store).await;
}

/// A store whose database cannot be removed stays on record, and says why.
#[tokio::test(start_paused = true)]
async fn the_record_stays_until_the_database_is_gone() {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build();
    Server::run(Arc::new(cluster.clone()), async |server| {
        let scene = &server.scene;
        let removal = FaultTarget::named(format!("{}-removal", scene.id.namespace()));
        cluster.inject_fault(removal.clone(), Fault::CrashLoop { exit_code: 2, restarts: 3 });
        let _monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        scene.urumi.delete(&scene.id).await.unwrap();
        let record = ObjectRef::cluster(Kind::of::<Namespace>(), scene.id.namespace());
        let told = |ns: Option<&Object>| {
            ns.and_then(|ns| ns.annotation("store.urumi.ai/conditions")).is_some_and(|c| c.contains("CrashLoopBackOff"))
        };
        scene.until(&record, told).await;
        let store = scene.urumi.get(&scene.id).await.unwrap();
        assert_eq!(store.status, StoreStatus::Deleting);
        assert!(store.reason.unwrap().contains("-removal: container psql exits with code 2"));
        cluster.clear_fault(&removal);
        scene.urumi.wait_until(&scene.id, Deleted, PATIENCE).await.unwrap();
        server.is_clean().await;
    })
    .await;
}

/// An installation that does not know the server cannot remove the database.
#[tokio::test(start_paused = true)]
async fn a_deletion_says_that_the_server_is_not_the_installations() {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build();
    Server::run(Arc::new(cluster), async |server| {
        let scene = &server.scene;
        let monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        monitor.stop().await;
        let other = Scene { urumi: Orchestrator::builder(scene.own.clone()).build(), ..scene.clone() };
        let store = other.urumi.get(&scene.id).await.unwrap();
        assert_eq!(store.status, StoreStatus::Failed);
        assert!(store.reason.unwrap().contains("RecordUnreadable"));

        let monitor = Running::start(other.monitor());
        other.urumi.delete(&scene.id).await.unwrap();
        let store = other.urumi.get(&scene.id).await.unwrap();
        assert_eq!(store.status, StoreStatus::Deleting);
        let reason = store.reason.unwrap();
        assert!(reason.contains("RecordUnreadable") && reason.contains("database.server"), "{reason}");
        monitor.stop().await;
        // It goes as soon as the installation's defaults name the server.
        let _monitor = Running::start(scene.monitor());
        scene.urumi.wait_until(&scene.id, Deleted, PATIENCE).await.unwrap();
        server.is_clean().await;
    })
    .await;
}

/// A database that is still being made when its store is deleted: its making is stopped before it is removed.
#[tokio::test(start_paused = true)]
async fn a_database_is_not_made_any_more_once_its_store_is_deleted() {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build();
    Server::run(Arc::new(cluster.clone()), async |server| {
        let scene = &server.scene;
        cluster.inject_fault(FaultTarget::named(scene.id.namespace()), Fault::NeverReady);
        let _monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap();
        let making = server.outside(Kind::of::<Job>(), "");
        scene.until(&making, |job| job.and_then(|job| job.int_at("/status/active")) == Some(1)).await;
        let (stopped, ()) = tokio::join!(
            scene.until(&making, |job| {
                job.is_some_and(|job| {
                    job.at("/spec/suspend") == Some(&json!(true)) && job.int_at("/status/active").is_none()
                })
            }),
            server.delete()
        );
        stopped
    })
    .await;
}

/// A process that dies right after the store is on record leaves nothing that would keep the store from being deleted.
#[tokio::test(start_paused = true)]
async fn a_store_goes_of_which_nothing_was_made() {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build();
    Server::run(Arc::new(cluster.clone()), async |server| {
        let scene = &server.scene;
        let outage = cluster.begin_outage(Outage::new(ClusterErrorKind::Unreachable).verb(Verb::Create).after(1));
        scene.urumi.create(scene.request()).await.unwrap_err();
        cluster.end_outage(outage);
        scene.urumi.delete(&scene.id).await.unwrap();
        let _monitor = Running::start(scene.monitor());
        scene.urumi.wait_until(&scene.id, Deleted, PATIENCE).await.unwrap();
        server.is_clean().await;
    })
    .await;
}

/// What an earlier store of the same id has left is neither used nor taken for this store's own.
#[tokio::test(start_paused = true)]
async fn what_an_earlier_store_left_is_not_taken_over() {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build();
    Server::run(Arc::new(cluster.clone()), async |server| {
        let scene = &server.scene;
        let left = server.outside(Kind::of::<Secret>(), "");
        // Not yet collected: its owner was there a moment ago.
        let owner = json!({"metadata": {"name": "earlier"}});
        let owner = scene.cluster.create(&Object::from_value(Kind::of::<Namespace>(), owner).unwrap()).await.unwrap();
        let value = json!({
            "metadata": {
                "name": left.name, "namespace": server.namespace, "labels": {"store.urumi.ai/id": scene.id.as_str()},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "earlier", "uid": owner.uid()}],
            },
            "data": {"DATABASE_URL": "b2xk"},
        });
        scene.cluster.create(&Object::from_value(left.kind.clone(), value).unwrap()).await.unwrap();
        let _monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap_err();
        assert_eq!(scene.urumi.get(&scene.id).await.unwrap().status, StoreStatus::Provisioning);
        // Kubernetes' garbage collector removes it.
        cluster.remove(&left);
        scene.ready().await;
        let own = scene.reference(Kind::of::<Secret>(), "postgres-credentials");
        assert_ne!(server.address(&own).await, "b2xk");
        server.delete().await;
    })
    .await;
}
