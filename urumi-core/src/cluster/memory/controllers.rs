//! The controllers of the in-memory cluster: they carry out what is due.

use tokio::time::Instant;

use super::kinds::{CLAIM, DEPLOYMENT, is_workload};
use super::state::State;
use super::task::{Next, Task};
use super::{autoscalers, claims, namespaces, workloads};
use crate::kubernetes::ObjectRef;

/// Does everything that is due by now, each at its own time, until no controller has work left.
pub(super) fn settle(state: &mut State) {
    let until = Instant::now();
    while let Some(next) = state.next_task(until) {
        match next {
            Next::Marked(reference) => reconcile(state, &reference),
            Next::Due(task) => run(state, task),
        }
    }
    state.advance_to(until);
}

fn run(state: &mut State, task: Task) {
    match task {
        Task::Reconcile(reference) => state.mark(reference),
        Task::Empty { namespace, uid } => namespaces::empty(state, &namespace, &uid),
        Task::Finish { namespace, uid } => namespaces::finish(state, &namespace, &uid),
        Task::Collect(reference) => {
            if state.find(&reference).is_some_and(|object| state.is_orphan(&object)) {
                state.delete(&reference);
            }
        }
    }
}

fn reconcile(state: &mut State, reference: &ObjectRef) {
    if reference.kind == DEPLOYMENT {
        autoscalers::reconcile(state, reference);
    }
    if is_workload(&reference.kind) {
        workloads::reconcile(state, reference);
    } else if reference.kind == CLAIM {
        claims::reconcile(state, reference);
    }
}
