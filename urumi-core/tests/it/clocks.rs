//! A monitor whose clock is wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};
use urumi_core::cluster::{Fault, FaultTarget, InMemoryCluster};
use urumi_core::store::status::StoreStatus;
use urumi_core::{Orchestrator, StoreOrchestrator as _, StoreOrchestratorExt as _};

use crate::support::{Running, Scene, with_scene};

/// Runs something where the monitor's clock is an hour ahead, and where it is an hour behind.
async fn with_wrong_clocks(starting: Duration, test: impl AsyncFn(Scene)) {
    for hours in [-1, 1] {
        let cluster = Arc::new(InMemoryCluster::builder().readiness_delay(starting).build());
        let (wall, start) = (Timestamp::now() + SignedDuration::from_hours(hours), Instant::now());
        let clock = move || wall + SignedDuration::try_from(start.elapsed()).unwrap();
        let urumi = Orchestrator::builder(cluster.clone()).clock(clock).build();
        with_scene(cluster, |scene| test(Scene { urumi, ..scene })).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_fails_at_its_deadline_and_not_before() {
    with_wrong_clocks(Duration::from_secs(600), async |scene: Scene| {
        let _monitor = Running::start(scene.monitor().deadline(Duration::from_secs(60)));
        let status = async || scene.urumi.get(&scene.id).await.unwrap().status;
        for _ in 0..2 {
            match scene.urumi.get(&scene.id).await {
                Ok(_) => scene.urumi.retry(&scene.id).await.map(drop).unwrap(),
                Err(_) => scene.urumi.create(scene.request()).await.map(drop).unwrap(),
            }
            sleep(Duration::from_secs(58)).await;
            assert_eq!(status().await, StoreStatus::Provisioning);
            sleep(Duration::from_secs(4)).await;
            assert_eq!(status().await, StoreStatus::Failed);
        }
    })
    .await;
}

/// Nobody could finish the store while no monitor ran.
#[tokio::test(start_paused = true)]
async fn a_monitor_that_is_started_later_gives_a_store_its_whole_time() {
    with_wrong_clocks(Duration::from_secs(100), async |scene: Scene| {
        scene.urumi.create(scene.request()).await.unwrap();
        sleep(Duration::from_secs(70)).await;
        let _monitor = Running::start(scene.monitor().deadline(Duration::from_secs(60)));
        scene.ready().await;
    })
    .await;
}

/// A time server may set the clock at any time.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_fails_no_starting_store_early() {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build();
    let (wall, start, step) = (Timestamp::now(), Instant::now(), Arc::new(AtomicI64::new(0)));
    let stepped = step.clone();
    let clock = move || {
        let step = SignedDuration::from_secs(stepped.load(Ordering::Relaxed));
        wall + SignedDuration::try_from(start.elapsed()).unwrap() + step
    };
    let urumi = Orchestrator::builder(cluster.clone()).clock(clock).build();
    with_scene(Arc::new(cluster.clone()), async |scene| {
        let scene = Scene { urumi, ..scene };
        cluster.inject_fault(FaultTarget::named("postgres"), Fault::ImagePull);
        let _monitor = Running::start(scene.monitor().resync(Duration::from_secs(10)));
        scene.urumi.create(scene.request()).await.unwrap();
        sleep(Duration::from_secs(5)).await;
        step.store(30, Ordering::Relaxed);
        let status = async || scene.urumi.get(&scene.id).await.unwrap().status;
        // The next resync has passed, and the problem has lasted for less than 20 s.
        sleep(Duration::from_secs(10)).await;
        assert_eq!(status().await, StoreStatus::Provisioning);
        sleep(Duration::from_secs(10)).await;
        assert_eq!(status().await, StoreStatus::Failed);
    })
    .await;
}
