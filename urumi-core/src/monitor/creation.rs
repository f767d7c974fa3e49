//! How far the creation of a store's objects is, as this process sees it. Another process may be creating them.

use tokio::time::Instant;

use super::settings::Limits;
use crate::orchestrator::local::PlanEnd;

/// The creation of a store's objects in one attempt to provision the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Creation {
    /// The number of steps left and the heartbeat on the record, when they were last looked at.
    seen: Option<(usize, Option<String>)>,
    /// When one of them was last seen to change.
    progressed: Option<Instant>,
    /// Whether there was nothing left to do once.
    complete: bool,
    /// Whether this process has begun it and did not finish it.
    interrupted: bool,
}

impl Creation {
    /// The creation after another look.
    pub(super) fn look(mut self, left: usize, heartbeat: Option<&str>, now: Instant) -> Creation {
        let seen = (left, heartbeat.map(str::to_owned));
        if self.seen.as_ref() != Some(&seen) {
            self.seen = Some(seen);
            self.progressed = Some(now);
        }
        self.complete |= left == 0;
        self
    }

    /// Notes that a plan of this process for the store has ended.
    pub(super) fn ended(&mut self, end: PlanEnd, now: Instant) {
        match end {
            PlanEnd::NotBegun => {}
            PlanEnd::Interrupted => self.interrupted = true,
            // Until the watches have shown its writes, the same steps would be planned again.
            PlanEnd::Finished => (self.interrupted, self.progressed) = (false, Some(now)),
        }
    }

    /// When this process takes it over, unless something changes; `None` if it is complete.
    pub(super) fn taken_over_at(&self, limits: Limits) -> Option<Instant> {
        let wait = if self.interrupted { limits.quiet_period } else { limits.patience() };
        self.progressed.filter(|_| !self.complete).map(|at| at + wait)
    }
}
