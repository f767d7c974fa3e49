//! The monitor under faults, on the in-memory cluster with paused time.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Secret, Service};
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::json;
use tokio::time::Instant;
use tracing::field::Field;
use tracing::span;

use urumi_core::cluster::{ClusterBackend as _, Fault, FaultTarget, InMemoryCluster, Outage};
use urumi_core::kubernetes::{ClusterErrorKind, Query, Verb, WatchEvent};
use urumi_core::kubernetes::{Kind, ObjectRef};
use urumi_core::store::status::StoreStatus;
use urumi_core::store::wait::Ready;
use urumi_core::{
    CreateStore, Error, ErrorKind, Leadership, Orchestrator, ReadinessMonitor, StoreId, StoreOrchestrator,
    StoreOrchestratorExt,
};

use crate::support::{PATIENCE, Running, Scene, with_scene};

fn memory() -> InMemoryCluster {
    InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build()
}

async fn with_memory<F: Future<Output = ()>>(cluster: InMemoryCluster, test: impl FnOnce(Scene) -> F) {
    with_scene(Arc::new(cluster), test).await;
}

/// Lets time pass that nobody waits for: these tests pause the clock, which then jumps from one event to the next.
async fn virtual_time(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Waits until the store has a status.
async fn until_status(scene: &Scene, status: StoreStatus) -> String {
    let namespace = ObjectRef::cluster(Kind::of::<Namespace>(), scene.id.namespace());
    scene
        .until(&namespace, |ns| ns.and_then(|ns| ns.annotation("store.urumi.ai/status")) == Some(status.as_str()))
        .await;
    scene.urumi.get(&scene.id).await.unwrap().reason.unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_store_that_crashes_later_is_degraded_and_recovers() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let _monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        let api = FaultTarget::named("medusa-api").in_namespace(scene.id.namespace());
        cluster.inject_fault(api.clone(), Fault::CrashLoop { exit_code: 1, restarts: 3 });
        let reason = until_status(&scene, StoreStatus::Degraded).await;
        assert!(reason.contains("medusa-api: "), "{reason}");
        cluster.clear_fault(&api);
        until_status(&scene, StoreStatus::Ready).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_no_orders_is_degraded_until_it_does() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let _monitor = Running::start(scene.monitor());
        let scheduled = json!({"smoke": {"schedule": "0 * * * *"}});
        let request = scene.request().options(scheduled.as_object().cloned().unwrap());
        scene.urumi.create(request).await.unwrap();
        assert_eq!(scene.urumi.smoke(&scene.id).await.unwrap_err().kind(), ErrorKind::Conflict);
        scene.ready().await;
        cluster.inject_fault(FaultTarget::any(), Fault::SmokeFails);
        let report = scene.urumi.smoke(&scene.id).await.unwrap();
        assert_eq!((report.failure(), report.order.as_deref()), (Some(("add to cart", "answers 503")), None));
        let reason = until_status(&scene, StoreStatus::Degraded).await;
        assert_eq!(reason, "SmokeTestFailed smoke order: add to cart: answers 503");
        // The Job goes after a while, what it said stays.
        virtual_time(Duration::from_secs(900)).await;
        let jobs = Query::all(Kind::of::<Job>()).in_namespace(scene.id.namespace());
        let left: Vec<String> = cluster.list(&jobs).await.unwrap().iter().map(|job| job.name().to_owned()).collect();
        assert_eq!(left, ["proof-of-life"]);
        assert_eq!(scene.urumi.get(&scene.id).await.unwrap().status, StoreStatus::Degraded);
        cluster.clear_faults();
        assert_eq!(scene.urumi.smoke(&scene.id).await.unwrap().failure(), None);
        until_status(&scene, StoreStatus::Ready).await;
    })
    .await;
}

