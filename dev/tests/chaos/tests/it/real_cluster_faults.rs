//! Requests fail in every way while a store is created, repaired and deleted.

use rand::prelude::*;
use urumi_faultproxy::{Fault, Plan, Requests, Rule};

use crate::life::Harm;
use crate::points::try_all;

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
            points.push(Plan { rules, ..Plan::default() });
        }
    }
    points
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_at_any_request_no_store_is_stuck_or_called_broken() {
    try_all("faults", SAMPLE, Harm::Changed, |counts, dice| points(counts.requests, dice)).await;
}
