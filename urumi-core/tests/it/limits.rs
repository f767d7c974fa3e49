//! How many stores an owner may have.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use urumi_core::cluster::{InMemoryCluster, Outage};
use urumi_core::error::{Error, ErrorKind};
use urumi_core::kubernetes::syntax::Quantity;
use urumi_core::kubernetes::{ClusterErrorKind, Verb};
use urumi_core::{CreateStore, Creation, Orchestrator, OwnerLimits, Result, StoreOrchestrator, StoreOrchestratorExt};

fn slow() -> InMemoryCluster {
    InMemoryCluster::builder().latency(Duration::from_millis(5)).build()
}

/// One process with these limits.
fn urumi(cluster: &InMemoryCluster, limits: OwnerLimits) -> Orchestrator {
    Orchestrator::builder(cluster.clone()).owner_limits(limits).build()
}

async fn create(urumi: &Orchestrator, owner: &str) -> Result<Creation> {
    urumi.create(CreateStore::new("Shop", "medusa").owner(owner)).await
}

#[tokio::test(start_paused = true)]
async fn an_owner_has_so_many_stores_and_no_more() {
    let cluster = slow();
    let limits = OwnerLimits::default().stores(2);
    let first = create(&urumi(&cluster, limits.clone()), "user:ann").await.unwrap().into_store();
    // Another process counts the same stores.
    let urumi = urumi(&cluster, limits);
    create(&urumi, "user:ann").await.unwrap();
    let refused = create(&urumi, "user:ann").await.unwrap_err();
    assert_eq!(refused.to_string(), "user:ann has 2 of 2 stores; delete one, or ask an administrator for more");
    assert_eq!((refused.kind(), refused.is_retryable()), (ErrorKind::NotPermitted, false));
    // Others are counted by themselves, and a store without an owner is nobody's.
    create(&urumi, "user:an").await.unwrap();
    for _ in 0..3 {
        urumi.create(CreateStore::new("Nobody's", "medusa")).await.unwrap();
    }
    // A store that is being deleted makes room.
    urumi.delete(&first.id).await.unwrap();
    create(&urumi, "user:ann").await.unwrap();
    assert!(matches!(create(&urumi, "user:ann").await, Err(Error::LimitReached { has: 2, limit: 2, .. })));
}

#[tokio::test(start_paused = true)]
async fn concurrent_creations_share_a_limit() {
    let none = OwnerLimits::default;
    for limits in [none().stores(3), none().provisioning(3), none().creations_per_hour(3)] {
        let stores_limited = limits.stores.is_some();
        let urumi = urumi(&slow(), limits);
        let answers = join_all((0..20).map(|_| create(&urumi, "user:ann"))).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((made.len(), refused.len()), (3, 17), "{refused:?}");
        for refused in refused.into_iter().filter_map(Result::err) {
            assert_eq!(refused.kind(), ErrorKind::NotPermitted, "{refused:?}");
            assert_eq!(refused.is_retryable(), !stores_limited, "{refused:?}");
        }
    }
}

/// Repetitions of a creation share its place, whatever else is refused between them.
#[tokio::test(start_paused = true)]
async fn repetitions_are_not_refused_for_the_store_that_they_repeat() {
    let urumi = urumi(&slow(), OwnerLimits::default().stores(1).provisioning(1));
    let request = |key: &str| CreateStore::new("Shop", "medusa").owner("user:ann").idempotency_key(key);
    for _ in 0..2 {
        let answers = join_all((0..16).map(|n| urumi.create(request(["first", "second"][n % 2])))).await;
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(answer.is_ok(), n % 2 == 0, "{n}: {answer:?}");
        }
    }
    assert_eq!(urumi.list().await.unwrap().len(), 1);
}

