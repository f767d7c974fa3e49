//! The next step for a store: a pure function from what is seen and tracked of it.
//!
//! [`decide`] asks one rule after the other. A rule adds to the [`Decision`] and passes it on, or ends it, with an action
//! or without. To add a capability, add a file with its rule beneath this module, and call it where its turn is.

mod backoff;
mod deadline;
mod explanation;
mod prune;
mod recording;
mod repair;
mod rollout;
pub(super) mod rule;
mod teardown;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow::{Break, Continue};

use self::rule::{Decision, Situation, Verdict};
use super::clock::Clock;
use super::inputs::inputs;
use super::settings::Limits;
use super::tracked::Tracked;
use super::view::View;
use crate::assessment::assess;
use crate::plan::{Plan, plan_for};
use crate::store::status::StoreStatus;

/// Decides what to do for a store now, and when to decide again.
pub(super) fn decide(view: &View<'_>, tracked: &Tracked, limits: Limits, clock: Clock) -> Decision {
    let verdict = match view.record.status {
        StoreStatus::Deleting => teardown::next(view, tracked, limits, clock),
        _ => next(view, tracked, limits, clock),
    };
    match verdict {
        Continue(decision) | Break(decision) => decision,
    }
}

/// The rules for a store that is not being deleted, in their order.
fn next(view: &View<'_>, tracked: &Tracked, limits: Limits, clock: Clock) -> Verdict {
    let mut progress = tracked.progress.clone().in_attempt(view.record.provisioning_since, clock.now);
    let manifests = &view.rendered.manifests;
    let plan = view.complete.then(|| plan_for(manifests, &view.observed, view.record.life()));
    if let Some(plan) = &plan {
        progress.creation = progress.creation.look(plan.steps().count(), view.record.creation.as_deref(), clock.now);
    }
    if plan.as_ref().is_some_and(Plan::is_empty) {
        progress.outstanding_since = None;
    }
    let assessment = assess(&inputs(view, (tracked, &progress), plan.as_ref(), limits, clock));
    let progress = progress.in_trouble(assessment.trouble.as_deref(), clock.now);
    let revision = view.record.revision.number;
    let decision = Decision::new(progress.in_rollout(revision, assessment.rollout.as_ref(), clock.now));
    let situation = Situation { view, tracked, limits, clock, assessment, plan };

    let decision = deadline::expect(&situation, decision)?;
    let decision = rollout::expect(&situation, decision)?;
    let decision = backoff::wait(clock.now, decision)?;
    let decision = explanation::ask(&situation, decision)?;
    let decision = recording::write(&situation.assessment, view.record, clock, decision)?;
    let decision = rollout::go_back(&situation, decision)?;
    let decision = prune::autoscalers(&situation, decision)?;
    let decision = repair::carry_out(&situation, decision)?;
    let decision = rollout::prove(&situation, decision)?;
    prune::left_over(&situation, decision)
}
