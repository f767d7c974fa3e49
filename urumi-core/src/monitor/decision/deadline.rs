//! A provisioning store is assessed again when its deadline or its grace ends.

use std::ops::ControlFlow::Continue;

use super::rule::{Decision, Situation, Verdict};
use crate::store::status::StoreStatus;

/// Decides again at the time when the store would have failed.
pub(super) fn expect(situation: &Situation<'_>, decision: Decision) -> Verdict {
    let Situation { view, limits, clock, .. } = situation;
    if view.record.status != StoreStatus::Provisioning {
        return Continue(decision);
    }
    let grace = decision.progress.trouble.as_ref().and_then(|trouble| trouble.since.checked_add(limits.grace));
    let deadline = decision.progress.attempt.and_then(|attempt| attempt.seen.checked_add(limits.deadline));
    // A time that has come was considered in this assessment. An alarm at that time would wake a follower, which does not
    // write, without end.
    let ahead = grace.into_iter().chain(deadline).filter(|at| *at > clock.now);
    Continue(ahead.fold(decision, Decision::look_again_at))
}
