//! Everything that can go wrong at one point of a flow, tried at all of them: a sample of it, or all by `make chaos`.

use rand::prelude::*;
use urumi_faultproxy::{Counts, Plan};

use crate::cluster::{WELL, amount, kubeconfig, sample};
use crate::life::{Harm, Life, baseline, side_by_side};

/// Lives with one plan for each of their five flows. `points` draws those of a flow, by how many requests it takes; a seed
/// decides which ones come together. Without a number of seeds, only `some` of the first seed's lives are lived.
pub(crate) async fn try_all(what: &str, some: usize, harm: Harm, points: impl Fn(Counts, &mut StdRng) -> Vec<Plan>) {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let baseline = baseline(&kubeconfig).await;
    let mut lives = Vec::new();
    let mut in_all = 0;
    for seed in 0..amount("URUMI_CHAOS_SEEDS").unwrap_or(1) {
        let mut dice = StdRng::seed_from_u64(seed);
        let flows = baseline.counts.map(|counts| {
            let mut points = points(counts, &mut dice);
            points.shuffle(&mut dice);
            points
        });
        in_all = flows.iter().map(Vec::len).sum();
        let longest = flows.iter().map(Vec::len).max().unwrap_or_default();
        lives.extend((0..longest).map(|n| flows.each_ref().map(|points| points[n % points.len()].clone())));
    }
    if amount::<u64>("URUMI_CHAOS_SEEDS").is_none() {
        lives = sample(&lives, some);
    }
    let lives = lives.into_iter().map(async |[create, repair, delete, change, back]| {
        let mut life = Life::begin(&kubeconfig).await;
        life.create(create, Some(&baseline.dump)).await;
        life.repair(harm, repair, &baseline.dump).await;
        life.change(change, Some(&baseline.changed)).await;
        life.go_back(back, Some(&baseline.returned)).await;
        life.delete(delete).await;
        life.end(harm)
    });
    side_by_side(&format!("{what} ({in_all} points in all)"), lives).await;
}
