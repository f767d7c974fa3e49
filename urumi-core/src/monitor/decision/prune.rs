//! What earlier revisions left over is removed.

use std::ops::ControlFlow::Continue;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use super::rule::{Decision, Situation, Verdict};
use crate::assessment::rollout::Rollout;
use crate::kubernetes::Kind;
use crate::monitor::action::Action;

/// Removes an autoscaler that earlier revisions left over, before its Deployment gets a number of replicas again: it would change
/// that number back.
pub(super) fn autoscalers(situation: &Situation<'_>, decision: Decision) -> Verdict {
    let record = situation.view.record;
    let mut left_over = record.revision.left_over(&record.id.namespace());
    left_over.retain(|reference| reference.kind == Kind::of::<HorizontalPodAutoscaler>());
    if left_over.is_empty() {
        return Continue(decision);
    }
    decision.act(Action::Prune { record: Box::new(record.clone()), left_over })
}

/// Removes what else earlier revisions left over, once the present one is rolled out and the record says so.
pub(super) fn left_over(situation: &Situation<'_>, decision: Decision) -> Verdict {
    let record = situation.view.record;
    let left_over = record.revision.left_over(&record.id.namespace());
    if !record.is_good() || situation.assessment.rollout != Some(Rollout::Complete) || left_over.is_empty() {
        return Continue(decision);
    }
    decision.act(Action::Prune { record: Box::new(record.clone()), left_over })
}
