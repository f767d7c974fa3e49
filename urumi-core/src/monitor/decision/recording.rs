//! The assessment is written to the store's record.

use std::ops::ControlFlow::Continue;
use std::time::Duration;

use tokio::time::Instant;

use super::rule::{Decision, Verdict};
use crate::assessment::Assessment;
use crate::assessment::rollout::Rollout;
use crate::monitor::action::{Action, EndedChange, RecordWrite};
use crate::monitor::clock::Clock;
use crate::record::Record;
use crate::store::status::{Condition, StoreStatus};

/// How long changes of conditions that do not change the status are gathered into one write.
const GATHER: Duration = Duration::from_millis(200);

/// The time between two such writes while the store starts: each of its pods passes several states within seconds.
const BETWEEN_AT_START: Duration = Duration::from_secs(2);

/// How long a change of messages alone waits for others.
const GATHER_MESSAGES: Duration = Duration::from_secs(10);

/// Writes a new status at once, new reasons after [`GATHER`] (while the store starts, not before [`BETWEEN_AT_START`]), and new
/// messages after [`GATHER_MESSAGES`].
pub(super) fn write(assessment: &Assessment, record: &Record, clock: Clock, mut decision: Decision) -> Verdict {
    let gather = if assessment.differs_from(record) {
        GATHER
    } else if assessment.conditions != record.conditions {
        GATHER_MESSAGES
    } else {
        decision.progress.unwritten_since = None;
        return Continue(decision);
    };
    let since = *decision.progress.unwritten_since.get_or_insert(clock.now);
    let starts = record.status == StoreStatus::Provisioning;
    let next = decision.progress.recorded.filter(|_| starts).map(|at| at + BETWEEN_AT_START);
    let due = next.into_iter().fold(since + gather, Instant::max);
    if assessment.status == record.status && clock.now < due {
        return Continue(decision.look_again_at(due));
    }
    let (from, to) = (record.status, assessment.status);
    debug_assert!(from.may_become(to), "{from} to {to}");
    let provisioned = matches!(from, StoreStatus::Provisioning | StoreStatus::Failed) && to == StoreStatus::Ready;
    decision.act(Action::Record(RecordWrite {
        store: record.id.clone(),
        patch: assessment.patch(record, clock.wall),
        status: (from, to),
        provisioned_since: provisioned.then_some(record.provisioning_since),
        ended: ended(assessment, record),
    }))
}

/// The end of a change that the assessment sees and the record does not know of.
fn ended(assessment: &Assessment, record: &Record) -> Option<EndedChange> {
    let revision = &record.revision;
    let known = |reason: &str| {
        record.observed_revision == revision.number
            && record.conditions.iter().any(|c| c.type_ == Condition::UP_TO_DATE && c.reason == reason)
    };
    match (assessment.rollout.as_ref()?, &revision.failed) {
        (Rollout::Complete, _) if record.is_good() => None,
        (Rollout::Complete, Some(_)) => Some(EndedChange::RolledBack),
        (Rollout::Complete, None) => Some(EndedChange::RolledOut { requested: revision.at? }),
        (Rollout::Failed(_), _) if !known("Failed") => Some(EndedChange::Failed),
        _ => None,
    }
}
