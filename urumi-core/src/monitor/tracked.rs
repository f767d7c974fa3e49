//! What the monitor tracks of a store beyond what the cluster says.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::action::Outcome;
use super::creation::Creation;
use super::rendered::Rendered;
use crate::assessment::conflict::Conflicts;
use crate::assessment::diagnosis::{Cause, telling_events};
use crate::assessment::inputs::{PlanFailure, RolloutTime};
use crate::assessment::rollout::Rollout;
use crate::kubernetes::{ClusterError, Object};
use crate::orchestrator::local::{Failure, Orchestrator, PlanEnd};
use crate::record::Record;
use crate::store::status::StoreStatus;

/// The pause after a failed write; it doubles with each failure in a row, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the monitor tracks of a store. The results of actions are noted here; a decision changes the [`Progress`] only.
#[derive(Default)]
pub(super) struct Tracked {
    /// The uid of the namespace. A namespace with the same name and another uid is another store's.
    pub(super) uid: String,
    /// The manifests of the store's spec, until the store is at rest.
    pub(super) rendered: Option<Arc<Rendered>>,
    /// Whether this urumi could not render the spec, and has logged it.
    pub(super) unreadable: bool,
    /// Whether an action is under way for the store.
    pub(super) busy: bool,
    /// The fields that another client keeps changing.
    pub(super) conflicts: Conflicts,
    /// When the monitor last created or repaired objects.
    pub(super) carried_out: Option<Instant>,
    /// The last revision from which this process has gone back. The watch shows that later.
    pub(super) returned_from: Option<u64>,
    /// The store's Kubernetes events when they were last read.
    pub(super) events: Vec<Object>,
    /// When the events were last read.
    pub(super) events_at: Option<Instant>,
    /// The next decision has to wait until then, because the store has too many objects.
    pub(super) rests_until: Option<Instant>,
    /// What decisions build on, and change.
    pub(super) progress: Progress,
}

/// What one decision passes on to the next. All times are on this process's monotonic clock, so that no clock that is
/// wrong or set can change a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The current attempt to provision the store.
    pub(super) attempt: Option<Attempt>,
    /// Why the plan could not be carried out when it was last tried in this attempt.
    pub(super) plan_failure: Option<PlanFailure>,
    /// The number of writes that failed in a row.
    pub(super) failures: u32,
    /// Nothing is tried again before this.
    pub(super) not_before: Option<Instant>,
    /// The problem that the store has now and that needs somebody to act.
    pub(super) trouble: Option<Trouble>,
    /// How far the creation of the store's objects is in this attempt.
    pub(super) creation: Creation,
    /// When an object of the store was last changed by anybody.
    pub(super) changed: Option<Instant>,
    /// Since when objects are missing or differ.
    pub(super) outstanding_since: Option<Instant>,
    /// The rollout of the present revision, until it is complete.
    pub(super) rollout: Option<RolloutProgress>,
    /// When this process last wrote the record.
    pub(super) recorded: Option<Instant>,
    /// Since when the conditions differ from those on the record.
    pub(super) unwritten_since: Option<Instant>,
}

/// An attempt to provision a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// `provisioning_since` of the record, which identifies the attempt. It may be the time of another process's clock, so
    /// it is not compared with this clock.
    pub(super) since: Timestamp,
    /// When this process first saw it.
    pub(super) seen: Instant,
}

/// A problem that needs somebody to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) reason: String,
    pub(super) since: Instant,
}

/// The rollout of a revision, as this process has seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RolloutProgress {
    pub(super) revision: u64,
    /// When this process first saw that it is not complete.
    pub(super) seen: Instant,
    /// Its problem.
    pub(super) trouble: Option<Trouble>,
}

impl RolloutProgress {
    /// How long it takes, and how long its problem has lasted.
    pub(super) fn time(&self, now: Instant) -> RolloutTime<'_> {
        let trouble = self.trouble.as_ref();
        RolloutTime {
            lasts: now.duration_since(self.seen),
            trouble: trouble.map(|trouble| (trouble.reason.as_str(), now.duration_since(trouble.since))),
        }
    }
}

impl Tracked {
    /// Forgets everything about an earlier namespace of the same name.
    pub(super) fn belong_to(&mut self, uid: &str) {
        if self.uid != uid {
            let progress = Progress { changed: self.progress.changed, ..Progress::default() };
            *self = Tracked { uid: uid.to_owned(), progress, ..Tracked::default() };
        }
    }

    /// The manifests of the record's spec. `None` if this urumi cannot read or render the spec: another version of urumi
    /// may, so the store is left as it is.
    pub(super) fn render(&mut self, orchestrator: &Orchestrator, record: &Record) -> Option<Arc<Rendered>> {
        let spec = record.spec.as_ref().ok()?;
        if let Some(rendered) = self.rendered.as_ref().filter(|rendered| rendered.is_of(record, spec)) {
            return Some(rendered.clone());
        }
        match Rendered::of(orchestrator, record, spec) {
            Ok(rendered) => {
                self.unreadable = false;
                self.rendered.insert(Arc::new(rendered)).clone().into()
            }
            Err(error) => {
                if !std::mem::replace(&mut self.unreadable, true) {
                    tracing::warn!(%error, store = %spec.id, "a store cannot be monitored");
                }
                None
            }
        }
    }

