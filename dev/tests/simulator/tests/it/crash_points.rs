//! Two deaths in one life: at every pair of writes of a creation, a repair and a deletion, at every moment of them.

use std::time::Duration;

use urumi_core::{CreateStore, StoreId};
use urumi_simulator::engine::StallEngine;
use urumi_simulator::scenario::{Action, CrashPoint, Drift, Moment, Of, SHORT, Wanted};
use urumi_simulator::{Build, Scenario, oracle, run};

const SECOND: Duration = Duration::from_secs(1);

/// A store that is created, repaired twice, and deleted where it does not stay. Whoever leads dies and is back soon.
fn life(stays: bool) -> Scenario {
    let id = StoreId::parse("shop").unwrap();
    let request = CreateStore::new("Shop 0", StallEngine::NAME).id("shop").idempotency_key("key");
    let mut actions = vec![
        (SECOND, Action::Create(0)),
        (12 * SECOND, Action::Drift(0, Drift::Field(1))),
        (14 * SECOND, Action::Drift(0, Drift::Removed(2))),
    ];
    if !stays {
        actions.push((30 * SECOND, Action::Delete(0)));
    }
    Scenario {
        seed: 0,
        replicas: 1,
        election: SHORT,
        skew: Duration::ZERO,
        stores: vec![Wanted { request, id, stays }],
        actions,
        crashes: Vec::new(),
        weather: None,
        heals_at: 45 * SECOND,
        readiness_delay: SECOND,
        termination_delay: 2 * SECOND,
        collection_delay: SECOND,
    }
}

fn death(write: u64, moment: Moment) -> CrashPoint {
    CrashPoint { of: Of::Stores, write, moment, back_after: SECOND / 2 }
}

/// Runs every pair of deaths whose first is at one of these writes, and says how many there were.
fn pairs_end_as_without_deaths(stays: bool, firsts: impl Iterator<Item = u64>, moments: &[(Moment, Moment)]) -> u64 {
    let undisturbed = run(&life(stays), &Build::default());
    assert_eq!(undisturbed.violations, []);
    let mut pairs = 0;
    for first in firsts.take_while(|first| *first < undisturbed.writes) {
        // What is done twice because of the first death comes in addition.
        for second in first + 1..undisturbed.writes + 4 {
            for (one, other) in moments {
                let crashes = vec![death(first, *one), death(second, *other)];
                let report = run(&Scenario { crashes, ..life(stays) }, &Build::default());
                let place = format!("killed at {first} ({one:?}) and {second} ({other:?})");
                assert_eq!(report.violations, [], "{place}");
                assert_eq!(oracle::difference(&undisturbed.dump, &report.dump), None, "{place}");
                pairs += 1;
            }
        }
    }
    pairs
}

fn every_moment() -> Vec<(Moment, Moment)> {
    Moment::ALL.into_iter().flat_map(|one| Moment::ALL.map(|other| (one, other))).collect()
}

/// Some of the pairs, killed after the cluster has done the writes and before anybody knows.
#[test]
fn a_store_survives_two_deaths() {
    let committed = [(Moment::Committed, Moment::Committed)];
    assert!(pairs_end_as_without_deaths(true, (0..).step_by(4), &committed) > 20);
}

#[test]
fn a_store_goes_in_spite_of_two_deaths() {
    let committed = [(Moment::Committed, Moment::Committed)];
    assert!(pairs_end_as_without_deaths(false, (1..).step_by(4), &committed) > 20);
}

/// All moments of all pairs, several minutes of them: `make chaos` runs it.
#[test]
#[ignore = "takes minutes"]
fn all_moments_of_all_pairs() {
    for stays in [true, false] {
        assert!(pairs_end_as_without_deaths(stays, 0.., &every_moment()) > 500);
    }
}
