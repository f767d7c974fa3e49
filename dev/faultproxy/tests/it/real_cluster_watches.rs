//! Watches lose, delay and repeat events, end, expire, and lag behind.

use std::time::Duration;

use futures::StreamExt;
use urumi_faultproxy::Plan;

use crate::cluster::{WELL, amount, kubeconfig, parallel, say};
use crate::life::{Harm, Life, baseline};

/// How many plans are tried where no number is given.
const PLANS: u64 = 10;

/// What a store's state is read from.
const KINDS: [&str; 8] =
    ["namespaces", "pods", "deployments", "statefulsets", "persistentvolumeclaims", "services", "ingresses", "secrets"];

/// Plans are made for about as many events as a life has of a kind.
const EVENTS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_events_the_end_is_the_same() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let baseline = baseline(&kubeconfig).await;
    let plans = amount("URUMI_CHAOS_WATCH_PLANS").unwrap_or(PLANS);
    let began = std::time::Instant::now();
    let ends = futures::stream::iter(0..plans).map(async |seed| {
        let mut life = Life::begin_under(&kubeconfig, Plan::watches(seed, &KINDS, EVENTS)).await;
        life.create(None, Some(&baseline.dump)).await;
        life.repair(Harm::Changed, None, &baseline.dump).await;
        life.delete(None).await;
        let faults: usize = life.proxy.log().iter().map(|entry| entry.faults.len()).sum();
        (life.end(Harm::Changed).0, faults)
    });
    let ends: Vec<(Duration, usize)> = ends.buffer_unordered(parallel()).collect().await;
    let faults: usize = ends.iter().map(|(_, faults)| faults).sum();
    let slowest = ends.iter().map(|(slowest, _)| *slowest).max().unwrap_or_default();
    say(&format!(
        "watch faults: {faults} in {plans} plans, well again within {slowest:.1?}; took {:.0?}\n",
        began.elapsed()
    ));
}
