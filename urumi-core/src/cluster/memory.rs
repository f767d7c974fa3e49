//! A Kubernetes in memory, for tests and demonstrations.
//!
//! [`InMemoryCluster`] behaves as a real cluster does in all that urumi sees: conflicts, resourceVersions, strict
//! fields, the order and expiry of watches, namespaces that terminate, workloads that turn ready by themselves, and
//! (where a [`Fault`] says so) workloads that do not, with the statuses and Events of the real kubelet. Requests can be
//! made slow or to fail ([`Outage`]).
//!
//! It spawns nothing. What happens with time happens when somebody looks: every request first lets the cluster catch
//! up, and watches sleep until something is due. It follows tokio's clock, so tests with paused time see everything in
//! order and at once. Containers write a few lines of what happens to them.
//!
//! Not modelled: defaults of the API server beyond namespaces' and Services' own, ReplicaSets as objects, Jobs and
//! DaemonSets, ResourceQuotas beyond pods and what they request, LimitRange, Pod Security, and field ownership (see
//! `apply`).

mod admission;
mod apply;
mod builder;
mod claims;
mod deletion;
mod events;
mod fault;
mod kinds;
mod log;
mod logs;
mod namespaces;
mod outage;
mod output;
mod pods;
mod problem;
mod quota;
mod server;
mod smoke;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod tokens;
mod wake;
mod watching;
mod workloads;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

pub use self::builder::InMemoryClusterBuilder;
pub use self::fault::{Fault, FaultTarget};
use self::kinds::TOKEN_REVIEW;
use self::outage::{Asked, Gate};
pub use self::outage::{Outage, OutageId, Request};
use self::server::Refusal;
use self::state::State;
use super::{ClusterBackend, LogStream, WatchStream};
use crate::kubernetes::{
    Access, ClusterError, ClusterErrorKind, LogOptions, MetadataPatch, Preconditions, Query, TokenReview, Verb,
};
use crate::kubernetes::{Object, ObjectRef};
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

impl Default for InMemoryCluster {
    /// A cluster where everything happens at once and nothing fails.
    fn default() -> Self {
        InMemoryCluster::builder().build()
    }
}

impl fmt::Debug for InMemoryCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryCluster").field("objects", &self.lock().everything().len()).finish_non_exhaustive()
    }
}

impl InMemoryCluster {
    /// Sets up a cluster.
    pub fn builder() -> InMemoryClusterBuilder {
        InMemoryClusterBuilder::default()
    }

    fn from_state(state: State) -> Self {
        InMemoryCluster { state: Arc::new(Mutex::new(state)) }
    }

    // ---- looking in, and acting as somebody else ------------------------------------------------------------------

    /// Every object there is, ordered by kind (group first), namespace and name. Not counted as a request.
    pub fn dump(&self) -> Vec<Object> {
        self.caught_up(|state| state.everything()).iter().map(|object| Object::clone(object)).collect()
    }

    /// Changes an object as somebody else would; `None` when it does not exist. Nothing is checked, identity (kind,
    /// namespace, name, uid) cannot be changed, and what controllers maintain they will set back.
    pub fn modify(&self, reference: &ObjectRef, change: impl FnOnce(&mut Object)) -> Option<Object> {
        let before = self.caught_up(|state| state.find(reference))?;
        // Called without the lock, so that it may use the cluster.
        let mut changed = Object::clone(&before);
        change(&mut changed);
        self.caught_up(|state| {
            let live = state.find(reference)?;
            for field in ["apiVersion", "kind"] {
                state::set(changed.as_value_mut(), &[field], live.at(&format!("/{field}"))?.clone());
            }
            for field in ["name", "namespace", "uid", "resourceVersion", "generation"] {
                if let Some(value) = live.at(&format!("/metadata/{field}")).cloned() {
                    state::set(changed.as_value_mut(), &["metadata", field], value);
                }
            }
            Some(Object::clone(&state.put_changed(&live, changed)))
        })
    }

