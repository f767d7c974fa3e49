//! What the monitor remembers of a store beside what the cluster says, and what is due because of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::rendered::Rendered;
use crate::assessment::conflict::Contests;
use crate::assessment::diagnosis::Cause;
use crate::assessment::{Assessment, PlanFailure, Trouble};
use crate::kubernetes::Object;
use crate::kubernetes::{ClusterError, MetadataPatch};
use crate::orchestrator::local::Failure;
use crate::record::Record;
use crate::store::status::StoreStatus;

/// How long changes of conditions that leave the status as it is are gathered into one write.
const GATHER: Duration = Duration::from_millis(200);
/// How long a store may show no progress before its events are asked for an explanation, and then again.
const UNEXPLAINED: Duration = Duration::from_secs(10);
/// The pause after a failed write; doubled each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the monitor remembers of a store beside what the cluster says.
#[derive(Default)]
pub(super) struct Memory {
    /// The namespace's uid: another of the same name is another store's.
    pub(super) uid: String,
    pub(super) rendered: Option<Arc<Rendered>>,
    /// Whether something is being done for the store beside the loop.
    pub(super) busy: bool,
    /// The last change that somebody made in the namespace.
    pub(super) changed: Option<Instant>,
    /// Since when something is missing or otherwise than it should be.
    pub(super) outstanding_since: Option<Instant>,
    /// When the monitor last made or repaired objects.
    pub(super) carried_out: Option<Instant>,
    /// What others set otherwise again and again.
    pub(super) contests: Contests,
    /// Since when there is a change of conditions to be written.
    pub(super) pending: Option<Instant>,
    /// Why the last try to carry out its plan failed.
    pub(super) plan_failure: Option<PlanFailure>,
    /// The provisioning that `plan_failure` belongs to, as the record says since when it lasts, and when it was first seen
    /// by this process.
    pub(super) provisioning: Option<(Timestamp, Instant)>,
    /// Failed writes in a row, and the time before which none is tried again.
    pub(super) failures: u32,
    pub(super) not_before: Option<Instant>,
    /// The store's events, and when they were asked for.
    pub(super) events: Vec<Object>,
    pub(super) events_at: Option<Instant>,
    /// Whether a resync has come since the store was last judged.
    pub(super) resync: bool,
    /// What is wrong with the store and does not mend itself.
    pub(super) trouble: Option<Trouble>,
    /// When the store will be looked at again, whatever happens.
    pub(super) alarm: Option<Instant>,
}

impl Memory {
    /// Forgets what was of another namespace, which had the same name and is gone.
    pub(super) fn belong_to(&mut self, uid: &str) {
        if self.uid != uid {
            let (alarm, changed, resync) = (self.alarm, self.changed, self.resync);
            *self = Memory { uid: uid.to_owned(), alarm, changed, resync, ..Memory::default() };
        }
    }

    /// Says for how long this process has seen that the store is provisioned: others' clocks may be wrong, and who was not
    /// there meanwhile could not finish it. Forgets the failures of an earlier provisioning, once the store was retried.
    pub(super) fn provisioning_for(&mut self, since: Timestamp, now: Instant) -> Duration {
        if let Some((_, seen)) = self.provisioning.filter(|(known, _)| *known == since) {
            return now.duration_since(seen);
        }
        self.provisioning = Some((since, now));
        self.plan_failure = None;
        self.trouble = None;
        self.failures = 0;
        self.not_before = None;
        Duration::ZERO
    }

    /// Notes what is wrong and does not mend itself; what was known already has been so since then.
    pub(super) fn note_trouble(&mut self, reason: Option<&str>, wall: Timestamp) {
        if self.trouble.as_ref().map(|t| t.reason.as_str()) != reason {
            self.trouble = reason.map(|reason| Trouble { reason: reason.to_owned(), since: wall });
        }
    }

    /// Notes that a write succeeded.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Notes that a write failed, and lets the next one wait.
    pub(super) fn failed(&mut self, now: Instant) {
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        // What failed a plan for good is put on record at once; only the next try of it has to wait.
        let waits = self.plan_failure.as_ref().is_none_or(|f| f.retryable) || self.failures > 1;
        self.not_before = waits.then(|| now + pause);
    }

    /// Notes why a plan could not be carried out.
    pub(super) fn plan_failed(&mut self, failure: &Failure, now: Instant) {
        self.plan_failure = Some(plan_failure(failure));
        self.failed(now);
    }

    /// Whether the store's events should be asked why it is not ready: it is in trouble, or has been still for a while.
    pub(super) fn wants_explanation(&self, assessment: &Assessment, record: &Record, now: Instant) -> bool {
        let asked = self.events_at.is_some_and(|at| now.duration_since(at) < 3 * UNEXPLAINED);
        let in_trouble = assessment.status != record.status
            && matches!(assessment.status, StoreStatus::Failed | StoreStatus::Degraded);
        let still = self.changed.is_some_and(|at| now.duration_since(at) >= UNEXPLAINED);
        assessment.unexplained && !asked && (in_trouble || (still && assessment.status == StoreStatus::Provisioning))
    }

    /// The change to the store's record that is due now. A new status is written at once, new reasons are gathered for a
    /// moment, and new words alone wait for the next resync.
    pub(super) fn record_change(
        &mut self,
        assessment: &Assessment,
        record: &Record,
        (now, wall): (Instant, Timestamp),
        alarms: &mut Vec<Instant>,
    ) -> Option<MetadataPatch> {
        let resync = std::mem::take(&mut self.resync);
        if assessment.differs_from(record) {
            let since = *self.pending.get_or_insert(now);
            if assessment.status == record.status && now < since + GATHER {
                alarms.push(since + GATHER);
                return None;
            }
        } else if !(resync && assessment.conditions != record.conditions) {
            self.pending = None;
            return None;
        }
        if assessment.status != record.status {
            debug_assert!(record.status.may_become(assessment.status), "{} to {}", record.status, assessment.status);
            tracing::info!(store = %record.id, from = %record.status, to = %assessment.status, "a store's status changed");
        }
        Some(record.update(assessment.status, &assessment.conditions, wall))
    }
}

fn plan_failure(failure: &Failure) -> PlanFailure {
    let (reason, message, retryable) = match failure {
        Failure::Cluster(error) => (format!("{:?}", error.kind()), refused(error), error.is_retryable()),
        Failure::Other(error) => ("CannotRender".to_owned(), error.to_string(), error.is_retryable()),
    };
    PlanFailure { cause: Cause { reason, message, specific: true, lasting: false }, retryable }
}

/// What the cluster said, after the name of the object it is about.
fn refused(error: &ClusterError) -> String {
    let name = error.target().rsplit('/').next().unwrap_or_else(|| error.target());
    format!("{name}: {}", error.message())
}
