//! A real API server with simulated nodes: the conformance suite, stores' lives, and scale.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{PersistentVolume, ResourceQuota};
use serde_json::json;
use urumi_core::cluster::{ClusterBackend, KubeCluster, LogStream, WatchStream};
use urumi_core::error::Error;
use urumi_core::kubernetes::{Access, ClusterError, LogOptions, MetadataPatch, Preconditions, Query, TokenReview};
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::secret::SecretString;
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::testing::cluster as conformance;
use urumi_core::{CreateStore, Creation, ReadinessMonitor, Store, StoreOrchestrator, StoreOrchestratorExt};

use crate::lifecycle;
use crate::support::{Outsider, Running, kinds, real_client, real_cluster, real_views, with_scene_of};

macro_rules! on_a_real_api_server {
    ($($name:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let Some((own, cluster)) = real_views().await else { return };
            with_scene_of(Arc::new(own), cluster, lifecycle::$name).await;
        }
    )+};
}

on_a_real_api_server! {
    a_store_lives_and_goes_without_a_trace,
    a_restart_replaces_the_pods_that_it_is_for,
    of_two_creations_with_one_id_one_wins,
    a_store_is_ready_though_a_step_of_an_earlier_one_comes_late,
    a_bad_request_names_every_mistake_and_creates_nothing,
    foreign_namespaces_are_left_alone,
    a_store_that_cannot_start_fails_with_the_reason,
    missing_classes_are_the_reason,
    with_an_external_database_there_is_no_postgres,
    the_namespace_holds_the_objects_by_name,
}

mod changing {
    use super::*;
    use crate::changing as lifecycle;

    on_a_real_api_server! {
        a_change_that_does_not_work_is_taken_back,
        what_a_change_makes_superfluous_goes,
        a_new_renderer_restarts_nobody,
        the_last_ten_revisions_are_kept,
        a_new_look_restarts_nothing,
        every_option_restarts_what_its_preview_says,
    }
}

mod takeover {
    use super::*;
    use crate::takeover as lifecycle;

    on_a_real_api_server! {
        stores_of_an_earlier_version_go_on_as_they_are,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_takes_the_number_of_replicas_over() {
    let Some((own, cluster)) = real_views().await else { return };
    let Some((_, client)) = real_client().await else { return };
    let outsider = Outsider::Kube(client);
    let test = |scene| crate::changing::an_autoscaler_takes_the_number_of_replicas_over(scene, outsider);
    with_scene_of(Arc::new(own), cluster, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kubernetes_backend_conforms() {
    let Some(cluster) = real_cluster().await else { return };
    let report = conformance::run(Arc::new(cluster), conformance::Options::default()).await;
    eprintln!("{report}");
    report.into_result().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_repaired_and_foreign_fields_stay() {
    let Some((own, cluster)) = real_views().await else { return };
    let Some((_, client)) = real_client().await else { return };
    let outsider = Outsider::Kube(client);
    let test = |scene| lifecycle::drift_is_repaired_and_foreign_fields_stay(scene, outsider);
    with_scene_of(Arc::new(own), cluster, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_quota_is_the_reason() {
    let Some((own, cluster)) = real_views().await else { return };
    with_scene_of(Arc::new(WithoutPods(own)), cluster, lifecycle::a_used_up_quota_is_the_reason).await;
}

/// Gives every new namespace a quota of no pods, before anything else is in it.
struct WithoutPods(KubeCluster);

#[async_trait]
impl ClusterBackend for WithoutPods {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        let created = self.0.create(object).await?;
        if object.kind().kind == "Namespace" {
            let quota =
                json!({"metadata": {"name": "tight", "namespace": object.name()}, "spec": {"hard": {"pods": "0"}}});
            self.0.create(&Object::from_value(Kind::of::<ResourceQuota>(), quota).unwrap()).await?;
        }
        Ok(created)
    }
    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        self.0.apply(object).await
    }
    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        self.0.own_created(object, released).await
    }
    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        self.0.replace(object).await
    }
    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        self.0.get(object).await
    }
    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        self.0.list(query).await
    }
    fn watch(&self, query: &Query) -> WatchStream {
        self.0.watch(query)
    }
    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        self.0.patch_metadata(object, patch).await
    }
    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
        self.0.delete(object, expected).await
    }
    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        self.0.logs(pod, options).await
    }
    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        self.0.may(access).await
    }
    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        self.0.review_token(token, audiences).await
    }
    async fn version(&self) -> Result<String, ClusterError> {
        self.0.version().await
    }
}

/// Fifty at once: all become ready, none is stuck, and nothing is left of them.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_stores_at_once_are_all_ready_and_all_go() {
    let Some((own, cluster)) = real_views().await else { return };
    with_scene_of(Arc::new(own), cluster, async |scene| {
        let patience = Duration::from_secs(300);
        let monitor = Running::start(ReadinessMonitor::new(scene.urumi.clone()));
        let create = async |n: usize| match scene.urumi.create(CreateStore::new(format!("Fifty {n}"), "medusa")).await {
            // A busy cluster may take too long for one write. The store is on record, and the monitor completes it.
            Err(Error::Unfinished { store, .. }) => Ok(*store),
            created => created.map(Creation::into_store),
        };
        let stores: Vec<Store> = futures::future::try_join_all((0..50).map(create)).await.unwrap();
        for store in &stores {
            scene.urumi.wait_until(&store.id, Ready.or_failed(), patience).await.unwrap();
        }
        monitor.stop().await;
        futures::future::try_join_all(stores.iter().map(|s| scene.urumi.delete(&s.id))).await.unwrap();
        for store in &stores {
            scene.urumi.wait_until(&store.id, Deleted, patience).await.unwrap();
            for kind in kinds() {
                let left = scene.cluster.list(&Query::all(kind).in_namespace(&store.namespace)).await.unwrap();
                assert!(left.is_empty(), "{left:?}");
            }
        }
        let volumes = scene.cluster.list(&Query::all(Kind::of::<PersistentVolume>())).await.unwrap();
        let claimed = |v: &Object| v.str_at("/spec/claimRef/namespace").map(str::to_owned);
        let gone: Vec<_> = stores.iter().map(|s| s.namespace.clone()).collect();
        assert!(!volumes.iter().any(|v| !v.is_terminating() && claimed(v).is_some_and(|ns| gone.contains(&ns))));
    })
    .await;
}
