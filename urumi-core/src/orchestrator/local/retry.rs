//! Retries a store: a failed store gets a new deadline, and missing objects are created.

use super::{Orchestrator, readable_spec};
use crate::error::{Error, Operation, Result};
use crate::orchestrator::Precondition;
use crate::record::Record;
use crate::store::status::StoreStatus;
use crate::store::{Store, StoreId};

const OPERATION: Operation = Operation::Retry;

impl Orchestrator {
    pub(super) async fn retry_store(&self, id: &StoreId, expected: &Precondition) -> Result<Store> {
        let record = self.change_record(OPERATION, id, expected, |record| match record.status {
            StoreStatus::Failed => Ok(Some(record.provision_again(self.now()))),
            StoreStatus::Provisioning => Ok(None),
            status => {
                let message = format!("it is {status}; only a failed or provisioning store can be retried");
                Err(Error::WrongState { operation: OPERATION, id: id.clone(), message })
            }
        });
        self.resume(&record.await?).await
    }

    /// Creates the missing objects of a store that is provisioning, unless this process is doing so already.
    async fn resume(&self, record: &Record) -> Result<Store> {
        let spec = readable_spec(OPERATION, record)?;
        let store = record.store(&self.inner.engines);
        let Some(under_way) = self.inner.under_way.begin(spec.namespace()) else { return Ok(store) };
        let plan = self.outstanding(OPERATION, spec, record).await?;
        match self.carry_out_visibly(spec, &record.uid, &plan, under_way).await {
            Ok(()) => Ok(store),
            Err(failure) => Err(failure.of(store)),
        }
    }
}
