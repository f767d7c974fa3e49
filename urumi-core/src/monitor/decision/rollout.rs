//! The rollout of a revision: it is complete in time, or the store returns to the last good revision.

use std::ops::ControlFlow::Continue;

use super::rule::{Decision, Situation, Verdict};
use crate::assessment::rollout::Rollout;
use crate::monitor::action::Action;

/// Decides again at the time when the rollout would have failed.
pub(super) fn expect(situation: &Situation<'_>, decision: Decision) -> Verdict {
    let Situation { limits, clock, .. } = situation;
    let Some(rollout) = &decision.progress.rollout else { return Continue(decision) };
    let grace = rollout.trouble.as_ref().and_then(|trouble| trouble.since.checked_add(limits.grace));
    let deadline = rollout.seen.checked_add(limits.deadline);
    // As of the deadline of provisioning, a time that has come was considered in this assessment.
    let ahead: Vec<_> = grace.into_iter().chain(deadline).filter(|at| *at > clock.now).collect();
    Continue(ahead.into_iter().fold(decision, Decision::look_again_at))
}

/// Has the present revision proven, once all pods are its own. The watches have to show the Job first that was created last.
pub(super) fn prove(situation: &Situation<'_>, decision: Decision) -> Verdict {
    let Situation { view, tracked, limits, clock, .. } = situation;
    let Some(job) = view.rendered.proof.as_ref().filter(|_| situation.assessment.rollout == Some(Rollout::Unproven))
    else {
        return Continue(decision);
    };
    match tracked.carried_out.map(|at| at + limits.quiet_period).filter(|at| *at > clock.now) {
        Some(shown) => Continue(decision.look_again_at(shown)),
        None => decision.act(Action::Prove(Box::new(job.clone()))),
    }
}

/// Returns to the last good revision from one that could not be rolled out. A return that could not be rolled out either stays: a
/// good revision is not repeated without end.
pub(super) fn go_back(situation: &Situation<'_>, decision: Decision) -> Verdict {
    let record = situation.view.record;
    let Some(Rollout::Failed(cause)) = &situation.assessment.rollout else { return Continue(decision) };
    if situation.tracked.returned_from == Some(record.revision.number) {
        return Continue(decision);
    }
    match record.good_revision() {
        Some(good) if record.revision.restores != Some(good) => decision.act(Action::GoBack {
            record: Box::new(record.clone()),
            good,
            reason: format!("{}: {}", cause.reason, cause.message),
        }),
        _ => Continue(decision),
    }
}