    /// Notes the outcome of an action.
    pub(super) fn finished(&mut self, outcome: Outcome, now: Instant) {
        self.busy = false;
        let progress = &mut self.progress;
        match outcome {
            Outcome::Recorded(write, Ok(_)) => {
                if write.status.1 == StoreStatus::Ready {
                    // They explain nothing any more.
                    self.events = Vec::new();
                }
                progress.recorded = Some(now);
                progress.unwritten_since = None;
                progress.failures = 0;
            }
            Outcome::Recorded(_, Err(_)) => progress.failed(now),
            Outcome::CarriedOut(Ok(())) => {
                progress.creation.ended(PlanEnd::Finished, now);
                progress.changed = Some(now);
                self.carried_out = Some(now);
                progress.outstanding_since = None;
                progress.plan_failure = None;
                progress.failures = 0;
            }
            Outcome::CarriedOut(Err(failure)) => {
                progress.creation.ended(PlanEnd::Interrupted, now);
                progress.plan_failure = Some(plan_failure(&failure));
                progress.failed(now);
            }
            Outcome::Proving(Ok(())) => {
                self.carried_out = Some(now);
                progress.failures = 0;
            }
            Outcome::RolledBack(Ok(from)) => {
                self.returned_from = Some(from);
                progress.failures = 0;
            }
            Outcome::Pruned(Ok(_)) => progress.failures = 0,
            Outcome::Proving(Err(_)) | Outcome::RolledBack(Err(_)) | Outcome::Pruned(Err(_)) => progress.failed(now),
            Outcome::Explained(events) => {
                self.events_at = Some(now);
                // Without the events, which may not be permitted, the store's reason stays as it is.
                self.events = telling_events(events.unwrap_or_default());
            }
            Outcome::Abandoned => {}
        }
    }
}

impl Progress {
    /// The progress in the attempt that began at `since`. A new attempt begins without the failures of earlier ones.
    pub(super) fn in_attempt(self, since: Timestamp, now: Instant) -> Progress {
        if self.attempt.is_some_and(|attempt| attempt.since == since) {
            return self;
        }
        Progress {
            attempt: Some(Attempt { since, seen: now }),
            plan_failure: None,
            trouble: None,
            failures: 0,
            not_before: None,
            creation: Creation::default(),
            ..self
        }
    }

    /// The progress of a store whose problem now is `reason`. The same problem keeps the time when it began.
    pub(super) fn in_trouble(self, reason: Option<&str>, now: Instant) -> Progress {
        if self.trouble.as_ref().map(|trouble| trouble.reason.as_str()) == reason {
            return self;
        }
        Progress { trouble: reason.map(|reason| Trouble { reason: reason.to_owned(), since: now }), ..self }
    }

    /// The progress of a store whose present revision is in this state.
    pub(super) fn in_rollout(mut self, revision: u64, rollout: Option<&Rollout>, now: Instant) -> Progress {
        let Some(state @ (Rollout::Rolling(_) | Rollout::Unproven | Rollout::Failed(_))) = rollout else {
            return Progress { rollout: None, ..self };
        };
        let known = self.rollout.take().filter(|known| known.revision == revision);
        let mut progress = known.unwrap_or(RolloutProgress { revision, seen: now, trouble: None });
        if progress.trouble.as_ref().map(|trouble| trouble.reason.as_str()) != state.trouble() {
            let trouble = |reason: &str| Trouble { reason: reason.to_owned(), since: now };
            progress.trouble = state.trouble().map(trouble);
        }
        Progress { rollout: Some(progress), ..self }
    }

    /// How long this process has seen the store in this attempt. Time in which no monitor ran does not count: nobody
    /// could finish the store then.
    pub(super) fn provisioning_for(&self, now: Instant) -> Duration {
        self.attempt.map_or(Duration::ZERO, |attempt| now.duration_since(attempt.seen))
    }

    /// Notes that a write failed, so that the next one waits.
    fn failed(&mut self, now: Instant) {
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        // A failure that no retry cures is written to the record at once; only the next attempt waits.
        let waits = self.plan_failure.as_ref().is_none_or(|f| f.retryable) || self.failures > 1;
        self.not_before = waits.then(|| now + pause);
    }
}

fn plan_failure(failure: &Failure) -> PlanFailure {
    let (reason, message, retryable) = match failure {
        Failure::Cluster(error) => (format!("{:?}", error.kind()), refused(error), error.is_retryable()),
        Failure::Other(error) => ("CannotRender".to_owned(), error.to_string(), error.is_retryable()),
    };
    PlanFailure { cause: Cause { reason, message, specific: true, lasting: false }, retryable }
}

/// The cluster's message, after the name of the object that it is about.
fn refused(error: &ClusterError) -> String {
    let name = error.target().rsplit('/').next().unwrap_or_else(|| error.target());
    format!("{name}: {}", error.message())
}
