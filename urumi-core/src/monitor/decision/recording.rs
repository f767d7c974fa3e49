//! The assessment is written to the store's record.

use std::ops::ControlFlow::Continue;
use std::time::Duration;

use super::rule::{Decision, Verdict};
use crate::assessment::Assessment;
use crate::monitor::action::{Action, RecordWrite};
use crate::monitor::clock::Clock;
use crate::record::Record;
use crate::store::status::StoreStatus;

/// How long changes of conditions that do not change the status are gathered into one write.
const GATHER: Duration = Duration::from_millis(200);

/// Writes a new status at once, new reasons after [`GATHER`], and new messages at the next resync.
pub(super) fn write(assessment: &Assessment, record: &Record, clock: Clock, mut decision: Decision) -> Verdict {
    let resync = std::mem::take(&mut decision.progress.resync);
    if assessment.differs_from(record) {
        let since = *decision.progress.unwritten_since.get_or_insert(clock.now);
        if assessment.status == record.status && clock.now < since + GATHER {
            return Continue(decision.look_again_at(since + GATHER));
        }
    } else if !(resync && assessment.conditions != record.conditions) {
        decision.progress.unwritten_since = None;
        return Continue(decision);
    }
    let (from, to) = (record.status, assessment.status);
    debug_assert!(from.may_become(to), "{from} to {to}");
    let provisioned = matches!(from, StoreStatus::Provisioning | StoreStatus::Failed) && to == StoreStatus::Ready;
    decision.act(Action::Record(RecordWrite {
        store: record.id.clone(),
        patch: record.update(to, &assessment.conditions, clock.wall),
        status: (from, to),
        provisioned_since: provisioned.then_some(record.provisioning_since),
    }))
}
