//! Executes a plan: wave by wave, with the writes of a wave in parallel.

use std::convert::Infallible;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use uuid::Uuid;

use super::{Orchestrator, PlanUnderWay};
use crate::engine::{Manifest, Policy};
use crate::error::{Error, Result};
use crate::kubernetes::{ClusterError, ClusterErrorKind, Verb};
use crate::kubernetes::{Object, ObjectRef};
use crate::plan::{Plan, Step};
use crate::record;
use crate::store::{Store, StoreId, StoreSpec};

/// After this time without a step that other processes can see, a request shows on the record that its plan is under way. It
/// is half of what their monitors wait, so that the write has the other half to arrive.
const HEARTBEAT_AFTER: Duration = Duration::from_secs(2);

/// Why a plan could not be executed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The cluster refused a write or did not answer.
    #[error(transparent)]
    Cluster(ClusterError),
    /// The store's secrets could not be generated.
    #[error(transparent)]
    Other(Error),
}

impl Failure {
    /// Converts it to the error of an operation on a store that is on record.
    pub(super) fn of(self, store: Store) -> Error {
        match self {
            Failure::Cluster(source) => Error::Unfinished { store: Box::new(store), source },
            Failure::Other(error) => error,
        }
    }
}

impl Orchestrator {
    /// Executes a plan of a request, so that the monitors of other processes see that it is under way: see
    /// `docs/decisions/0016-a-creation-is-taken-over-when-it-makes-no-progress.md`.
    pub(super) async fn carry_out_visibly(
        &self,
        spec: &StoreSpec,
        uid: &str,
        plan: &Plan,
        under_way: PlanUnderWay,
    ) -> Result<(), Failure> {
        tokio::select! {
            biased;
            done = self.carry_out(spec, uid, plan) => done?,
            never = self.send_heartbeats(&spec.id, uid, &under_way) => match never {},
        }
        under_way.finish();
        Ok(())
    }

    /// Writes a heartbeat to the record whenever other processes have seen no progress for a while.
    async fn send_heartbeats(&self, id: &StoreId, uid: &str, under_way: &PlanUnderWay) -> Infallible {
        loop {
            under_way.without_progress(HEARTBEAT_AFTER).await;
            match record::heartbeat(id, uid, &Uuid::new_v4().to_string()) {
                // Without a permit: the plan may be waiting for one.
                Ok(heartbeat) => {
                    if let Err(error) = self.inner.cluster.apply(&heartbeat).await {
                        tracing::debug!(%error, store = %id, "a heartbeat could not be written");
                    }
                }
                Err(error) => tracing::error!(%error, store = %id, "a heartbeat cannot be rendered"),
            }
            under_way.progressed();
        }
    }

    /// Executes a plan for a store. Every step is idempotent: a plan may be interrupted anywhere, repeated, and
    /// executed by two processes at once.
    ///
    /// All writes of a wave are sent. If one fails, later waves are skipped. Of several failures, a permanent one is
    /// returned if there is any.
    ///
    /// `uid` is the uid of the store's namespace, which [owns](record::own) the created objects, except the Secrets in
    /// it. Secrets are never read, so a Secret that an earlier store has left in the namespace cannot be told from the
    /// store's own: it counts as the store's own and is kept.
    pub(crate) async fn carry_out(&self, spec: &StoreSpec, uid: &str, plan: &Plan) -> Result<(), Failure> {
        let drawn = self.drawn_objects(spec, plan)?;
        for wave in &plan.waves {
            let results = join_all(wave.iter().map(|step| self.write(step, (&spec.id, uid), &drawn))).await;
            let mut failures: Vec<ClusterError> = results.into_iter().filter_map(Result::err).collect();
            failures.sort_by_key(ClusterError::is_retryable);
            if let Some(first) = failures.into_iter().next() {
                return Err(Failure::Cluster(first));
            }
        }
        Ok(())
    }

    /// The objects that a plan creates once, including those with generated secrets. Secrets are generated here and
    /// exist only in this result.
    fn drawn_objects(&self, spec: &StoreSpec, plan: &Plan) -> Result<Vec<Object>, Failure> {
        if !plan.steps().any(|step| matches!(step, Step::CreateOnce(_))) {
            return Ok(Vec::new());
        }
        let secrets = self.inner.secrets.as_ref();
        let mut manifests = self.manifests_of(spec, secrets).map_err(Failure::Other)?;
        let teardown = self.teardown_of(spec, secrets).map_err(Failure::Other)?;
        manifests.extend(teardown.into_iter().flat_map(|stage| stage.manifests));
        let once = |m: &Manifest| matches!(m.policy, Policy::CreateOnce { .. });
        Ok(manifests.into_iter().filter(once).map(|m| m.object).collect())
    }

