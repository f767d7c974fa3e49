//! The handle of an in-memory cluster, and what tests do with it besides requests.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use super::controllers::settle;
use super::fault::{Fault, FaultTarget};
use super::json::set;
use super::outage::{Asked, Gate, Outage, OutageId, Request};
use super::server::Refusal;
use super::state::State;
use super::{deletion, pods};
use crate::kubernetes::{Access, ClusterError, ClusterErrorKind, Object, ObjectRef};
use crate::secret::SecretString;

/// A Kubernetes cluster in memory. Clones share the cluster.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use k8s_openapi::api::core::v1::Namespace;
/// use urumi_core::cluster::{ClusterBackend, InMemoryCluster};
/// use urumi_core::kubernetes::{Kind, Object};
///
/// let cluster = InMemoryCluster::default();
/// let namespace = serde_json::json!({"metadata": {"name": "store-1"}});
/// let created = cluster.create(&Object::from_value(Kind::of::<Namespace>(), namespace)?).await?;
/// assert_eq!(created.str_at("/status/phase"), Some("Active"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct InMemoryCluster {
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for InMemoryCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryCluster").field("objects", &self.lock().everything().len()).finish_non_exhaustive()
    }
}

impl InMemoryCluster {
    pub(super) fn from_state(state: State) -> Self {
        InMemoryCluster { state: Arc::new(Mutex::new(state)) }
    }

    // ---- inspecting it, and acting as another client ----------------------------------------------------------------

    /// All objects, ordered by kind (group first), namespace and name. Does not count as a request.
    pub fn dump(&self) -> Vec<Object> {
        self.caught_up(|state| state.everything()).iter().map(|object| Object::clone(object)).collect()
    }

    /// Changes an object as another client would; `None` when it does not exist. Nothing is validated. The identity (kind,
    /// namespace, name, uid) cannot be changed, and controllers reset the fields that they maintain.
    pub fn modify(&self, reference: &ObjectRef, change: impl FnOnce(&mut Object)) -> Option<Object> {
        let before = self.caught_up(|state| state.find(reference))?;
        // Called without the lock, so that it can send requests.
        let mut changed = Object::clone(&before);
        change(&mut changed);
        self.caught_up(|state| {
            let live = state.find(reference)?;
            for field in ["apiVersion", "kind"] {
                set(changed.as_value_mut(), &[field], live.at(&format!("/{field}"))?.clone());
            }
            for field in ["name", "namespace", "uid", "resourceVersion", "generation"] {
                if let Some(value) = live.at(&format!("/metadata/{field}")).cloned() {
                    set(changed.as_value_mut(), &["metadata", field], value);
                }
            }
            Some(Object::clone(&state.put_changed(&live, changed)))
        })
    }

    /// Deletes an object as another client would; returns whether it existed. A namespace begins to terminate, a workload's
    /// pods are deleted with it, and a workload's pod is replaced.
    pub fn remove(&self, reference: &ObjectRef) -> bool {
        self.caught_up(|state| {
            let found = state.find(reference);
            if let Some(object) = &found {
                deletion::begin(state, object);
            }
            found.is_some()
        })
    }

    // ---- faults of workloads -----------------------------------------------------------------------------------------

    /// Injects a fault into workloads, including those that are created later. It also affects running pods, as if they
    /// had been replaced. If several faults match a workload, the last one counts. A second fault for the same target
    /// replaces the first.
    pub fn inject_fault(&self, target: FaultTarget, fault: Fault) {
        self.caught_up(|state| {
            state.faults.retain(|(other, _)| *other != target);
            state.faults.push((target, fault));
            state.mark_all(None);
        });
    }

    /// Ends the fault of a target; returns whether there was one. Workloads recover after their readiness delay.
    pub fn clear_fault(&self, target: &FaultTarget) -> bool {
        self.caught_up(|state| {
            let before = state.faults.len();
            state.faults.retain(|(other, _)| other != target);
            state.mark_all(None);
            state.faults.len() < before
        })
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.caught_up(|state| {
            state.faults.clear();
            state.mark_all(None);
        });
    }

    /// Lets the containers of a workload's running pods exit once; they are ready again after the readiness delay. Returns
    /// the number of pods that were affected.
    pub fn crash(&self, workload: &ObjectRef) -> usize {
        self.caught_up(|state| {
            let hit: Vec<(String, String)> = state
                .pods
                .iter()
                .filter(|(_, pod)| pod.workload == *workload)
                .map(|(place, _)| place.clone())
                .collect();
            hit.iter().filter(|(namespace, name)| pods::crash(state, namespace, name)).count()
        })
    }

    /// Changes how long pods take to become ready, for those that start or recover from now on.
    pub fn set_readiness_delay(&self, delay: Duration) {
        self.caught_up(|state| state.config.readiness_delay = delay);
    }

