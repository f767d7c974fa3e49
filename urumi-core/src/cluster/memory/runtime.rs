//! What the in-memory cluster knows of pods and rollouts beyond their objects.

use tokio::time::Instant;

use super::problem::Problem;
use crate::kubernetes::ObjectRef;

/// The runtime state of a pod that a controller created.
#[derive(Clone, Debug)]
pub(super) struct PodRuntime {
    pub(super) workload: ObjectRef,
    /// The hash of the pod template that it was created from.
    pub(super) template: String,
    /// The pod's number in its StatefulSet.
    pub(super) ordinal: Option<i64>,
    pub(super) state: PodState,
    pub(super) restarts: i32,
    pub(super) last_exit: Option<i32>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum PodState {
    /// Pulls its image, starts, becomes ready.
    Starting {
        until: Instant,
    },
    Running,
    Broken(Problem),
}

/// How far the rollout of a Deployment's newest template has come.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    /// The hash of the template.
    pub(super) template: String,
    /// The most pods that were updated, and that were ready, at one time.
    pub(super) best: (usize, usize),
    pub(super) since: Instant,
    pub(super) complete: bool,
    pub(super) deadline: Option<Instant>,
}

impl Rollout {
    pub(super) fn new(template: &str, now: Instant) -> Self {
        Rollout { template: template.to_owned(), best: (0, 0), since: now, complete: false, deadline: None }
    }
}
