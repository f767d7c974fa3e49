//! Watches lose, delay and repeat events, end, expire, and lag behind.

use urumi_faultproxy::Plan;

use crate::cluster::{WELL, kubeconfig, seeds};
use crate::life::{Harm, Life, baseline, side_by_side};

/// How many plans are tried where no number is given.
const PLANS: u64 = 10;

/// What a store's state is read from.
const KINDS: [&str; 8] = [
    "namespaces",
    "pods",
    "deployments",
    "statefulsets",
    "persistentvolumeclaims",
    "services",
    "ingresses",
    "networkpolicies",
];

/// Plans are made for about as many events as a life has of a kind.
const EVENTS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_events_the_end_is_the_same() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let baseline = baseline(&kubeconfig).await;
    let plans = seeds("URUMI_CHAOS_WATCH_PLANS").unwrap_or(0..PLANS);
    let lives = plans.map(async |seed| {
        let mut life = Life::begin_under(&kubeconfig, Plan::watches(seed, &KINDS, EVENTS)).await;
        life.create(None, Some(&baseline.dump)).await;
        life.repair(Harm::Changed, None, &baseline.dump).await;
        life.delete(None).await;
        life.end(Harm::Changed)
    });
    side_by_side("watch faults", lives).await;
}
