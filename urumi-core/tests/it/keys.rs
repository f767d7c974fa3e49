//! Idempotency keys beyond what the conformance suite checks: keys that are old, and stores that go.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Namespace;
use tokio::time::{Instant, advance};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::error::Error;
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::record::KEY_HASH;
use urumi_core::store::wait::Deleted;
use urumi_core::{CreateStore, Creation, Orchestrator, Store, StoreOrchestrator, StoreOrchestratorExt};

use crate::support::PATIENCE;

const A_DAY: Duration = urumi_core::store::idempotency::LIFETIME;

/// An orchestrator whose clock is that of the cluster, which tests pause.
fn urumi(cluster: &InMemoryCluster) -> Orchestrator {
    let (wall, start) = (Timestamp::now(), Instant::now());
    let clock = move || wall + SignedDuration::try_from(start.elapsed()).unwrap();
    Orchestrator::builder(cluster.clone()).clock(clock).build()
}

fn request() -> CreateStore {
    CreateStore::new("Daily", "medusa").owner("user:ann").idempotency_key("k")
}

#[tokio::test(start_paused = true)]
async fn a_key_of_many_days_takes_as_few_requests_as_a_new_one() {
    let cluster = InMemoryCluster::default();
    let urumi = urumi(&cluster);
    let mut ids = Vec::new();
    for day in 0..30 {
        cluster.forget_requests();
        let created = urumi.create(request()).await.unwrap();
        let of_namespaces = cluster.requests().into_iter().filter(|request| request.target.contains("amespace"));
        let of_namespaces: Vec<_> = of_namespaces.filter(|request| !request.target.contains('/')).collect();
        assert_eq!(of_namespaces.len(), 2, "day {day}: {of_namespaces:?}");
        assert!(!created.is_repeated() && !ids.contains(&created.store().id), "day {day}: {created:?}");
        advance(A_DAY - Duration::from_secs(60)).await;
        let again = urumi.create(request()).await.unwrap();
        assert!(again.is_repeated() && again.store().id == created.store().id, "day {day}: {again:?}");
        ids.push(created.into_store().id);
        advance(Duration::from_secs(120)).await;
    }
}

/// The id of the store that went is free again, but the key stands for today's store.
#[tokio::test(start_paused = true)]
async fn a_former_store_that_goes_does_not_make_a_second_one_of_today() {
    let cluster = InMemoryCluster::default();
    let urumi = urumi(&cluster);
    let yesterday = urumi.create(request()).await.unwrap().into_store();
    advance(A_DAY).await;
    let today = urumi.create(request()).await.unwrap().into_store();
    urumi.delete(&yesterday.id).await.unwrap();
    urumi.wait_until(&yesterday.id, Deleted, PATIENCE).await.unwrap();
    let again = urumi.create(request()).await.unwrap();
    assert!(matches!(&again, Creation::Repeated(store) if store.id == today.id), "{again:?} is not {}", today.id);
    assert_eq!(urumi.list().await.unwrap().len(), 1);
}

/// The id is part of the request, so this is another request with the key.
#[tokio::test(start_paused = true)]
async fn a_key_is_used_whatever_id_the_store_has() {
    let urumi = urumi(&InMemoryCluster::default());
    urumi.create(request().id("given")).await.unwrap();
    for other in [request(), request().id("another")] {
        let refused = urumi.create(other).await.unwrap_err();
        assert!(matches!(&refused, Error::KeyReused { id } if id.as_str() == "given"), "{refused:?}");
    }
    assert!(urumi.create(request().id("given")).await.unwrap().is_repeated());
    assert_eq!(urumi.list().await.unwrap().len(), 1);
}

/// The list of an API server may be out of date. Creating the namespace is the lock all the same.
#[tokio::test(start_paused = true)]
async fn a_store_that_the_list_does_not_show_is_found_by_its_id() {
    let cluster = InMemoryCluster::default();
    let urumi = urumi(&cluster);
    let hide = |store: &Store| {
        let namespace = ObjectRef::cluster(Kind::of::<Namespace>(), &store.namespace);
        let unlabelled = |record: &mut Object| {
            record.as_value_mut()["metadata"]["labels"].as_object_mut().unwrap().remove(KEY_HASH).unwrap();
        };
        cluster.modify(&namespace, unlabelled).unwrap();
    };
    let first = urumi.create(request()).await.unwrap().into_store();
    hide(&first);
    let again = urumi.create(request()).await.unwrap();
    assert!(again.is_repeated() && again.store().id == first.id, "{again:?}");
    advance(A_DAY).await;
    let second = urumi.create(request()).await.unwrap();
    assert!(!second.is_repeated() && second.store().id != first.id, "{second:?}");
    hide(second.store());
    let again = urumi.create(request()).await.unwrap();
    assert!(again.is_repeated() && again.store().id == second.store().id, "{again:?}");
}
