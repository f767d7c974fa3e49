//! Requests fail in every way while a store is created, repaired and deleted.

use rand::prelude::*;
use urumi_faultproxy::{Fault, Plan, Requests, Rule};

use crate::cluster::{WELL, amount, kubeconfig, sample};
use crate::life::{Harm, Life, baseline, side_by_side};

/// How many lives are tried where no number of seeds is given.
const SAMPLE: usize = 16;

/// Every fault at every request of a flow, once or several times in a row.
fn points(requests: usize, dice: &mut StdRng) -> Vec<Plan> {
    let mut points = Vec::new();
    for nth in 1..=requests {
        for fault in Fault::PASSING {
            // What hangs is noticed after many seconds: more of them in a row would be an outage.
            let times = if fault == Fault::Hang { 1 } else { dice.random_range(1..=3) };
            let rules = vec![Rule { requests: Requests::All, nth, times, fault }];
            points.push(Plan { rules, watches: Vec::new() });
        }
    }
    points.shuffle(dice);
    points
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_at_any_request_no_store_is_stuck_or_called_broken() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let baseline = baseline(&kubeconfig).await;
    let mut lives = Vec::new();
    for seed in 0..amount("URUMI_CHAOS_SEEDS").unwrap_or(1) {
        let mut dice = StdRng::seed_from_u64(seed);
        let flows = baseline.counts.map(|counts| points(counts.requests, &mut dice));
        let longest = flows.iter().map(Vec::len).max().unwrap_or_default();
        lives.extend((0..longest).map(|n| flows.each_ref().map(|points| points[n % points.len()].clone())));
    }
    if amount::<u64>("URUMI_CHAOS_SEEDS").is_none() {
        lives = sample(&lives, SAMPLE);
    }
    let lives = lives.into_iter().map(async |[create, repair, delete]| {
        let mut life = Life::begin(&kubeconfig).await;
        life.create(create, Some(&baseline.dump)).await;
        life.repair(Harm::Changed, repair, &baseline.dump).await;
        life.delete(delete).await;
        life.end(Harm::Changed)
    });
    let points: usize = baseline.counts.iter().map(|counts| counts.requests * Fault::PASSING.len()).sum();
    side_by_side(&format!("faults (at {points} points in all)"), lives).await;
}