/// A store costs more than the room that it takes: deleting it again does not give that back.
#[tokio::test(start_paused = true)]
async fn creating_and_deleting_in_a_loop_is_limited_by_the_hour() {
    let cluster = slow();
    let clock = Arc::new(Mutex::new(Timestamp::now()));
    let now = clock.clone();
    let urumi = Orchestrator::builder(cluster.clone())
        .owner_limits(OwnerLimits::default().stores(1).creations_per_hour(5))
        .clock(move || *now.lock().unwrap())
        .build();
    let attempt = async || {
        let made = create(&urumi, "user:ann").await?.into_store();
        urumi.delete(&made.id).await?;
        while urumi.get(&made.id).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok::<_, Error>(())
    };
    for _ in 0..5 {
        attempt().await.unwrap();
    }
    let refused = attempt().await.unwrap_err();
    assert!(matches!(refused, Error::CreationLimit { has: 5, limit: 5, .. }), "{refused:?}");
    assert_eq!((refused.kind(), refused.is_retryable()), (ErrorKind::NotPermitted, true));
    create(&urumi, "user:bob").await.unwrap();
    let failing = cluster.begin_outage(Outage::new(ClusterErrorKind::Forbidden).verb(Verb::Create));
    *clock.lock().unwrap() += Duration::from_secs(3601);
    assert!(matches!(create(&urumi, "user:ann").await, Err(Error::Cluster { .. })), "creates nothing");
    cluster.end_outage(failing);
    for _ in 0..5 {
        attempt().await.unwrap();
    }
    assert!(matches!(attempt().await, Err(Error::CreationLimit { .. })));
}

/// Another process counts the stores that are on record.
#[tokio::test(start_paused = true)]
async fn creations_of_other_processes_count_while_their_stores_exist() {
    let (cluster, limits) = (slow(), OwnerLimits::default().creations_per_hour(2));
    for _ in 0..2 {
        create(&urumi(&cluster, limits.clone()), "user:ann").await.unwrap();
    }
    assert!(matches!(create(&urumi(&cluster, limits), "user:ann").await, Err(Error::CreationLimit { has: 2, .. })));
}

/// A creation that fails gives its place back.
#[tokio::test(start_paused = true)]
async fn what_is_not_made_does_not_count() {
    let cluster = slow();
    let urumi = urumi(&cluster, OwnerLimits::default().stores(1));
    let outage = cluster.begin_outage(Outage::new(ClusterErrorKind::Forbidden).verb(Verb::Create));
    assert!(matches!(create(&urumi, "user:ann").await, Err(Error::Cluster { .. })));
    cluster.end_outage(outage);
    create(&urumi, "user:ann").await.unwrap();
    assert!(matches!(create(&urumi, "user:ann").await, Err(Error::LimitReached { .. })));
}

/// The stores of an owner together ask for no more than the owner may have, however large each of them is.
#[tokio::test(start_paused = true)]
async fn the_resources_of_an_owner_are_limited_together() {
    let quantity = |text: &str| Quantity::parse(text).unwrap();
    // A store of the built-in defaults requests 175m CPU, 768Mi memory and 5Gi storage.
    for (limits, resource) in [
        (OwnerLimits::default().cpu(quantity("400m")), "CPUs"),
        (OwnerLimits::default().memory(quantity("1599Mi")), "memory"),
        (OwnerLimits::default().storage(quantity("12Gi")), "storage"),
    ] {
        let urumi = urumi(&slow(), limits);
        let answers = join_all((0..5).map(|_| create(&urumi, "user:ann"))).await;
        let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
        assert_eq!(refused.len(), 3, "{resource}: {refused:?}");
        for error in refused {
            assert!(matches!(&error, Error::DemandLimit { resource: of, .. } if *of == resource), "{error:?}");
            assert_eq!(error.kind(), ErrorKind::NotPermitted);
        }
        create(&urumi, "user:bob").await.unwrap();
        let large = serde_json::json!({"api": {"replicas": 3}, "database": {"storage": {"size": "20Gi"}}});
        let large = CreateStore::new("Large", "medusa").owner("user:eve").options(large.as_object().cloned().unwrap());
        let outcome = urumi.create(large).await;
        // One store alone may be too much, too.
        assert!(matches!(outcome, Err(Error::DemandLimit { .. })), "{resource}: {outcome:?}");
    }
}
