//! Retries a store: a failed store gets a new deadline, and missing objects are created.

use super::{Conflicts, Orchestrator, at_version, readable_spec};
use crate::error::{Error, Operation, Result};
use crate::orchestrator::Precondition;
use crate::record::{Record, namespace_ref};
use crate::store::status::StoreStatus;
use crate::store::{Store, StoreId};

const OPERATION: Operation = Operation::Retry;

impl Orchestrator {
    pub(super) async fn retry_store(&self, id: &StoreId, expected: &Precondition) -> Result<Store> {
        let mut conflicts = Conflicts::default();
        loop {
            let record = self.expected_record(OPERATION, id, expected).await?;
            at_version(OPERATION, &record, expected)?;
            match record.status {
                StoreStatus::Failed => {}
                StoreStatus::Provisioning => return self.resume(&record).await,
                status => {
                    let message = format!("it is {status}; only a failed or provisioning store can be retried");
                    return Err(Error::WrongState { operation: OPERATION, id: id.clone(), message });
                }
            }
            let patch = record.provision_again(self.now());
            match self.inner.cluster.patch_metadata(&namespace_ref(id), &patch).await {
                Ok(namespace) => {
                    let record = Record::read(&namespace).ok_or_else(|| Error::NotFound { id: id.clone() })?;
                    return self.resume(&record).await;
                }
                Err(error) => conflicts.tolerate(OPERATION, id, error)?,
            }
        }
    }

    /// Creates the missing objects of a store that is provisioning.
    async fn resume(&self, record: &Record) -> Result<Store> {
        let spec = readable_spec(OPERATION, record)?;
        let plan = self.outstanding(OPERATION, spec, record).await?;
        let store = record.store(&self.inner.engines);
        match self.carry_out(spec, &record.uid, &plan).await {
            Ok(()) => Ok(store),
            Err(failure) => Err(failure.of(store)),
        }
    }
}
