//! If nothing explains why a store is not ready, its Kubernetes events may.

use std::ops::ControlFlow::Continue;
use std::time::Duration;

use super::rule::{Decision, Situation, Verdict};
use crate::monitor::action::Action;
use crate::store::status::StoreStatus;

/// How long a provisioning store must have been unchanged before its events are read.
const UNCHANGED: Duration = Duration::from_secs(10);
/// The shortest time between two reads of a store's events.
const INTERVAL: Duration = Duration::from_secs(30);

/// Reads the events of a store that is about to become `failed` or `degraded`, or that has not changed for a while.
pub(super) fn ask(situation: &Situation<'_>, decision: Decision) -> Verdict {
    let Situation { view, tracked, clock, assessment, .. } = situation;
    let asked = tracked.events_at.is_some_and(|at| clock.now.duration_since(at) < INTERVAL);
    let worse = assessment.status != view.record.status
        && matches!(assessment.status, StoreStatus::Failed | StoreStatus::Degraded);
    let still = decision.progress.changed.is_some_and(|at| clock.now.duration_since(at) >= UNCHANGED);
    let wanted = worse || (still && assessment.status == StoreStatus::Provisioning);
    if assessment.unexplained && wanted && !asked { decision.act(Action::Explain) } else { Continue(decision) }
}
