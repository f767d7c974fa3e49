//! urumi is moved to an API server that lags behind, and back.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::future::join_all;
use futures::{AsyncBufReadExt, FutureExt, TryStreamExt};
use http::Request;
use rand::prelude::*;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use urumi_faultproxy::{Counts, Move, Moved, Plan};

use crate::cluster::{WELL, amount, kubeconfig, parallel, say};
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
        say("skipped: a second API server needs a cluster of dev/cluster\n");
        return;
    };
    it_knows_the_past(&kubeconfig, &lagging).await;
    let baseline = baseline(&kubeconfig).await;
    let plans = amount("URUMI_CHAOS_STALE_PLANS");
    let longest = if plans.is_some() { LONGEST } else { BRIEF };
    let (plans, began) = (plans.unwrap_or(PLANS), Instant::now());
    let mut well = Vec::new();
    for seeds in (0..plans).collect::<Vec<_>>().chunks(parallel()) {
        well.extend(round(&kubeconfig, &lagging, baseline, seeds, longest).await);
    }
    tell("moves to an API server that lags", began, plans as usize, &well);
}

/// Lives of these seeds side by side. At the beginning of each flow the API server is frozen for all of them.
async fn round(kubeconfig: &str, lagging: &Lagging, baseline: &Baseline, seeds: &[u64], longest: f64) -> Vec<Ended> {
    let mut dice = StdRng::seed_from_u64(seeds[0]);
    let mut lives = all(seeds.iter().map(async |seed| {
        let life = Life::begin(kubeconfig).await;
        life.proxy.add_second(&lagging.kubeconfig(), &lagging.link).await;
        (StdRng::seed_from_u64(*seed), life)
    }))
    .await;
    for (flow, counts) in baseline.counts.iter().enumerate() {
        let lag = dice.random_range(SHORTEST..=longest);
        let lead = dice.random_range(0.0..=lag / 3.0);
        lagging.link.freeze();
        sleep(Duration::from_secs_f64(lead)).await;
        let flows = all(lives.into_iter().map(async |(mut dice, mut life)| {
            let plan = Plan { moving: Some(moving(&mut dice, *counts, lag - lead)), ..Plan::default() };
            match flow {
                0 => life.create(plan, Some(&baseline.dump)).await,
                1 => life.repair(Harm::Changed, plan, &baseline.dump).await,
                _ => life.delete(plan).await,
            }
            (dice, life)
        }));
        let thaw = async {
            sleep(Duration::from_secs_f64(lag - lead)).await;
            lagging.link.thaw();
        };
        (lives, ()) = tokio::join!(flows, thaw);
    }
    all(lives.into_iter().map(async |(_, life)| life.end(Harm::Changed))).await
}

/// What becomes of all that do not fail.
async fn all<F: Future>(lives: impl Iterator<Item = F>) -> Vec<F::Output> {
    let ends = join_all(lives.map(|life| AssertUnwindSafe(life).catch_unwind())).await;
    ends.into_iter().flatten().collect()
}

/// A move at some moment of a flow; every other time back, before the API server knows the present or at most a little
/// after.
fn moving(dice: &mut StdRng, counts: Counts, lag: f64) -> Move {
    let what = Moved::ALL.choose(dice).copied().unwrap();
    let back = dice.random_bool(0.5).then(|| Duration::from_secs_f64(dice.random_range(0.2..lag + 1.0)));
    Move { nth: dice.random_range(0..=counts.requests), what, back }
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// What it is that the lives are moved to: while it is frozen, it shows the past to those who do not ask for the present,
/// whom it does not answer.
async fn it_knows_the_past(kubeconfig: &str, lagging: &Lagging) {
    let (first, second) = (urumi_testing::client(kubeconfig).await, urumi_testing::client(&lagging.kubeconfig()).await);
    let get = async |client: &kube::Client, path: &str| -> Option<Value> {
        let question = client.request(Request::get(path).body(Vec::new()).unwrap());
        timeout(Duration::from_secs(2), question).await.ok()?.ok()
    };
    let create = async |name: &str| -> String {
        let body = json!({"metadata": {"name": name, "labels": {"test": "lagging"}}}).to_string().into_bytes();
        let request = Request::post(MAPS).header("content-type", "application/json").body(body).unwrap();
        let made: Value = first.request(request).await.unwrap();
        made["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
    };
    let names = [(); 2].map(|()| format!("lagging-{}", uuid::Uuid::new_v4()));
    let version = create(&names[0]).await;
    let latest = format!("{MAPS}?labelSelector=test%3Dlagging");
    let count = |list: Option<Value>| list.map(|list| list["items"].as_array().unwrap().len());
    assert_eq!(count(get(&second, &latest).await), Some(1));
    let watch = async |version: &str| {
        let path = format!("{latest}&watch=true&resourceVersion={version}");
        second.request_stream(Request::get(path).body(Vec::new()).unwrap()).await.map(|stream| stream.lines())
    };
    let mut running = watch(&version).await.unwrap();

    lagging.link.freeze();
    let newer = create(&names[1]).await;
    assert!(timeout(Duration::from_secs(1), running.try_next()).await.is_err(), "it knows the present");
    assert_eq!(count(get(&second, &format!("{latest}&resourceVersion=0")).await), Some(1), "of the cache");
    assert_eq!(count(get(&second, &latest).await), None);
    assert_eq!(get(&second, &format!("{MAPS}/{}", names[1])).await, None);
    match timeout(Duration::from_secs(5), watch(&newer)).await {
        Ok(Ok(mut lines)) => {
            say(&format!("future watch: {:?}\n", timeout(Duration::from_secs(5), lines.try_next()).await))
        }
        other => say(&format!("future watch refused: {:?}\n", other.map(|o| o.map(drop)))),
    }

    lagging.link.thaw();
    let event = timeout(Duration::from_secs(10), running.try_next()).await.unwrap().unwrap().unwrap();
    assert!(event.contains(&names[1]), "{event}");
    assert_eq!(count(get(&second, &latest).await), Some(2));
    let all = Request::delete(latest).body(Vec::new()).unwrap();
    first.request::<Value>(all).await.unwrap();
}
