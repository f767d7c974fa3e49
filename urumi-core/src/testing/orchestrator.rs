//! A conformance suite for the contract of [`StoreOrchestrator`]: every implementation and every decorator must pass it.
//!
//! It needs a running monitor on the same cluster. It creates only stores of its own: their ids begin with `conformance-`
//! or they belong to [`Options::owner`]. If a run is killed, both find what it left.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use tokio_util::{sync::CancellationToken, task::TaskTracker};
//! use urumi_core::{Orchestrator, ReadinessMonitor, cluster::InMemoryCluster, testing::orchestrator as conformance};
//!
//! let urumi = Orchestrator::builder(InMemoryCluster::default()).build();
//! let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
//! ReadinessMonitor::new(urumi.clone()).spawn(&tasks, stop.clone());
//!
//! let report = conformance::run(Arc::new(urumi), conformance::Options::default()).await;
//! println!("{report}");
//! report.into_result()?;
//! # stop.cancel();
//! # Ok(())
//! # }
//! ```

mod changing;
mod context;
mod creating;
mod explaining;
mod options;
mod previewing;
mod reading;
mod repeating;
#[cfg(test)]
mod tests;
mod trying;
mod waiting;
mod watched;
mod watching;

use std::sync::Arc;

use self::context::Context;
pub use self::options::Options;
use crate::orchestrator::StoreOrchestrator;
use crate::testing::{self, CheckFn, checks};
pub use crate::testing::{Check, NotConforming, Outcome, Report};

/// All checks, in the order of the report.
const CHECKS: &[(&str, CheckFn<Context>)] = checks![
    creating::a_new_store_is_provisioning_and_as_asked_for,
    creating::without_an_id_one_is_drawn,
    creating::a_taken_id_is_a_conflict_and_nothing_changes,
    creating::every_wrong_field_is_named_and_nothing_is_made,
    creating::an_unknown_engine_is_invalid,
    creating::names_are_kept_to_the_letter,
    creating::a_store_becomes_ready_by_itself,
    repeating::the_same_key_is_the_same_store,
    repeating::another_request_with_the_key_is_refused,
    repeating::of_concurrent_repetitions_one_store_is_made,
    repeating::a_key_is_its_owners,
    repeating::a_key_is_every_character_of_it,
    repeating::a_key_that_cannot_be_one_is_invalid,
    repeating::the_key_of_a_store_that_goes_makes_no_second_one_beside_it,
    previewing::a_preview_makes_nothing,
    previewing::a_preview_tells_what_is_made,
    previewing::a_preview_refuses_what_a_creation_refuses,
    reading::a_missing_store_is_not_found,
    reading::a_list_is_oldest_first,
    reading::engines_have_schemas,
    explaining::manifests_hold_no_secret,
    explaining::options_are_those_of_the_request_and_those_in_force,
    explaining::a_ready_store_has_no_differences,
    explaining::the_timeline_tells_of_a_stores_life,
    explaining::a_password_is_shown_only_to_whom_it_is_revealed,
    explaining::an_unknown_component_has_no_logs,
    explaining::logs_end_where_nothing_is_followed,
    explaining::followed_logs_end_with_the_store,
    watching::a_watch_begins_with_all_there_is,
    watching::changes_come_in_order_until_the_store_is_gone,
    watching::the_watch_of_one_store_shows_no_other,
    watching::a_store_that_does_not_exist_can_be_watched,
    watching::all_watches_see_the_same,
    changing::a_deletion_takes_the_store_away,
    changing::deleting_twice_is_success,
    changing::a_deletion_obeys_its_precondition,
    changing::a_retry_obeys_its_precondition,
    changing::no_act_reaches_another_store_than_the_expected_one,
    changing::a_ready_store_is_restarted_as_asked,
    changing::a_change_is_the_next_revision_and_can_be_taken_back,
    changing::a_store_that_is_being_deleted_is_not_changed,
    changing::a_ready_store_is_not_retried,
    changing::a_failed_store_is_retried,
    trying::a_ready_store_takes_an_order,
    trying::a_missing_store_is_not_tried,
    trying::a_store_that_is_not_ready_is_not_tried,
    trying::a_smoke_order_obeys_its_precondition,
    trying::a_store_that_is_deleted_while_it_is_tried_is_no_failure,
    waiting::what_has_happened_is_not_waited_for,
    waiting::a_wait_ends_in_time,
    waiting::a_store_that_does_not_exist_is_not_waited_for,
    waiting::a_store_that_is_deleted_ends_the_wait,
    waiting::a_store_that_fails_ends_the_wait,
    waiting::stores_are_found_by_id_beginning_and_name,
];

/// Runs every check against an orchestrator. Neither a failing check nor a failing clean-up stops the run.
pub async fn run(orchestrator: Arc<dyn StoreOrchestrator>, options: Options) -> Report {
    let (deadline, concurrency) = (options.deadline, options.concurrency);
    testing::run(CHECKS, deadline, concurrency, || Context::new(orchestrator.clone(), options.clone())).await
}
