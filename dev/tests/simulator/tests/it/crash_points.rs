//! Two deaths in one life: at every pair of writes of a creation, a repair and a deletion, at every moment of them; and of changes.

use std::time::Duration;

use urumi_core::{CreateStore, StoreId};
use urumi_simulator::engine::StallEngine;
use urumi_simulator::look::Look;
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

/// A store that is changed, and is once more as it was before: an object comes with the change and goes with the way back.
fn changing_life() -> Scenario {
    let look = Look { colour: 1, extra: true, broken: false };
    let mut actions = life(true).actions;
    actions.truncate(1);
    actions.extend([(10 * SECOND, Action::Change(0, look)), (24 * SECOND, Action::RollBack(0))]);
    Scenario { actions, ..life(true) }
}

/// A store that is changed to something that does not work, and goes back by itself.
fn returning_life() -> Scenario {
    let good = Look { colour: 1, extra: true, broken: false };
    let mut actions = life(true).actions;
    actions.truncate(1);
    actions.extend([
        (10 * SECOND, Action::Change(0, good)),
        (20 * SECOND, Action::Change(0, Look { colour: 2, extra: false, broken: true })),
    ]);
    Scenario { actions, heals_at: 80 * SECOND, ..life(true) }
}

fn death(write: u64, moment: Moment) -> CrashPoint {
    CrashPoint { of: Of::Stores, write, moment, back_after: SECOND / 2 }
}

/// Runs every pair of deaths whose first is at one of these writes, and says how many there were.
fn pairs_end_as_without_deaths(
    life: &Scenario,
    firsts: impl Iterator<Item = u64>,
    moments: &[(Moment, Moment)],
) -> u64 {
    let undisturbed = run(life, &Build::default());
    assert_eq!(undisturbed.violations, []);
    let mut pairs = 0;
    for first in firsts.take_while(|first| *first < undisturbed.writes) {
        // What is done twice because of the first death comes in addition.
        for second in first + 1..undisturbed.writes + 4 {
            for (one, other) in moments {
                let crashes = vec![death(first, *one), death(second, *other)];
                let report = run(&Scenario { crashes, ..life.clone() }, &Build::default());
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
    assert!(pairs_end_as_without_deaths(&life(true), (0..).step_by(4), &committed) > 20);
}

#[test]
fn a_store_goes_in_spite_of_two_deaths() {
    let committed = [(Moment::Committed, Moment::Committed)];
    assert!(pairs_end_as_without_deaths(&life(false), (1..).step_by(4), &committed) > 20);
}

#[test]
fn a_store_is_changed_in_spite_of_two_deaths() {
    let committed = [(Moment::Committed, Moment::Committed)];
    assert!(pairs_end_as_without_deaths(&changing_life(), (2..).step_by(4), &committed) > 20);
}

#[test]
fn a_store_goes_back_by_itself_in_spite_of_two_deaths() {
    let committed = [(Moment::Committed, Moment::Committed)];
    assert!(pairs_end_as_without_deaths(&returning_life(), (3..).step_by(4), &committed) > 20);
}

/// One death at each write of changes, at one moment of it after the other.
#[test]
fn a_change_survives_a_death_at_every_write() {
    for life in [changing_life(), returning_life()] {
        let undisturbed = run(&life, &Build::default());
        assert_eq!(undisturbed.violations, []);
        for (write, moment) in (0..undisturbed.writes).zip(Moment::ALL.into_iter().cycle()) {
            let report = run(&Scenario { crashes: vec![death(write, moment)], ..life.clone() }, &Build::default());
            let place = format!("killed at {write} ({moment:?})");
            assert_eq!(report.violations, [], "{place}");
            assert_eq!(oracle::difference(&undisturbed.dump, &report.dump), None, "{place}");
        }
    }
}

/// All moments of all pairs, several minutes of them: `make chaos` runs it.
#[test]
#[ignore = "takes minutes"]
fn all_moments_of_all_pairs() {
    for life in [life(true), life(false), changing_life(), returning_life()] {
        assert!(pairs_end_as_without_deaths(&life, 0.., &every_moment()) > 500);
    }
}
