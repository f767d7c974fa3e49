//! The server is killed at each of its writes.

use urumi_faultproxy::{Fault, Moment, Plan, Requests};

use crate::life::Harm;
use crate::points::try_all;

/// How many lives are tried where no number of seeds is given.
const SAMPLE: usize = 12;

/// Every moment of every write of a flow.
fn points(writes: usize) -> Vec<Plan> {
    let moments = |at| Moment::ALL.map(|moment| Plan::at(Requests::Writes, at, Fault::Kill(moment)));
    (1..=writes).flat_map(moments).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_write_it_finishes_what_it_began() {
    try_all("crashes", SAMPLE, Harm::Taken, |counts, _| points(counts.writes)).await;
}
