//! What rules work with: the situation of a store, and the decision that they make step by step.

use std::ops::ControlFlow::{self, Break};

use tokio::time::Instant;

use crate::assessment::Assessment;
use crate::monitor::action::Action;
use crate::monitor::clock::Clock;
use crate::monitor::settings::Limits;
use crate::monitor::tracked::{Progress, Tracked};
use crate::monitor::view::View;
use crate::plan::Plan;

/// What to do for a store.
pub(in crate::monitor) struct Decision {
    /// What to do now. A monitor that does not lead leaves it undone.
    pub(in crate::monitor) action: Option<Action>,
    /// When to decide again, even if nothing changes.
    pub(in crate::monitor) look_again: Option<Instant>,
    /// What the next decision builds on.
    pub(in crate::monitor) progress: Progress,
}

/// The result of a rule: the decision to pass to the next rule, or the final one.
pub(in crate::monitor) type Verdict = ControlFlow<Decision, Decision>;

/// All that the rules for a store know.
pub(super) struct Situation<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) tracked: &'a Tracked,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    /// What the store's record should say.
    pub(super) assessment: Assessment,
    /// What is left to do; `None` while that is not known.
    pub(super) plan: Option<Plan>,
}

impl Decision {
    /// To do nothing.
    pub(super) fn new(progress: Progress) -> Self {
        Decision { action: None, look_again: None, progress }
    }

    /// To decide again at `at`, or earlier.
    pub(super) fn look_again_at(mut self, at: Instant) -> Self {
        self.look_again = Some(self.look_again.map_or(at, |earlier| earlier.min(at)));
        self
    }

    /// To take an action; no further rule is asked.
    pub(super) fn act(self, action: Action) -> Verdict {
        Break(Decision { action: Some(action), ..self })
    }
}
