//! Changes that conflict with other writers of a store's record.

use k8s_openapi::api::core::v1::Namespace;
use serde_json::json;
use urumi_core::cluster::{InMemoryCluster, Outage};
use urumi_core::error::{Error, ErrorKind};
use urumi_core::kubernetes::{ClusterErrorKind, Kind, ObjectRef, Verb};
use urumi_core::record::STATUS;
use urumi_core::store::status::StoreStatus;
use urumi_core::{CreateStore, Orchestrator, Store, StoreOrchestrator, StoreOrchestratorExt};

/// How many conflicts an operation reports at the latest.
const MOST: usize = 8;

async fn failed_store(cluster: &InMemoryCluster, urumi: &Orchestrator) -> Store {
    let store = urumi.create(CreateStore::new("Contended", "medusa")).await.unwrap().into_store();
    let namespace = ObjectRef::cluster(Kind::of::<Namespace>(), &store.namespace);
    let fail = |record: &mut urumi_core::kubernetes::Object| {
        record.as_value_mut()["metadata"]["annotations"][STATUS] = json!("failed");
    };
    cluster.modify(&namespace, fail).unwrap();
    store
}

/// The next writes of this kind are overtaken by another writer.
fn overtaken(cluster: &InMemoryCluster, verb: Verb, times: usize) {
    let conflicts = Outage::new(ClusterErrorKind::Conflict).of_kind(Kind::of::<Namespace>()).verb(verb).times(times);
    cluster.begin_outage(conflicts);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_written_in_the_end_is_done() {
    let cluster = InMemoryCluster::default();
    let urumi = Orchestrator::builder(cluster.clone()).build();
    for conflicts in 0..MOST {
        let store = failed_store(&cluster, &urumi).await;
        overtaken(&cluster, Verb::PatchMetadata, conflicts);
        let retried = urumi.retry(&store.id).await;
        assert_eq!(retried.map(|store| store.status).ok(), Some(StoreStatus::Provisioning), "{conflicts} conflicts");
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_conflicts_are_a_conflict_that_passes() {
    let cluster = InMemoryCluster::default();
    let urumi = Orchestrator::builder(cluster.clone()).build();
    let store = failed_store(&cluster, &urumi).await;
    let passes = |error: Error| (error.kind(), error.is_retryable());
    overtaken(&cluster, Verb::PatchMetadata, MOST);
    assert_eq!(passes(urumi.retry(&store.id).await.unwrap_err()), (ErrorKind::Conflict, true));
    overtaken(&cluster, Verb::Delete, MOST);
    assert_eq!(passes(urumi.delete(&store.id).await.unwrap_err()), (ErrorKind::Conflict, true));
    urumi.retry(&store.id).await.unwrap();
    urumi.delete(&store.id).await.unwrap();
}
