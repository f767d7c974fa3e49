//! urumi is moved to an API server that lags behind, and back.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use rand::prelude::*;
use tokio::time::{Instant, sleep};
use urumi_faultproxy::{Counts, Move, Moved, Plan};
use urumi_testing::say;

use crate::cluster::{WELL, kubeconfig, parallel, seeds};
use crate::lagging::Lagging;
use crate::life::{Baseline, Ended, Harm, Life, baseline, tell};

/// How many plans are tried where no number is given, and how long the API server then lags at most, in seconds.
const PLANS: u64 = 4;
const BRIEF: f64 = 6.0;
/// How long it does at least, and at most where a number is given.
const SHORTEST: f64 = 3.0;
const LONGEST: f64 = 20.0;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_back_in_time_with_an_api_server_that_lags() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let Some(lagging) = Lagging::start(&kubeconfig).await else {
        say("skipped: a second API server needs a cluster of dev/clusters/kubernetes\n");
        return;
    };
    lagging.knows_the_past(&kubeconfig).await;
    let baseline = baseline(&kubeconfig).await;
    let plans = seeds("URUMI_CHAOS_STALE_PLANS");
    let longest = if plans.is_some() { LONGEST } else { BRIEF };
    let (plans, began) = (plans.unwrap_or(0..PLANS).collect::<Vec<_>>(), Instant::now());
    let mut well = Vec::new();
    for seeds in plans.chunks(parallel()) {
        well.extend(round(&kubeconfig, &lagging, baseline, seeds, longest).await);
    }
    tell("moves to an API server that lags", began, plans.len(), &well);
}

/// Lives of these seeds side by side. At the beginning of each flow the API server is frozen for all of them.
async fn round(kubeconfig: &str, lagging: &Lagging, baseline: &Baseline, seeds: &[u64], longest: f64) -> Vec<Ended> {
    let mut dice = StdRng::seed_from_u64(seeds[0]);
    let mut courses = all(seeds.iter().map(async |seed| {
        let life = Life::begin(kubeconfig).await;
        life.proxy.add_second(&lagging.kubeconfig(), &lagging.link).await;
        Course { dice: StdRng::seed_from_u64(*seed), life, stores: 1, baseline }
    }))
    .await;
    for flow in Flow::ALL {
        let lag = dice.random_range(SHORTEST..=longest);
        let lead = dice.random_range(0.0..=lag / 3.0);
        lagging.link.freeze();
        sleep(Duration::from_secs_f64(lead)).await;
        let flows = all(courses.into_iter().map(|course| course.go(flow, lag - lead)));
        let thaw = async {
            sleep(Duration::from_secs_f64(lag - lead)).await;
            lagging.link.thaw();
        };
        (courses, ()) = tokio::join!(flows, thaw);
    }
    all(courses.into_iter().map(async |course| course.life.end_after(course.stores, Harm::Changed))).await
}

/// What becomes of all that do not fail.
async fn all<F: Future>(lives: impl Iterator<Item = F>) -> Vec<F::Output> {
    let ends = join_all(lives.map(|life| AssertUnwindSafe(life).catch_unwind())).await;
    ends.into_iter().flatten().collect()
}

/// A part of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Create,
    Repair,
    Delete,
}

impl Flow {
    const ALL: [Flow; 3] = [Flow::Create, Flow::Repair, Flow::Delete];
}

/// A life, and what is drawn for it.
struct Course<'a> {
    dice: StdRng,
    life: Life,
    /// How many stores of its id there were.
    stores: usize,
    baseline: &'a Baseline,
}

impl Course<'_> {
    /// Goes on with a move at some moment, while the API server does not know the present for so many seconds. Every
    /// fourth time urumi is started again after it; every other store is deleted at once, or created anew.
    async fn go(mut self, flow: Flow, lag: f64) -> Self {
        let (life, expected) = (&mut self.life, &self.baseline.dump);
        let mut moving = moving(&mut self.dice, self.baseline.counts[flow as usize], lag);
        let (restarted, renewed) = (self.dice.random_bool(0.25), self.dice.random_bool(0.5));
        if restarted {
            moving.nth = 0;
        }
        let mut plan = Some(Plan { moving: Some(moving), ..Plan::default() });
        if restarted {
            life.proxy.obey(plan.take().unwrap_or_default());
            if flow == Flow::Repair {
                life.harm(Harm::Changed).await;
            }
            life.restart().await;
        }
        match flow {
            Flow::Create => life.create(plan, Some(expected)).await,
            Flow::Repair => life.repair(Harm::Changed, plan, expected).await,
            Flow::Delete => life.delete(plan).await,
        }
        if renewed && flow != Flow::Repair {
            if flow == Flow::Create {
                life.delete(None).await;
            }
            life.forget_password();
            life.create(None, Some(expected)).await;
            if flow == Flow::Delete {
                life.delete(None).await;
            }
            self.stores += 1;
        }
        self
    }
}

/// A move at some moment of a flow; every other time back, before the API server knows the present or at most a little
/// after.
fn moving(dice: &mut StdRng, counts: Counts, lag: f64) -> Move {
    let what = Moved::ALL.choose(dice).copied().unwrap();
    let back = dice.random_bool(0.5).then(|| Duration::from_secs_f64(dice.random_range(0.2..lag + 1.0)));
    Move { nth: dice.random_range(0..=counts.requests), what, back }
}
