//! Carrying out a plan: wave by wave, each wave's writes at once.

use futures::future::join_all;

use super::Orchestrator;
use crate::cluster::{ClusterError, ClusterErrorKind, Verb};
use crate::engine::Policy;
use crate::error::{Error, Result};
use crate::object::{Object, ObjectRef};
use crate::plan::{Plan, Step};
use crate::record;
use crate::store::{Store, StoreSpec};

/// Why a plan could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The cluster refused a write or did not answer.
    #[error(transparent)]
    Cluster(ClusterError),
    /// The store's secrets could not be drawn.
    #[error(transparent)]
    Other(Error),
}

impl Failure {
    /// The failure as that of an operation on a store that is on record.
    pub(super) fn of(self, store: Store) -> Error {
        match self {
            Failure::Cluster(source) => Error::Unfinished { store: Box::new(store), source },
            Failure::Other(error) => error,
        }
    }
}

impl Orchestrator {
    /// Carries out a plan for a store. Every step is idempotent, so a plan may be cut short anywhere, repeated, and
    /// carried out by two processes at once.
    ///
    /// A wave is always sent whole; if a write in it failed, the waves after it are left out. Of several failures the
    /// one is returned that no retry can cure, if there is one.
    pub(crate) async fn carry_out(&self, spec: &StoreSpec, plan: &Plan) -> Result<(), Failure> {
        let secrets = self.secret_objects(spec, plan)?;
        for wave in &plan.waves {
            let results = join_all(wave.iter().map(|step| self.write(step, &secrets))).await;
            let mut failures: Vec<ClusterError> = results.into_iter().filter_map(Result::err).collect();
            failures.sort_by_key(ClusterError::is_retryable);
            if let Some(first) = failures.into_iter().next() {
                return Err(Failure::Cluster(first));
            }
        }
        Ok(())
    }

    /// The objects with generated secrets that a plan creates. Secrets are drawn here and live no longer than this.
    fn secret_objects(&self, spec: &StoreSpec, plan: &Plan) -> Result<Vec<Object>, Failure> {
        if !plan.steps().any(|step| matches!(step, Step::CreateOnce(_))) {
            return Ok(Vec::new());
        }
        let manifests = self.manifests_of(spec, self.inner.secrets.as_ref()).map_err(Failure::Other)?;
        Ok(manifests.into_iter().filter(|m| m.policy != Policy::Managed).map(|m| m.object).collect())
    }

    async fn write(&self, step: &Step, secrets: &[Object]) -> Result<(), ClusterError> {
        // The semaphore is never closed, so a permit is always had in the end.
        let _permit = self.inner.in_flight.acquire().await;
        let cluster = &self.inner.cluster;
        match step {
            Step::Create(object) => match cluster.create(object).await {
                Err(error) if error.kind() == ClusterErrorKind::AlreadyExists => {
                    self.check_ours(&object.reference()).await
                }
                other => other.map(drop),
            },
            Step::CreateOnce(reference) => {
                let drawn = secrets.iter().find(|object| object.reference() == *reference);
                let object = drawn.ok_or_else(|| {
                    let message = "its engine no longer renders it";
                    ClusterError::new(Verb::Create, reference, ClusterErrorKind::Other, message)
                })?;
                match cluster.create(object).await {
                    // Another process, or an earlier try, has drawn these secrets: theirs stay.
                    Err(error) if error.kind() == ClusterErrorKind::AlreadyExists => Ok(()),
                    other => other.map(drop),
                }
            }
            Step::Repair(object, _) => cluster.apply(object).await.map(drop),
        }
    }

    /// A name that is taken is success if the object is the store's: an earlier try or another process made it.
    async fn check_ours(&self, reference: &ObjectRef) -> Result<(), ClusterError> {
        match self.inner.cluster.get(reference).await? {
            Some(existing) if existing.label(record::ID).is_none() => Err(ClusterError::new(
                Verb::Create,
                reference,
                ClusterErrorKind::AlreadyExists,
                "an object of that name exists that urumi did not make; remove it or delete the store",
            )),
            _ => Ok(()),
        }
    }
}