    /// Deletes an object as somebody else would, and says whether it was there. A namespace begins to terminate, a
    /// workload takes its pods along, a workload's pod is replaced, and finalizers keep what has any.
    pub fn remove(&self, reference: &ObjectRef) -> bool {
        self.caught_up(|state| {
            let found = state.find(reference);
            if let Some(object) = &found {
                deletion::begin(state, object);
            }
            found.is_some()
        })
    }

    // ---- trouble with workloads -----------------------------------------------------------------------------------

    /// Makes something go wrong with workloads, those that come later included. Pods that run are hit as if they had
    /// been replaced. Of several faults that fit a workload the last one counts; the same target again replaces its
    /// fault.
    pub fn inject_fault(&self, target: FaultTarget, fault: Fault) {
        self.caught_up(|state| {
            state.faults.retain(|(other, _)| *other != target);
            state.faults.push((target, fault));
            state.mark_all(None);
        });
    }

    /// Ends the fault of a target, and says whether there was one. Workloads recover after their readiness delay.
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

    /// Has the containers of a workload's running pods exit once; they are ready again after the readiness delay.
    /// Says how many pods were hit.
    pub fn crash(&self, workload: &ObjectRef) -> usize {
        self.caught_up(|state| {
            let hit: Vec<(String, String)> = state
                .pods
                .iter()
                .filter(|(_, life)| life.workload == *workload)
                .map(|(place, _)| place.clone())
                .collect();
            hit.iter().filter(|(namespace, name)| pods::crash(state, namespace, name)).count()
        })
    }

    /// Changes how long pods take to become ready: those that are made, or recover, from now on.
    pub fn set_readiness_delay(&self, delay: Duration) {
        self.caught_up(|state| state.config.readiness_delay = delay);
    }

    /// Changes how long namespaces take to go, for those that are deleted from now on.
    pub fn set_termination_delay(&self, delay: Duration) {
        self.caught_up(|state| state.config.termination_delay = delay);
    }

    // ---- trouble with requests ------------------------------------------------------------------------------------

    /// Begins an outage.
    pub fn begin_outage(&self, outage: Outage) -> OutageId {
        self.gate(|gate| gate.add(outage))
    }

    /// Ends an outage, and says whether it was still there.
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

    /// Forbids something from now on. Open watches go on.
    pub fn deny(&self, access: Access) {
        self.gate(|gate| gate.denied.push(access));
    }

    /// Allows everything again.
    pub fn allow_all(&self) {
        self.gate(|gate| gate.denied.clear());
    }

    /// Has every open watch start over with a snapshot, as if its resourceVersion had expired.
    pub fn expire_watches(&self) {
        self.caught_up(|state| {
            state.expiries += 1;
            state.nudge_watches();
        });
    }

    /// Has every open watch report a lost connection and then start over.
    pub fn drop_watches(&self) {
        self.caught_up(|state| {
            state.drops += 1;
            state.nudge_watches();
        });
    }

    /// How many watches are open (and have listed at least once).
    pub fn open_watches(&self) -> usize {
        self.lock().watches()
    }

    /// The requests that came, oldest first; only the last 10,000 are remembered.
    pub fn requests(&self) -> Vec<Request> {
        self.gate(|gate| gate.requests())
    }

    /// How many requests came.
    pub fn request_count(&self) -> u64 {
        self.gate(|gate| gate.count())
    }

    /// Starts counting anew.
    pub fn forget_requests(&self) {
        self.gate(Gate::forget_requests);
    }

    // ---- tokens ---------------------------------------------------------------------------------------------------

    /// Has the cluster know a token: whose it is, and the groups that they belong to besides `system:authenticated`. It
    /// is meant for every audience. The same token again replaces what was known.
    pub fn add_token<G: Into<String>>(
        &self,
        token: SecretString,
        username: impl Into<String>,
        groups: impl IntoIterator<Item = G>,
    ) {
        let groups = groups.into_iter().map(Into::into).collect();
        self.caught_up(|state| state.tokens.add(token, username.into(), groups));
    }