    /// Changes how long namespaces take to terminate, for those that are deleted from now on.
    pub fn set_termination_delay(&self, delay: Duration) {
        self.caught_up(|state| state.config.termination_delay = delay);
    }

    // ---- failing requests --------------------------------------------------------------------------------------------

    /// Begins an outage.
    pub fn begin_outage(&self, outage: Outage) -> OutageId {
        self.gate(|gate| gate.add(outage))
    }

    /// Ends an outage; returns whether it was still there.
    pub fn end_outage(&self, id: OutageId) -> bool {
        self.gate(|gate| gate.end(id))
    }

    /// Ends all outages.
    pub fn end_outages(&self) {
        self.gate(Gate::end_all);
    }

    /// Changes how long every request takes.
    pub fn set_latency(&self, latency: Duration) {
        self.gate(|gate| gate.latency = latency);
    }

    /// Denies an access from now on. Open watches continue.
    pub fn deny(&self, access: Access) {
        self.gate(|gate| gate.denied.push(access));
    }

    /// Removes every denial.
    pub fn allow_all(&self) {
        self.gate(|gate| gate.denied.clear());
    }

    /// Makes every open watch list again, as if its resourceVersion had expired.
    pub fn expire_watches(&self) {
        self.caught_up(|state| {
            state.expiries += 1;
            state.nudge_watches();
        });
    }

    /// Makes every open watch report a lost connection and then list again.
    pub fn drop_watches(&self) {
        self.caught_up(|state| {
            state.drops += 1;
            state.nudge_watches();
        });
    }

    /// The number of open watches that have listed at least once.
    pub fn open_watches(&self) -> usize {
        self.lock().watches()
    }

    /// The requests so far, oldest first. Only the last 10,000 are remembered.
    pub fn requests(&self) -> Vec<Request> {
        self.gate(|gate| gate.requests())
    }

    /// The number of requests so far.
    pub fn request_count(&self) -> u64 {
        self.gate(|gate| gate.count())
    }

    /// Forgets all requests and resets their count.
    pub fn forget_requests(&self) {
        self.gate(Gate::forget_requests);
    }

    // ---- tokens ---------------------------------------------------------------------------------------------------

    /// Adds a token for a user and the user's groups; `system:authenticated` is implied. The token is valid for every
    /// audience. If it exists, its user and groups are replaced.
    pub fn add_token<G: Into<String>>(
        &self,
        token: SecretString,
        username: impl Into<String>,
        groups: impl IntoIterator<Item = G>,
    ) {
        let groups = groups.into_iter().map(Into::into).collect();
        self.caught_up(|state| state.tokens.add(token, username.into(), groups));
    }

    /// Revokes a token; returns whether it was known.
    pub fn revoke_token(&self, token: &SecretString) -> bool {
        self.caught_up(|state| state.tokens.revoke(token))
    }

    // ---- internals ---------------------------------------------------------------------------------------------------

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in another thread leaves the objects usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate<T>(&self, then: impl FnOnce(&mut Gate) -> T) -> T {
        then(&mut self.lock().gate)
    }

    /// Carries out what is due, then `then`, then what controllers do in reaction.
    fn caught_up<T>(&self, then: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        settle(&mut state);
        let result = then(&mut state);
        settle(&mut state);
        result
    }

    /// Waits for half of the latency of a request.
    pub(super) async fn delay(&self) {
        let latency = self.gate(|gate| gate.latency);
        if !latency.is_zero() {
            sleep(latency / 2).await;
        }
    }

    pub(super) async fn request<T>(
        &self,
        asked: Asked<'_>,
        target: String,
        then: impl FnOnce(&mut State) -> Result<T, Refusal> + Send,
    ) -> Result<T, ClusterError> {
        let verb = asked.verb;
        let error = |kind, message: String| ClusterError::new(verb, &target, kind, message);
        self.delay().await;
        let (denial, failure) = self.gate(|gate| {
            gate.note(verb, &target);
            (gate.denial(&asked), gate.check(&asked))
        });
        if let Some(denied) = denial {
            return Err(error(ClusterErrorKind::Forbidden, format!("not allowed to {denied} {target}")));
        }
        if let Some(failure) = failure {
            let verdict = error(failure.error, "the in-memory cluster was told to fail".into());
            if failure.answer_lost {
                // Whatever the answer, it is lost.
                let _ = self.caught_up(then);
            }
            if !failure.takes.is_zero() {
                sleep(failure.takes).await;
            }
            return Err(verdict);
        }
        let result = self.caught_up(then);
        self.delay().await;
        result.map_err(|refusal| error(refusal.kind, refusal.message))
    }
}
