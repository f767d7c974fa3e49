//! Missing objects are created, and objects that differ are repaired.

use std::ops::ControlFlow::Continue;

use super::rule::{Decision, Situation, Verdict};
use crate::monitor::action::Action;
use crate::store::status::StoreStatus;

/// Carries out what is left to do: of a creation, once it makes no progress any more.
pub(super) fn carry_out(situation: &Situation<'_>, decision: Decision) -> Verdict {
    let Situation { view, tracked, limits, clock, plan, .. } = situation;
    let status = view.record.status;
    let repairs = matches!(status, StoreStatus::Provisioning | StoreStatus::Ready | StoreStatus::Degraded);
    let Some(plan) = plan.as_ref().filter(|_| repairs) else { return Continue(decision) };
    let (plan, ends) = tracked.conflicts.without_conflicts(plan, clock.now);
    let mut decision = ends.into_iter().fold(decision, Decision::look_again_at);
    if plan.is_empty() {
        return Continue(decision);
    }
    let taken_over_at = decision.progress.creation.taken_over_at(*limits);
    let quiet_at = match taken_over_at.filter(|_| status == StoreStatus::Provisioning) {
        Some(at) => at,
        None => {
            // Several changes are repaired together, and the watches have to show the last repair first.
            let gathered = *decision.progress.outstanding_since.get_or_insert(clock.now) + limits.quiet_period / 4;
            tracked.carried_out.map_or(gathered, |at| gathered.max(at + limits.quiet_period))
        }
    };
    if quiet_at > clock.now {
        return Continue(decision.look_again_at(quiet_at));
    }
    decision.act(Action::CarryOut { rendered: view.rendered.clone(), uid: view.record.uid.clone(), plan })
}
