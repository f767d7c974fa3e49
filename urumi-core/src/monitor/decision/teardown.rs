//! The teardown of a store that is being deleted: what it has outside of its namespace is undone before its record goes.

use std::ops::ControlFlow::Continue;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use super::rule::{Decision, Verdict};
use super::{backoff, recording};
use crate::assessment::Assessment;
use crate::assessment::diagnosis::{Cause, Surroundings, diagnose, selects};
use crate::assessment::workload::has_condition;
use crate::engine::Stage;
use crate::kubernetes::{Kind, Object};
use crate::monitor::action::{Action, RecordWrite};
use crate::monitor::clock::Clock;
use crate::monitor::settings::Limits;
use crate::monitor::tracked::Tracked;
use crate::monitor::view::View;
use crate::plan::{Observed, Plan, of_kind, plan};
use crate::record::Record;
use crate::store::status::{Condition, ConditionStatus, StoreStatus, carry_times};

/// The state of a teardown.
enum State<'a> {
    /// A stage has objects to create or repair.
    ToCarryOut(Plan),
    /// A stage's Job has not ended.
    Waiting(&'a Object),
    /// Every stage is done.
    Done,
}

/// The rules for a store that is being deleted, in their order.
pub(super) fn next(view: &View<'_>, tracked: &Tracked, limits: Limits, clock: Clock) -> Verdict {
    let record = view.record;
    let decision = Decision::new(tracked.progress.clone());
    if !(view.complete && view.pods_listed && record.awaits_teardown()) {
        return Continue(decision);
    }
    let decision = backoff::wait(clock.now, decision)?;
    let state = state(&view.rendered.teardown, &view.observed);
    let cause = match (&state, &decision.progress.plan_failure) {
        (State::Done, _) => return decision.act(release(record)),
        (State::ToCarryOut(_), failure) => failure.as_ref().map(|failure| failure.cause.clone()),
        (State::Waiting(job), _) => {
            let around = Surroundings { pods: of_kind(&view.observed, &Kind::of::<Pod>()), ..Default::default() };
            Some(diagnose(job, &around))
        }
    };
    let decision = match cause {
        Some(cause) => recording::write(&assessment(record, &cause, clock.wall), record, clock, decision)?,
        None => decision,
    };
    let State::ToCarryOut(plan) = state else { return Continue(decision) };
    // The watches have to show the last changes first.
    match decision.progress.changed.map(|at| at + limits.quiet_period).filter(|at| *at > clock.now) {
        Some(quiet_at) => Continue(decision.look_again_at(quiet_at)),
        None => decision.act(Action::CarryOut { rendered: view.rendered.clone(), uid: view.record.uid.clone(), plan }),
    }
}

fn release(record: &Record) -> Action {
    Action::Record(RecordWrite {
        store: record.id.clone(),
        patch: record.release(),
        status: (record.status, record.status),
        provisioned_since: None,
        ended: None,
    })
}

fn state<'a>(stages: &[Stage], observed: &Observed<'a>) -> State<'a> {
    let pods = of_kind(observed, &Kind::of::<Pod>());
    for stage in stages {
        let plan = plan(&stage.manifests, observed);
        if !plan.is_empty() {
            return State::ToCarryOut(plan);
        }
        let job = stage.ends.as_ref().and_then(|job| observed.get(job).copied());
        if let Some(job) = job.filter(|job| !has_ended(job, &pods)) {
            return State::Waiting(job);
        }
    }
    State::Done
}

/// Whether a Job is complete, or is suspended and all of its pods have ended.
fn has_ended(job: &Object, pods: &[&Object]) -> bool {
    let over = |pod: &Object| matches!(pod.str_at("/status/phase"), Some("Succeeded" | "Failed"));
    let suspended = || has_condition(job, "Suspended") && pods.iter().all(|pod| over(pod) || !selects(job, pod));
    has_condition(job, "Complete") || suspended()
}

fn assessment(record: &Record, cause: &Cause, now: Timestamp) -> Assessment {
    let condition = Condition::new(Condition::TORN_DOWN, ConditionStatus::False, &cause.reason, &cause.message, now);
    Assessment {
        status: StoreStatus::Deleting,
        conditions: carry_times(&record.conditions, vec![condition]),
        unexplained: false,
        trouble: None,
        rollout: None,
    }
}
