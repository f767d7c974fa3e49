//! Deletes a store.

use super::Orchestrator;
use super::change::{Conflicts, at_version};
use crate::error::{Operation, Result};
use crate::kubernetes::Preconditions;
use crate::orchestrator::Precondition;
use crate::record::namespace_ref;
use crate::store::status::StoreStatus;
use crate::store::{Store, StoreId};

impl Orchestrator {
    /// Deletes the store's record, and with it everything in its namespace.
    pub(super) async fn delete_store(&self, id: &StoreId, expected: &Precondition) -> Result<Store> {
        let mut conflicts = Conflicts::default();
        loop {
            let record = self.expected_record(Operation::Delete, id, expected).await?;
            let mut store = record.store(&self.inner.engines);
            if store.status == StoreStatus::Deleting {
                return Ok(store);
            }
            // The deletion below requires this version.
            at_version(Operation::Delete, &record, expected)?;
            let expected = Preconditions::uid(record.uid).at(record.resource_version);
            match self.inner.cluster.delete(&namespace_ref(id), &expected).await {
                Ok(()) => {
                    store.status = StoreStatus::Deleting;
                    store.reason = None;
                    return Ok(store);
                }
                Err(error) => conflicts.tolerate(Operation::Delete, id, error)?,
            }
        }
    }
}
