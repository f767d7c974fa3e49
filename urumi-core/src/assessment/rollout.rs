//! Whether the present revision of a store is rolled out: all of its objects are as they should be, all pods are its own, and a Job
//! has proven that the store works.

use super::diagnosis::{Cause, diagnose, has_succeeded};
use super::inputs::{Inputs, Proof, RolloutTime};
use super::workload::{Availability, availability, is_available};
use crate::kubernetes::Object;
use crate::store::StoreId;
use crate::store::status::{Condition, ConditionStatus, StoreStatus};

/// The state of the present revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// It is rolled out.
    Complete,
    /// It is being rolled out. The cause is what is waited for.
    Rolling(Cause),
    /// All pods are its own, and nothing has proven yet that the store works.
    Unproven,
    /// It could not be rolled out in time, or never will be.
    Failed(Cause),
}

impl Rollout {
    /// The problem that does not resolve itself, if there is one.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match self {
            Rollout::Rolling(cause) | Rollout::Failed(cause) if cause.lasting => Some(&cause.reason),
            _ => None,
        }
    }
}

/// The conditions about the revision of a store: none for one that was never changed and that is rendered as new ones are.
pub(super) fn conditions(rollout: Option<&Rollout>, inputs: &Inputs<'_>) -> Vec<Condition> {
    use ConditionStatus::{False, True};
    let condition = |type_: &str, status: ConditionStatus, reason: &str, message: &str| {
        Condition::new(type_, status, reason, message, inputs.now)
    };
    let both = |up_to_date: ConditionStatus, progressing: ConditionStatus, reason: &str, message: &str| {
        vec![
            condition(Condition::UP_TO_DATE, up_to_date, reason, message),
            condition(Condition::PROGRESSING, progressing, reason, message),
        ]
    };
    match (rollout, &inputs.record.revision.failed) {
        (None, _) if inputs.outdated => {
            vec![condition(Condition::UP_TO_DATE, False, "NewRenderer", &outdated(&inputs.record.id))]
        }
        (None, _) => Vec::new(),
        (Some(Rollout::Complete), Some(failed)) => {
            let message = format!("revision {} could not be rolled out: {}", failed.number, failed.reason);
            both(False, False, "RolledBack", &message)
        }
        (Some(Rollout::Complete), None) if inputs.outdated => {
            both(False, False, "NewRenderer", &outdated(&inputs.record.id))
        }
        (Some(Rollout::Complete), None) => both(True, False, "RolledOut", ""),
        (Some(Rollout::Rolling(cause)), _) => both(False, True, "Rolling", &cause.message),
        (Some(Rollout::Unproven), _) => both(False, True, "Rolling", "the proof of life has not begun"),
        (Some(Rollout::Failed(cause)), _) => {
            both(False, False, "Failed", &format!("{}: {}", cause.reason, cause.message))
        }
    }
}

/// The message about a store that its engine would render differently now.
fn outdated(id: &StoreId) -> String {
    format!(
        "this version of urumi makes new stores differently; `urumi update {id} --refresh --dry-run` shows what would change"
    )
}

/// The rollout of the present revision; `None` for a store that was never changed.
pub(super) fn rollout(inputs: &Inputs<'_>) -> Option<Rollout> {
    if inputs.record.revision.number == 1 {
        return None;
    }
    // What happens to the store after that is about its health.
    if inputs.record.is_good() {
        return Some(Rollout::Complete);
    }
    let cause = match (unfinished(inputs), inputs.proof) {
        (Some(cause), _) => cause,
        (None, None) => return Some(Rollout::Complete),
        (None, Some(Proof::Missing)) => return Some(Rollout::Unproven),
        (None, Some(Proof::Begun(job))) if is_done(job, inputs) => return Some(Rollout::Complete),
        (None, Some(Proof::Begun(job))) => diagnose(job, &inputs.around),
    };
    // A store that has not been ready yet fails by its deadline of provisioning.
    let judged = matches!(inputs.record.status, StoreStatus::Ready | StoreStatus::Degraded);
    let RolloutTime { lasts, trouble } = inputs.rollout;
    let stuck = trouble.is_some_and(|(known, lasted)| cause.lasting && known == cause.reason && lasted >= inputs.grace);
    let hopeless = inputs.plan_failure.is_some_and(|failure| !failure.retryable);
    Some(match judged && (stuck || hopeless || lasts >= inputs.deadline) {
        true => Rollout::Failed(cause),
        false => Rollout::Rolling(cause),
    })
}