    /// Has the cluster forget a token, and says whether it was known.
    pub fn revoke_token(&self, token: &SecretString) -> bool {
        self.caught_up(|state| state.tokens.revoke(token))
    }

    // ---- within ---------------------------------------------------------------------------------------------------

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway through a change; and if it did, the objects are still the objects.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate<T>(&self, then: impl FnOnce(&mut Gate) -> T) -> T {
        then(&mut self.lock().gate)
    }

    /// Lets the cluster catch up with the clock, does something, and lets controllers react to it.
    fn caught_up<T>(&self, then: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        state.settle();
        let result = then(&mut state);
        state.settle();
        result
    }

    /// Half of the time that a request takes.
    async fn delay(&self) {
        let latency = self.gate(|gate| gate.latency);
        if !latency.is_zero() {
            sleep(latency / 2).await;
        }
    }

    async fn request<T>(
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
                // The answer is lost whatever it was.
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

fn about(verb: Verb, reference: &ObjectRef) -> (Asked<'_>, String) {
    let asked = Asked {
        verb,
        kind: Some(&reference.kind),
        namespace: reference.namespace.as_deref(),
        name: Some(&reference.name),
    };
    (asked, reference.to_string())
}

#[async_trait]
impl ClusterBackend for InMemoryCluster {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let (asked, target) = about(Verb::Create, &reference);
        self.request(asked, target, |state| Ok(Object::clone(&*server::create(state, object)?))).await
    }

    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let (asked, target) = about(Verb::Apply, &reference);
        self.request(asked, target, |state| Ok(Object::clone(&*server::apply(state, object)?))).await
    }

    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let (asked, target) = about(Verb::Replace, &reference);
        self.request(asked, target, |state| Ok(Object::clone(&*server::replace(state, object)?))).await
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        let (asked, target) = about(Verb::Get, object);
        self.request(asked, target, |state| Ok(state.find(object).map(|found| Object::clone(&found)))).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        let asked = Asked {
            verb: Verb::List,
            kind: Some(&query.kind),
            namespace: query.namespace.as_deref(),
            name: query.name.as_deref(),
        };
        let all = |state: &mut State| Ok(state.select(query).iter().map(|object| Object::clone(object)).collect());
        self.request(asked, query.to_string(), all).await
    }

    fn watch(&self, query: &Query) -> WatchStream {
        watching::open(self.clone(), query.clone())
    }

    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        let (asked, target) = about(Verb::PatchMetadata, object);
        self.request(asked, target, |state| Ok(Object::clone(&*server::patch_metadata(state, object, patch)?))).await
    }

    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
        let (asked, target) = about(Verb::Delete, object);
        self.request(asked, target, |state| server::delete(state, object, expected)).await
    }

    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        let (asked, target) = about(Verb::Logs, pod);
        let reading = self.request(asked, target, |state| logs::find(state, pod, options)).await?;
        Ok(reading.stream(self.clone()))
    }

    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        let asked = Asked { verb: Verb::Review, kind: None, namespace: access.namespace.as_deref(), name: None };
        let target = format!("{} {}", access.verb, access.resource);
        self.request(asked, target, |state| Ok(state.gate.allows(access))).await
    }

    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        let asked = Asked { verb: Verb::ReviewToken, kind: Some(&TOKEN_REVIEW), namespace: None, name: None };
        self.request(asked, "a token".into(), |state| Ok(state.tokens.review(token, audiences))).await
    }

    async fn version(&self) -> Result<String, ClusterError> {
        let asked = Asked { verb: Verb::Version, kind: None, namespace: None, name: None };
        self.request(asked, "the version".into(), |state| Ok(state.config.version.clone())).await
    }
}