/// A server answers requests in the same process.
#[tokio::test(start_paused = true)]
async fn a_check_of_all_stores_leaves_other_tasks_their_turns() {
    const STORES: usize = 20;
    // The turn of the other task, and the decisions since then: each reads the clock.
    let counts = Arc::new(Mutex::new((0, 0, Vec::new())));
    let (wall, start, seen) = (Timestamp::now(), Instant::now(), counts.clone());
    let clock = move || {
        let (turn, last, decisions) = &mut *seen.lock().unwrap();
        if *turn != *last || decisions.is_empty() {
            *last = *turn;
            decisions.push(0);
        }
        *decisions.last_mut().unwrap() += 1;
        wall + SignedDuration::try_from(start.elapsed()).unwrap()
    };
    let urumi = Orchestrator::builder(memory()).clock(clock).build();
    let _monitor = Running::start(ReadinessMonitor::new(urumi.clone()).resync(Duration::from_secs(60)));
    for n in 0..STORES {
        urumi.create(CreateStore::new(format!("Store {n}"), "medusa").id(format!("store-{n}"))).await.unwrap();
    }
    for n in 0..STORES {
        let id = StoreId::parse(&format!("store-{n}")).unwrap();
        urumi.wait_until(&id, Ready, PATIENCE).await.unwrap();
    }
    virtual_time(Duration::from_secs(30)).await;
    counts.lock().unwrap().2.clear();
    tokio::time::advance(Duration::from_secs(60)).await;
    for _ in 0..4 * STORES {
        counts.lock().unwrap().0 += 1;
        tokio::task::yield_now().await;
    }
    let decisions = std::mem::take(&mut counts.lock().unwrap().2);
    assert!(decisions.iter().sum::<usize>() >= STORES, "{decisions:?}");
    assert!(decisions.iter().all(|count| *count < STORES), "{decisions:?}");
}

/// It is an error of its own, since nothing is known of the shop.
#[tokio::test(start_paused = true)]
async fn an_order_that_never_began_is_told_from_one_that_failed() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let _monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        cluster.inject_fault(FaultTarget::image("ghcr.io/urumi/medusa-storefront"), Fault::NoRoom);
        let error = scene.urumi.smoke(&scene.id).await.unwrap_err();
        assert!(matches!(&error, Error::NoReport { message, .. } if message.contains("150 s")), "{error}");
    })
    .await;
}

/// Each replica of a server has an orchestrator of its own.
#[tokio::test(start_paused = true)]
async fn a_store_takes_one_order_at_a_time_from_all_replicas() {
    let cluster = InMemoryCluster::builder().latency(Duration::from_millis(5)).build();
    with_memory(cluster.clone(), async |scene| {
        let _monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        let jobs = async || {
            let jobs = Query::all(Kind::of::<Job>()).in_namespace(scene.id.namespace());
            let jobs = cluster.list(&jobs).await.unwrap();
            jobs.iter().filter(|job| job.label("store.urumi.ai/smoke").is_some()).count()
        };
        let replicas: Vec<Orchestrator> = (0..3).map(|_| Orchestrator::builder(cluster.clone()).build()).collect();
        for round in 1..=3 {
            let orders = (0..12).map(|n| replicas[n % 3].smoke(&scene.id));
            let (placed, refused): (Vec<_>, Vec<_>) = join_all(orders).await.into_iter().partition(Result::is_ok);
            assert_eq!((placed.len(), refused.len(), jobs().await), (1, 11, round));
            for error in refused.into_iter().filter_map(Result::err) {
                assert!(matches!(error, Error::SmokeRunning { .. }), "{error:?}");
                assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Conflict, true));
            }
        }
        // One that cannot begin is waited for, and no longer than its deadline.
        cluster.inject_fault(FaultTarget::image("ghcr.io/urumi/medusa-storefront"), Fault::NoRoom);
        let (silent, refused) = futures::join!(replicas[0].smoke(&scene.id), async {
            virtual_time(Duration::from_secs(60)).await;
            replicas[1].smoke(&scene.id).await
        });
        assert!(matches!(silent, Err(Error::NoReport { .. })), "{silent:?}");
        assert!(matches!(refused, Err(Error::SmokeRunning { .. })), "{refused:?}");
    })
    .await;
}