/// What is left of the rollout.
fn unfinished(inputs: &Inputs<'_>) -> Option<Cause> {
    let waits = |message: String| Cause { reason: "Rolling".into(), message, specific: false, lasting: false };
    let Some(plan) = inputs.outstanding else {
        return Some(waits("the store's objects have not been listed yet".into()));
    };
    if let Some(step) = plan.steps().next() {
        return Some(match inputs.plan_failure {
            Some(failure) => failure.cause.clone(),
            None => {
                let target = step.target();
                waits(format!("{} {} is to be changed", target.kind, target.name))
            }
        });
    }
    inputs.components.iter().find_map(|(component, workload)| {
        let Some(workload) = workload else {
            return Some(waits(format!("{}: it does not exist yet", component.workload.name)));
        };
        if is_rolled_out(workload, component.enough) || is_done(workload, inputs) {
            return None;
        }
        let cause = diagnose(workload, &inputs.around);
        if cause.specific {
            return Some(cause);
        }
        Some(waits(match updated(workload) {
            (updated, wanted) if updated < wanted => {
                format!("{}: {updated} of {wanted} pods are of this revision and available", workload.name())
            }
            _ => format!("{}: pods of the revision before are stopping", workload.name()),
        }))
    })
}

/// Whether a Job has succeeded. The status of its pod is up to date a second before its own.
fn is_done(job: &Object, inputs: &Inputs<'_>) -> bool {
    job.kind().kind == "Job" && (availability(job) == Availability::Available || has_succeeded(job, &inputs.around))
}

/// Whether all pods of a workload are of its present spec, no others are left, and all or enough of them are available.
fn is_rolled_out(workload: &Object, enough: Option<u32>) -> bool {
    let count = |pointer: &str| workload.int_at(pointer).unwrap_or(0);
    let wanted = workload.int_at("/spec/replicas").unwrap_or(1);
    let all_are_new = match workload.kind().kind.as_ref() {
        "Deployment" => count("/status/updatedReplicas") >= wanted && count("/status/replicas") <= wanted,
        "StatefulSet" => {
            match (workload.str_at("/status/currentRevision"), workload.str_at("/status/updateRevision")) {
                (Some(current), Some(update)) => current == update,
                _ => count("/status/updatedReplicas") >= wanted,
            }
        }
        _ => true,
    };
    all_are_new && is_available(workload, enough)
}

/// The pods of the present spec that are available, at most, and the pods that are wanted.
fn updated(workload: &Object) -> (i64, i64) {
    let updated = workload.int_at("/status/updatedReplicas").unwrap_or(0);
    match availability(workload) {
        Availability::Available => (updated, workload.int_at("/spec/replicas").unwrap_or(1)),
        Availability::Partly { available, wanted } => (updated.min(available), wanted),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
    use serde_json::{Value, json};

    use super::*;
    use crate::kubernetes::Kind;

    #[test]
    fn a_rollout_is_complete_when_only_new_pods_are_left() {
        let scaled = |status: Value, enough: Option<u32>| {
            let value = json!({
                "metadata": {"name": "api", "generation": 2}, "spec": {"replicas": 2}, "status": status,
            });
            is_rolled_out(&Object::from_value(Kind::of::<Deployment>(), value).unwrap(), enough)
        };
        let deployment = |status: Value| scaled(status, None);
        let status = |observed: u32, updated: u32, all: u32, available: u32| json!({"observedGeneration": observed, "updatedReplicas": updated, "replicas": all, "availableReplicas": available});
        assert!(deployment(status(2, 2, 2, 2)));
        for unfinished in [status(1, 2, 2, 2), status(2, 1, 3, 2), status(2, 2, 3, 3), status(2, 2, 2, 1), json!({})] {
            assert!(!deployment(unfinished.clone()), "{unfinished}");
        }
        assert!(scaled(status(2, 2, 2, 1), Some(1)), "an autoscaler has added a pod that has not started");
        assert!(!scaled(status(2, 1, 2, 1), Some(1)) && !scaled(status(2, 2, 2, 0), Some(1)));
        let set = |current: &str, update: &str, ready: u32| {
            let value = json!({
                "metadata": {"name": "postgres", "generation": 1}, "spec": {"replicas": 1},
                "status": {"observedGeneration": 1, "currentRevision": current, "updateRevision": update, "availableReplicas": ready},
            });
            is_rolled_out(&Object::from_value(Kind::of::<StatefulSet>(), value).unwrap(), None)
        };
        assert!(set("a", "a", 1));
        assert!(!set("a", "b", 1) && !set("b", "b", 0));
    }
}