    async fn write(&self, step: &Step, store: (&StoreId, &str), drawn: &[Object]) -> Result<(), ClusterError> {
        // The semaphore is never closed, so this always gets a permit.
        let _permit = self.inner.in_flight.acquire().await;
        let cluster = &self.inner.cluster;
        let written = match step {
            Step::Create(object) => match cluster.create(&owned(object, store)).await {
                Err(error) if error.kind() == ClusterErrorKind::AlreadyExists => {
                    self.check_ours(&object.reference(), store).await
                }
                other => other.map(drop),
            },
            // Other processes do not see Secrets.
            Step::CreateOnce(reference) => {
                let object = drawn.iter().find(|object| object.reference() == *reference).ok_or_else(|| {
                    let message = "its engine no longer renders it";
                    ClusterError::new(Verb::Create, reference, ClusterErrorKind::Other, message)
                })?;
                return self.create_once(object, store).await;
            }
            Step::Copy { object, from } => {
                let source = cluster.get(from).await?.ok_or_else(|| {
                    let message = "it does not exist, but a secret of the store must be copied from it";
                    ClusterError::new(Verb::Get, from, ClusterErrorKind::NotFound, message)
                })?;
                return self.create_once(&filled(object, &source), store).await;
            }
            // A change may have taken fields away that were set when the object was created.
            Step::Repair(object, _) if record::is_changed(object) => {
                cluster.own_created(&object.reference(), released(object)).await?;
                cluster.apply(&owned(object, store)).await.map(drop)
            }
            Step::Repair(object, _) => cluster.apply(object).await.map(drop),
        };
        if written.is_ok() {
            self.inner.under_way.progressed(&store.0.namespace());
        }
        written
    }

    /// Creates an object unless it exists: an object of another process or of an earlier attempt is kept. Outside of
    /// the store's namespace it may be left from an earlier store with the same id; then this fails until it is gone.
    async fn create_once(&self, object: &Object, store: (&StoreId, &str)) -> Result<(), ClusterError> {
        let inside = object.namespace() == Some(&store.0.namespace());
        let created = match inside {
            true => self.inner.cluster.create(object).await,
            false => self.inner.cluster.create(&owned(object, store)).await,
        };
        match created {
            Err(error) if error.kind() == ClusterErrorKind::AlreadyExists => {}
            other => return other.map(drop),
        }
        if inside {
            return Ok(());
        }
        let reference = object.reference();
        match self.inner.cluster.get(&reference).await? {
            Some(there) if record::belongs(&there, store.0, store.1) => Ok(()),
            _ => Err(left_over(&reference)),
        }
    }

    /// Checks that an existing object is the store's own, from an earlier attempt or another process.
    async fn check_ours(&self, reference: &ObjectRef, (id, uid): (&StoreId, &str)) -> Result<(), ClusterError> {
        match self.inner.cluster.get(reference).await? {
            Some(existing) if existing.label(record::ID).is_none() => Err(ClusterError::new(
                Verb::Create,
                reference,
                ClusterErrorKind::AlreadyExists,
                "an object with this name exists that urumi did not create; remove it or delete the store",
            )),
            Some(existing) if !record::belongs(&existing, id, uid) => Err(left_over(reference)),
            _ => Ok(()),
        }
    }
}

/// The fields that an apply leaves as they are although an earlier one has set them: the number of replicas, which is an
/// autoscaler's to set where the manifest leaves it out.
fn released(object: &Object) -> &'static [&'static str] {
    const REPLICAS: &str = "/spec/replicas";
    match object.at(REPLICAS) {
        None => &[REPLICAS],
        Some(_) => &[],
    }
}

/// An object with its store as the owner.
fn owned(object: &Object, (id, uid): (&StoreId, &str)) -> Object {
    let mut owned = object.clone();
    record::own(&mut owned, id, uid);
    owned
}

/// The error for a leftover object, which will be removed soon.
fn left_over(reference: &ObjectRef) -> ClusterError {
    let message = "an object with this name exists that this store does not own; if it is left from an earlier store with the \
                   same id, it will be removed soon";
    ClusterError::new(Verb::Create, reference, ClusterErrorKind::Conflict, message)
}

/// A Secret with the values of the same keys of another.
fn filled(secret: &Object, source: &Object) -> Object {
    let mut filled = secret.clone();
    if let Some(data) = filled.as_value_mut().pointer_mut("/data").and_then(Value::as_object_mut) {
        for (key, value) in data {
            *value = source.at("/data").and_then(|data| data.get(key)).cloned().unwrap_or(Value::Null);
        }
    }
    filled
}
