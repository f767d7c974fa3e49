//! The end of a store that has something outside of its namespace: that is undone before the record goes.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::tracked::Memory;
use crate::assessment::Assessment;
use crate::assessment::diagnosis::{Cause, Surroundings, diagnose, selects};
use crate::assessment::workload::has_condition;
use crate::engine::Stage;
use crate::kubernetes::MetadataPatch;
use crate::kubernetes::{Kind, Object};
use crate::plan::{Observed, Plan, of_kind, plan};
use crate::record::Record;
use crate::store::status::{Condition, ConditionStatus, StoreStatus, carry_times};

/// What is to be done next.
pub(super) enum Next {
    /// Change the record: say what is wrong, or let it go.
    Record(MetadataPatch),
    /// Carry this out.
    CarryOut(Plan),
}

/// How far the teardown is.
enum Progress<'a> {
    /// This is to be carried out.
    Begin(Plan),
    /// This Job has yet to end.
    Await(&'a Object),
    /// Everything is undone.
    Over,
}

/// What is to be done next for a store that is being deleted.
pub(super) fn tear_down(
    record: &Record,
    stages: &[Stage],
    observed: &Observed<'_>,
    memory: &mut Memory,
    (now, wall, settle): (Instant, Timestamp, Duration),
    alarms: &mut Vec<Instant>,
) -> Option<Next> {
    if let Some(not_before) = memory.not_before.filter(|at| *at > now) {
        alarms.push(not_before);
        return None;
    }
    let progress = progress(stages, observed);
    let cause = match (&progress, &memory.plan_failure) {
        (Progress::Over, _) => return Some(Next::Record(record.release())),
        (Progress::Begin(_), Some(failure)) => Some(failure.cause.clone()),
        (Progress::Begin(_), None) => None,
        (Progress::Await(job), _) => {
            let around = Surroundings { pods: of_kind(observed, &Kind::of::<Pod>()), ..Default::default() };
            Some(diagnose(job, &around))
        }
    };
    if let Some(cause) = cause
        && let Some(patch) = memory.record_change(&assessment(record, &cause, wall), record, (now, wall), alarms)
    {
        return Some(Next::Record(patch));
    }
    match progress {
        Progress::Begin(plan) => {
            // What was written is first to be seen.
            let quiet_at = memory.changed.map_or(now, |at| at + settle);
            if quiet_at > now {
                alarms.push(quiet_at);
                return None;
            }
            Some(Next::CarryOut(plan))
        }
        _ => None,
    }
}

fn progress<'a>(stages: &[Stage], observed: &Observed<'a>) -> Progress<'a> {
    let pods = of_kind(observed, &Kind::of::<Pod>());
    for stage in stages {
        let plan = plan(&stage.manifests, observed);
        if !plan.is_empty() {
            return Progress::Begin(plan);
        }
        let awaited = stage.ends.as_ref().and_then(|job| observed.get(job).copied());
        if let Some(job) = awaited.filter(|job| !has_ended(job, &pods)) {
            return Progress::Await(job);
        }
    }
    Progress::Over
}

/// Whether a Job does nothing any more: it is complete, or suspended and the last of its pods has ended.
fn has_ended(job: &Object, pods: &[&Object]) -> bool {
    let over = |pod: &Object| matches!(pod.str_at("/status/phase"), Some("Succeeded" | "Failed"));
    let suspended = || has_condition(job, "Suspended") && pods.iter().all(|pod| over(pod) || !selects(job, pod));
    has_condition(job, "Complete") || suspended()
}

fn assessment(record: &Record, cause: &Cause, now: Timestamp) -> Assessment {
    let condition = Condition::new(Condition::TORN_DOWN, ConditionStatus::False, &cause.reason, &cause.message, now);
    Assessment {
        status: StoreStatus::Deleting,
        conditions: carry_times(&record.conditions, vec![condition]),
        unexplained: false,
        trouble: None,
    }
}
