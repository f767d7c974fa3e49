//! Builds that were broken on purpose: each is noticed, by the invariant that is there for it and before all others.

use std::sync::Arc;

use urumi_simulator::{Build, Invariant, Scenario, judge};

use crate::mutant::{Mistake, Mutant};

/// The most seeds that it may take.
const SEEDS: u64 = 300;

/// What the first seed with a violation says of a build.
fn first_violation(build: &Build) -> (u64, Invariant, String) {
    let violations = (0..SEEDS).filter_map(|seed| {
        let first = judge(&Scenario::of(seed), build).violations.into_iter().next()?;
        Some((seed, first.invariant, first.message))
    });
    let mut violations = violations;
    violations.next().expect("nobody notices")
}

macro_rules! mutants {
    ($($name:ident: $mistake:ident => $invariant:ident;)*) => {$(
        #[test]
        fn $name() {
            let wrap = |inner, world| Arc::new(Mutant { inner, world, mistake: Mistake::$mistake }) as _;
            let (seed, invariant, message) = first_violation(&Build { wrap, ..Build::default() });
            assert_eq!(invariant, Invariant::$invariant, "seed {seed}: {message}");
        }
    )*};
}

mutants! {
    a_repair_that_draws_the_password_anew: NewPassword => OnePassword;
    a_deletion_by_prefix: DeleteByPrefix => OwnGround;
    a_deletion_of_another_store: DeleteAnother => AskedDeletion;
    a_creation_that_is_not_idempotent: AnotherNamespace => OneNamespace;
    an_object_that_nobody_owns: Unowned => NoOrphans;
    a_transition_that_does_not_exist: BackToProvisioning => Transitions;
    a_repair_that_overwrites_what_others_set: Overwrite => ForeignFields;
    an_object_that_nobody_asked_for_so: Embellish => Oracle;
    a_status_that_is_not_written: NeverReady => Settled;
    an_election_without_resource_version: AnyVersion => OneLeader;
    an_election_that_takes_nobodys_lease: NeverTaken => Failover;
    a_change_that_is_answered_before_it_is_on_record: AnswerFirst => NoLostChange;
    a_change_that_mixes_with_another: Mix => OneChange;
    a_pruning_that_takes_the_secret_too: PruneSecret => NoForeignPrune;
    a_return_to_what_was_never_there: GoElsewhere => GoodStays;
    a_revision_that_is_not_kept: Forget => HistoryKept;
}

#[test]
fn a_monitor_that_writes_though_it_does_not_lead() {
    let (seed, invariant, message) = first_violation(&Build { heeds_leadership: false, ..Build::default() });
    assert_eq!(invariant, Invariant::Leadership, "seed {seed}: {message}");
}