/// Whoever deletes a store while an order in it is on its way hears of nothing that is broken.
#[tokio::test(start_paused = true)]
async fn an_order_in_a_store_that_is_deleted_meanwhile_is_refused_not_lost() {
    for termination in [Duration::from_secs(20), Duration::ZERO] {
        let cluster = InMemoryCluster::builder().termination_delay(termination).build();
        with_memory(cluster.clone(), async |scene| {
            let _monitor = Running::start(scene.monitor());
            scene.urumi.create(scene.request()).await.unwrap();
            scene.ready().await;
            cluster.inject_fault(FaultTarget::image("ghcr.io/urumi/medusa-storefront"), Fault::NoRoom);
            let began = async {
                let jobs = Query::all(Kind::of::<Job>()).in_namespace(scene.id.namespace());
                let mut events = cluster.watch(&jobs);
                let tries = |event| match event {
                    WatchEvent::Snapshot(jobs) => jobs.iter().any(|job| job.label("store.urumi.ai/smoke").is_some()),
                    WatchEvent::Applied(job) => job.label("store.urumi.ai/smoke").is_some(),
                    _ => false,
                };
                while !tries(events.next().await.unwrap().unwrap()) {}
                scene.urumi.delete(&scene.id).await.unwrap();
            };
            let (tried, ()) = futures::join!(scene.urumi.smoke(&scene.id), began);
            let error = tried.unwrap_err();
            match termination.is_zero() {
                true => assert!(matches!(error, Error::NotFound { .. }), "{error}"),
                false => {
                    assert!(matches!(error, Error::WrongState { .. }), "{error}");
                    assert!(error.to_string().contains("it is deleting"), "{error}");
                }
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_is_named_when_the_deadline_passes() {
    for (fault, expected) in [
        (Fault::ImagePull, "ImagePullBackOff medusa-api: "),
        (
            Fault::CrashLoop { exit_code: 1, restarts: 3 },
            "CrashLoopBackOff medusa-api: container medusa-api exits with code 1",
        ),
        (Fault::CrashLoop { exit_code: 137, restarts: 3 }, "OOMKilled medusa-api: "),
        (Fault::NeverReady, "Unhealthy medusa-api: Readiness probe failed"),
        (Fault::NoRoom, "Unschedulable medusa-api: "),
        (Fault::QuotaExceeded, "QuotaExceeded medusa-api: "),
        (Fault::MissingSecret { name: "gone".into() }, "CreateContainerConfigError medusa-api: "),
    ] {
        let cluster = memory();
        with_memory(cluster.clone(), async |scene| {
            cluster.inject_fault(FaultTarget::named("medusa-api"), fault);
            let _monitor = Running::start(scene.monitor().deadline(Duration::from_secs(60)));
            scene.urumi.create(scene.request()).await.unwrap();
            let reason = until_status(&scene, StoreStatus::Failed).await;
            assert!(reason.starts_with(expected), "{reason:?} does not start with {expected:?}");
            // What was only late is ready in the end, without a person.
            cluster.clear_faults();
            until_status(&scene, StoreStatus::Ready).await;
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_unbound_claim_is_named() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        cluster.inject_fault(FaultTarget::named("postgres"), Fault::UnboundClaim);
        let _monitor = Running::start(scene.monitor().deadline(Duration::from_secs(60)));
        scene.urumi.create(scene.request()).await.unwrap();
        let reason = until_status(&scene, StoreStatus::Failed).await;
        assert!(reason.starts_with("ClaimUnbound postgres: "), "{reason}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_reason_is_shown_long_before_the_deadline() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        cluster.inject_fault(FaultTarget::named("medusa-api"), Fault::ImagePull);
        let _monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap();
        let namespace = ObjectRef::cluster(Kind::of::<Namespace>(), scene.id.namespace());
        let named = |ns: &urumi_core::kubernetes::Object| {
            ns.annotation("store.urumi.ai/conditions").is_some_and(|c| c.contains("ImagePullBackOff"))
        };
        scene.until(&namespace, |ns| ns.is_some_and(named)).await;
        let store = scene.urumi.get(&scene.id).await.unwrap();
        assert_eq!(store.status, StoreStatus::Provisioning);
        assert!(store.reason.unwrap().starts_with("ImagePullBackOff medusa-api: "));
    })
    .await;
}

/// The process that creates a store dies at each of its writes in turn: before it, or after it without an answer.
#[tokio::test(start_paused = true)]
async fn a_creation_that_was_cut_short_is_finished_by_a_monitor() {
    for lost in [false, true] {
        for writes in 0..14 {
            let cluster = memory();
            with_memory(cluster.clone(), async |scene| {
                let mut outage = Outage::new(ClusterErrorKind::Unreachable).verb(Verb::Create).after(writes);
                if lost {
                    outage = outage.answer_lost();
                }
                cluster.begin_outage(outage);
                let outcome = scene.urumi.create(scene.request()).await;
                cluster.end_outages();
                let secret = scene.cluster.get(&scene.reference(Kind::of::<Secret>(), "postgres-credentials")).await;
                let on_record = scene.urumi.get(&scene.id).await.is_ok();
                match outcome {
                    Ok(_) => {}
                    Err(Error::Unfinished { store, .. }) => assert_eq!(store.id, scene.id),
                    Err(_) if !on_record => return,
                    Err(error) => assert!(lost && writes == 0, "{error}"),
                }
                let _monitor = Running::start(scene.monitor());
                scene.ready().await;
                if let Some(secret) = secret.unwrap() {
                    let after = scene.object(Kind::of::<Secret>(), "postgres-credentials").await;
                    assert_eq!(after.as_value(), secret.as_value(), "a second password after {writes} writes");
                }
                assert!(scene.urumi.diff(&scene.id).await.unwrap().is_empty());
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_secret_is_not_drawn_again_over_an_old_volume() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let _monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        let secret = scene.reference(Kind::of::<Secret>(), "postgres-credentials");
        cluster.remove(&secret);
        cluster.remove(&scene.reference(Kind::of::<StatefulSet>(), "postgres"));
        let set = scene.reference(Kind::of::<StatefulSet>(), "postgres");
        scene.until(&set, |set| set.is_some()).await;
        assert_eq!(scene.cluster.get(&secret).await.unwrap(), None);
        until_status(&scene, StoreStatus::Degraded).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_that_no_retry_cures_fails_the_store_at_once() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let forbidden = Outage::new(ClusterErrorKind::Forbidden).verb(Verb::Create).of_kind(Kind::of::<Deployment>());
        cluster.begin_outage(forbidden);
        let unfinished = scene.urumi.create(scene.request()).await.unwrap_err();
        assert_eq!(unfinished.kind(), ErrorKind::Unfinished);
        let _monitor = Running::start(scene.monitor());
        let reason = until_status(&scene, StoreStatus::Failed).await;
        assert!(reason.starts_with("Forbidden medusa-"), "{reason}");
        cluster.end_outages();
        scene.urumi.retry(&scene.id).await.unwrap();
        scene.ready().await;
        let retried = scene.urumi.retry(&scene.id).await.unwrap_err();
        assert_eq!(retried.kind(), ErrorKind::Conflict);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_steady_store_costs_no_requests() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let _monitor = Running::start(ReadinessMonitor::new(scene.urumi.clone()).resync(Duration::from_secs(10)));
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        // What is gathered has been written, and many resyncs pass.
        virtual_time(Duration::from_secs(20)).await;
        cluster.forget_requests();
        virtual_time(Duration::from_secs(3600)).await;
        assert_eq!(cluster.requests(), vec![]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_creation_without_trouble_costs_no_needless_requests() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let monitor = Running::start(scene.monitor());
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        monitor.stop().await;
        let objects = scene.urumi.render(&scene.urumi.prepare(&scene.request()).unwrap()).unwrap().len();
        let of = |verb: Verb| cluster.requests().iter().filter(|r| r.verb == verb).count();
        assert_eq!((of(Verb::Create), of(Verb::Apply), of(Verb::Get)), (objects, 0, 0));
        assert!(of(Verb::PatchMetadata) <= 5, "{} writes of the record", of(Verb::PatchMetadata));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_monitor_outlives_dropped_and_expired_watches_and_failed_writes() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let _monitor = Running::start(scene.monitor());
        cluster.begin_outage(Outage::new(ClusterErrorKind::Unavailable).verb(Verb::PatchMetadata).times(3));
        scene.urumi.create(scene.request()).await.unwrap();
        cluster.drop_watches();
        scene.ready().await;
        cluster.expire_watches();
        cluster.remove(&scene.reference(Kind::of::<Service>(), "medusa-api"));
        let service = scene.reference(Kind::of::<Service>(), "medusa-api");
        scene.until(&service, |service| service.is_some()).await;
        scene.ready().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_monitor_that_does_not_lead_watches_and_does_not_write() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let (appointment, leadership) = Leadership::appointed(false);
        let mut monitor = Running::start(scene.monitor().led_by(leadership));
        monitor.handle.synced().await;
        scene.urumi.create(scene.request()).await.unwrap();
        virtual_time(Duration::from_secs(60)).await;
        assert_eq!(scene.urumi.get(&scene.id).await.unwrap().status, StoreStatus::Provisioning);
        assert!(!cluster.requests().iter().any(|r| r.verb == Verb::PatchMetadata));
        appointment.set(true);
        scene.ready().await;

        // What is under way when the leadership ends is given up, and done by whoever leads next.
        cluster.set_latency(Duration::from_secs(2));
        cluster.remove(&scene.reference(Kind::of::<Service>(), "medusa-api"));
        virtual_time(Duration::from_millis(2500)).await;
        appointment.set(false);
        cluster.forget_requests();
        virtual_time(Duration::from_secs(60)).await;
        let writes =
            |r: &urumi_core::cluster::Request| matches!(r.verb, Verb::Create | Verb::Apply | Verb::PatchMetadata);
        assert!(!cluster.requests().iter().any(writes), "{:?}", cluster.requests());
        appointment.set(true);
        scene.ready().await;
    })
    .await;
}

thread_local! {
    /// The changes of statuses that were logged on this thread.
    static LOGGED_CHANGES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the logged changes of statuses. It is installed for the whole process: tracing decides once for each log
/// statement whether anybody wants it, maybe on the thread of another test.
struct ChangeLog;

impl tracing::Subscriber for ChangeLog {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("urumi_core::monitor")
    }
    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::INFO)
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let (mut message, mut change) = (String::new(), Vec::new());
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| match field.name() {
            "message" => message = format!("{value:?}"),
            "from" | "to" => change.push(format!("{value:?}")),
            _ => {}
        });
        if message == "a store's status changed" {
            LOGGED_CHANGES.with_borrow_mut(|changes| changes.push(change.join(" to ")));
        }
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_change_of_status_is_logged_once_by_the_monitor_that_has_written_it() {
    let cluster = memory();
    tracing::subscriber::set_global_default(ChangeLog).unwrap();
    let logged = || LOGGED_CHANGES.with_borrow(Vec::clone);
    with_memory(cluster.clone(), async |scene| {
        let (_appointment, leadership) = Leadership::appointed(false);
        let _follower = Running::start(scene.monitor().led_by(leadership));
        let _leader = Running::start(scene.monitor());
        cluster.begin_outage(Outage::new(ClusterErrorKind::Conflict).verb(Verb::PatchMetadata));
        scene.urumi.create(scene.request()).await.unwrap();
        virtual_time(Duration::from_secs(30)).await;
        assert_eq!(logged(), Vec::<String>::new(), "nothing has been written");
        cluster.end_outages();
        scene.ready().await;
        virtual_time(Duration::from_secs(30)).await;
        assert_eq!(logged(), ["provisioning to ready"]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_monitor_that_may_not_read_classes_works_and_reports_it_apart() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        for kind in [Kind::of::<StorageClass>(), Kind::of::<IngressClass>()] {
            cluster.begin_outage(Outage::new(ClusterErrorKind::Forbidden).of_kind(kind));
        }
        let mut monitor = Running::start(scene.monitor());
        monitor.handle.synced().await;
        scene.urumi.create(scene.request()).await.unwrap();
        scene.ready().await;
        let health = monitor.handle.health();
        assert_eq!(health.failing_watches, Vec::<String>::new());
        assert_eq!(health.failing_optional_watches.len(), 2, "{:?}", health.failing_optional_watches);
        cluster.end_outages();
        virtual_time(Duration::from_secs(60)).await;
        assert_eq!(monitor.handle.health().failing_optional_watches, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_that_of_a_store_that_cannot_be_written_now() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let monitor = Running::start(scene.monitor());
        cluster.begin_outage(Outage::new(ClusterErrorKind::Unavailable).verb(Verb::PatchMetadata));
        scene.urumi.create(scene.request()).await.unwrap();
        virtual_time(Duration::from_secs(5)).await;
        assert!(monitor.handle.health().last_error.is_some());
        cluster.end_outages();
        scene.ready().await;
        virtual_time(Duration::from_secs(1)).await;
        assert_eq!(monitor.handle.health().last_error, None);
        // What failed for a store that is gone is of no interest any more.
        cluster.inject_fault(FaultTarget::named("medusa-api"), Fault::NeverReady);
        cluster.begin_outage(Outage::new(ClusterErrorKind::Unavailable).verb(Verb::PatchMetadata));
        virtual_time(Duration::from_secs(60)).await;
        assert!(monitor.handle.health().last_error.is_some());
        scene.urumi.delete(&scene.id).await.unwrap();
        virtual_time(Duration::from_secs(60)).await;
        assert_eq!(monitor.handle.health().last_error, None);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn fifty_stores_at_once_are_all_ready_and_all_go() {
    let cluster = memory();
    with_memory(cluster.clone(), async |scene| {
        let _monitor = Running::start(ReadinessMonitor::new(scene.urumi.clone()));
        let requests = (0..50).map(|n| scene.urumi.create(urumi_core::CreateStore::new(format!("Shop {n}"), "medusa")));
        let stores = futures::future::try_join_all(requests).await.unwrap();
        let stores: Vec<_> = stores.into_iter().map(urumi_core::Creation::into_store).collect();
        for store in &stores {
            let ready = urumi_core::store::wait::Ready.or_failed();
            scene.urumi.wait_until(&store.id, ready, PATIENCE).await.unwrap();
        }
        for store in &stores {
            scene.urumi.delete(&store.id).await.unwrap();
        }
        for store in &stores {
            let gone = urumi_core::store::wait::Deleted;
            scene.urumi.wait_until(&store.id, gone, PATIENCE).await.unwrap();
        }
        assert_eq!(scene.urumi.list().await.unwrap(), vec![]);
        let left: Vec<_> = cluster.dump().into_iter().filter(|o| o.namespace().is_some()).collect();
        assert!(left.is_empty(), "{left:?}");
    })
    .await;
}
