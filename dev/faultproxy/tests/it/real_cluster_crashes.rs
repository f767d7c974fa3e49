//! The server is killed at each of its writes.

use rand::prelude::*;
use urumi_faultproxy::{Fault, Moment, Plan, Requests};

use crate::cluster::{WELL, amount, kubeconfig, sample};
use crate::life::{Harm, Life, baseline, side_by_side};

/// How many lives are tried where no number of seeds is given.
const SAMPLE: usize = 12;

/// Every moment of every write of a flow.
fn points(writes: usize) -> Vec<Plan> {
    let moments = |at| Moment::ALL.map(|moment| Plan::at(Requests::Writes, at, Fault::Kill(moment)));
    (1..=writes).flat_map(moments).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_write_it_finishes_what_it_began() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let baseline = baseline(&kubeconfig).await;
    let flows = baseline.counts.map(|counts| points(counts.writes));
    let mut lives = Vec::new();
    for seed in 0..amount("URUMI_CHAOS_SEEDS").unwrap_or(1) {
        // A life has a crash in each of its flows; a seed decides which ones come together.
        let mut flows = flows.clone();
        let mut dice = StdRng::seed_from_u64(seed);
        flows.iter_mut().for_each(|points| points.shuffle(&mut dice));
        let longest = flows.iter().map(Vec::len).max().unwrap_or_default();
        lives.extend((0..longest).map(|n| flows.each_ref().map(|points| points[n % points.len()].clone())));
    }
    if amount::<u64>("URUMI_CHAOS_SEEDS").is_none() {
        lives = sample(&lives, SAMPLE);
    }
    let lives = lives.into_iter().map(async |[create, repair, delete]| {
        let mut life = Life::begin(&kubeconfig).await;
        life.create(create, Some(&baseline.dump)).await;
        life.repair(Harm::Taken, repair, &baseline.dump).await;
        life.delete(delete).await;
        life.end(Harm::Taken)
    });
    let points: usize = flows.iter().map(Vec::len).sum();
    side_by_side(&format!("crash points ({points} in all)"), lives).await;
}
