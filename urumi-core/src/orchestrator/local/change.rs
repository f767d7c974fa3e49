//! Changes of a store's record, beside other writers.

use super::Orchestrator;
use crate::error::{Error, Operation, Result};
use crate::kubernetes::{ClusterError, ClusterErrorKind, MetadataPatch};
use crate::orchestrator::Precondition;
use crate::record::{Record, namespace_ref};
use crate::store::StoreId;

/// How many times an operation tries a write that conflicts with other writers.
const CONFLICT_TRIES: usize = 8;

impl Orchestrator {
    /// Changes the record of the expected store, and returns it. `change` decides on the record as it is then; `None` leaves it.
    pub(super) async fn change_record(
        &self,
        operation: Operation,
        id: &StoreId,
        expected: &Precondition,
        change: impl Fn(&Record) -> Result<Option<MetadataPatch>>,
    ) -> Result<Record> {
        let mut conflicts = Conflicts::default();
        loop {
            let record = self.expected_record(operation, id, expected).await?;
            at_version(operation, &record, expected)?;
            let Some(patch) = change(&record)? else { return Ok(record) };
            match self.inner.cluster.patch_metadata(&namespace_ref(id), &patch).await {
                Ok(namespace) => return Record::read(&namespace).ok_or_else(|| Error::NotFound { id: id.clone() }),
                Err(error) => conflicts.tolerate(operation, id, error)?,
            }
        }
    }
}

/// Checks the version of the record that was expected.
pub(super) fn at_version(operation: Operation, record: &Record, expected: &Precondition) -> Result<()> {
    match expected.expected_version() {
        Some(version) if version != record.resource_version => {
            Err(Error::PreconditionFailed { operation, id: record.id.clone(), expected: version.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Counts the conflicts of one operation's writes to a record with other writers.
#[derive(Default)]
pub(super) struct Conflicts(usize);

impl Conflicts {
    /// Tolerates a conflict, up to [`CONFLICT_TRIES`]: the caller reads the record and checks its precondition again.
    /// Other errors, and the last conflict, become the operation's error.
    pub(super) fn tolerate(&mut self, operation: Operation, id: &StoreId, error: ClusterError) -> Result<()> {
        match error.kind() {
            ClusterErrorKind::Conflict if self.0 + 1 < CONFLICT_TRIES => {
                self.0 += 1;
                Ok(())
            }
            ClusterErrorKind::NotFound => Err(Error::NotFound { id: id.clone() }),
            _ => Err(Error::cluster(operation, Some(id), error)),
        }
    }
}
