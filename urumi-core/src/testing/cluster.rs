//! A conformance suite for the contract of [`ClusterBackend`]: every backend and every decorator must pass it.
//!
//! It runs against a real API server as well as in memory. It creates only namespaces of its own (names that begin with
//! `store-conformance-`, label [`LABEL`]) and deletes them at the end. If a run is killed, the label finds what it left.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use urumi_core::cluster::InMemoryCluster;
//! use urumi_core::testing::cluster as conformance;
//!
//! let report = conformance::run(Arc::new(InMemoryCluster::default()), conformance::Options::default()).await;
//! println!("{report}");
//! report.into_result()?;
//! # Ok(())
//! # }
//! ```

mod context;
mod deleting;
mod kinds;
mod listing;
mod logs;
mod manifests;
mod metadata;
mod namespaces;
mod objects;
mod options;
mod questions;
mod replacing;
#[cfg(test)]
mod tests;
mod watched;
mod watching;
mod workloads;

use std::sync::Arc;

use self::context::Context;
pub use self::options::{LABEL, Options};
use crate::cluster::ClusterBackend;
use crate::testing::{self, CheckFn, checks};
pub use crate::testing::{Check, NotConforming, Outcome, Report};

/// All checks, in the order of the report.
const CHECKS: &[(&str, CheckFn<Context>)] = checks![
    objects::create_returns_the_object_as_stored,
    objects::get_returns_what_was_created,
    objects::get_of_what_is_missing_is_none,
    objects::a_taken_name_is_refused_and_nothing_changed,
    objects::of_concurrent_creates_exactly_one_wins,
    objects::a_missing_namespace_is_not_found,
    objects::unknown_fields_are_invalid,
    objects::malformed_names_are_invalid,
    objects::contradictory_objects_are_invalid,
    objects::errors_name_verb_and_object,
    objects::the_same_name_in_two_namespaces_is_two_objects,
    objects::secrets_are_stored_encoded,
    objects::apply_creates_what_is_missing,
    objects::apply_sets_ours_and_keeps_the_rest,
    objects::apply_removes_what_it_no_longer_sets,
    objects::apply_removes_what_was_created_once_that_is_owned,
    objects::apply_leaves_what_was_released_as_it_is,
    objects::apply_merges_containers_by_name,
    objects::apply_with_a_uid_is_of_that_object_only,
    objects::apply_without_a_change_changes_nothing,
    objects::a_changed_spec_is_a_new_generation,
    replacing::what_is_left_out_is_removed,
    replacing::of_concurrent_replacements_exactly_one_wins,
    replacing::a_stale_or_missing_version_is_refused,
    replacing::what_is_gone_is_not_found,
    listing::a_list_without_a_match_is_empty,
    listing::a_list_is_ordered_by_namespace_and_name,
    listing::a_list_obeys_namespace_name_and_labels,
    metadata::annotations_and_labels_are_set_and_removed,
    metadata::a_stale_version_is_a_conflict,
    metadata::a_patch_without_a_version_is_invalid,
    metadata::of_concurrent_patches_exactly_one_wins,
    metadata::what_is_missing_is_not_found,
    deleting::another_uid_is_a_conflict,
    deleting::another_version_is_a_conflict,
    deleting::the_uid_alone_is_enough,
    deleting::what_is_missing_is_not_found,
    deleting::finalizers_keep_an_object_until_they_are_removed,
    deleting::what_an_object_owns_goes_with_it,
    namespaces::a_new_namespace_is_active_and_labelled,
    namespaces::deleting_twice_is_success,
    namespaces::nothing_is_created_in_a_terminating_namespace,
    namespaces::contents_and_namespace_go_and_are_seen_to_go,
    watching::a_watch_begins_with_a_snapshot,
    watching::a_watch_begins_with_a_snapshot_even_of_nothing,
    watching::changes_come_in_their_order,
    watching::the_last_state_is_always_seen,
    watching::an_object_that_ceases_to_match_is_deleted,
    watching::a_watch_obeys_namespace_and_name,
    watching::all_watches_see_the_same,
    watching::record_updates_are_seen,
    workloads::a_deployment_becomes_available,
    workloads::a_deployment_follows_its_spec,
    workloads::a_stateful_set_binds_its_claim,
    logs::a_running_containers_log_can_be_read,
    logs::a_tail_is_the_end_of_it,
    logs::timestamps_begin_each_line,
    logs::a_log_begins_where_it_is_asked_to,
    logs::following_begins_with_what_is_there,
    logs::without_a_container_of_that_name_it_is_invalid,
    logs::a_missing_pod_is_not_found,
    logs::a_pod_without_a_node_can_be_asked_again,
    questions::the_version_is_known,
    questions::permissions_can_be_asked_for,
    questions::an_invalid_token_is_nobodys,
];

/// Runs every check against a backend. Neither a failing check nor a failing clean-up stops the run.
pub async fn run(backend: Arc<dyn ClusterBackend>, options: Options) -> Report {
    let (deadline, concurrency) = (options.deadline, options.concurrency);
    testing::run(CHECKS, deadline, concurrency, || Context::new(backend.clone(), options.clone())).await
}
