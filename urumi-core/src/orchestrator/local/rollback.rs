//! Returns to an earlier revision: its name and options become the next revision.

use super::history::find;
use super::update::{Changed, check_status};
use super::{Orchestrator, in_request, readable_spec};
use crate::error::{Error, FieldError, Operation, Result};
use crate::orchestrator::Precondition;
use crate::record::Record;
use crate::record::kept::Kept;
use crate::record::revision::{FailedRevision, NewRevision};
use crate::store::update::UpdatePreview;
use crate::store::{Store, StoreId, StoreSpec};

const OPERATION: Operation = Operation::Rollback;
/// Who requests what urumi does by itself.
const URUMI: &str = "urumi";

impl Orchestrator {
    /// Returns to a revision, or to the one before the present one.
    pub(super) async fn roll_back_store(
        &self,
        id: &StoreId,
        to: Option<u64>,
        by: Option<String>,
        expected: &Precondition,
    ) -> Result<Store> {
        let record = self.expected_record(OPERATION, id, expected).await?;
        super::change::at_version(OPERATION, &record, expected)?;
        check_status(OPERATION, &record)?;
        let kept = find(id, &record, self.kept(OPERATION, &record).await?, before(&record, to))?;
        let present = record.revision.number;
        let revised = self.revise(OPERATION, id, expected, |record| {
            still_at(record, present)?;
            let spec = readable_spec(OPERATION, record)?;
            self.check_policy(record, spec, &kept)?;
            let Some(changed) = self.changed_back(spec, &kept)? else { return Ok(None) };
            let revision = NewRevision {
                authority: kept.authority(),
                by: by.clone(),
                restores: Some(kept.number),
                ..self.new_revision(&changed)
            };
            Ok(Some((changed, revision)))
        });
        Ok(revised.await?.store(&self.inner.engines))
    }

    /// What the return to a revision, or to the one before the present one, would do.
    pub(super) async fn preview_way_back(
        &self,
        id: &StoreId,
        to: Option<u64>,
        expected: &Precondition,
    ) -> Result<UpdatePreview> {
        let record = self.expected_record(OPERATION, id, expected).await?;
        super::change::at_version(OPERATION, &record, expected)?;
        check_status(OPERATION, &record)?;
        let kept = find(id, &record, self.kept(OPERATION, &record).await?, before(&record, to))?;
        let spec = readable_spec(OPERATION, &record)?;
        self.check_policy(&record, spec, &kept)?;
        let changed = self.changed_back(spec, &kept)?;
        self.preview(&record, spec, changed.as_ref(), Vec::new()).await
    }

    /// Returns from the present revision, which could not be rolled out, to a good one.
    ///
    /// # Errors
    /// Also if the good one has the same options, so that returning to it would change nothing.
    pub(crate) async fn go_back(&self, record: &Record, good: u64, reason: &str) -> Result<()> {
        let kept = find(&record.id, record, self.kept(OPERATION, record).await?, good)?;
        let failed = FailedRevision { number: record.revision.number, reason: reason.to_owned() };
        let present = record.revision.number;
        let same_store = Precondition::uid(&record.uid);
        let revised = self.revise(OPERATION, &record.id, &same_store, |record| {
            still_at(record, present)?;
            if record.is_good() {
                let message = "it has been rolled out meanwhile".to_owned();
                return Err(Error::WrongState { operation: OPERATION, id: record.id.clone(), message });
            }
            let Some(changed) = self.changed_back(readable_spec(OPERATION, record)?, &kept)? else {
                let message = format!("revision {good} has the same options");
                return Err(Error::WrongState { operation: OPERATION, id: record.id.clone(), message });
            };
            let revision = NewRevision {
                authority: kept.authority(),
                by: Some(URUMI.to_owned()),
                reason: Some(format!("revision {} could not be rolled out", failed.number)),
                restores: Some(kept.number),
                failed: Some(failed.clone()),
                ..self.new_revision(&changed)
            };
            Ok(Some((changed, revision)))
        });
        revised.await.map(drop)
    }

    /// The store before and after; `None` if nothing would change.
    fn changed_back(&self, spec: &StoreSpec, kept: &Kept) -> Result<Option<Changed>> {
        let Kept { name, options, renderer, .. } = kept.clone();
        let after = StoreSpec { name, options, renderer, ..spec.clone() };
        if after == *spec {
            return Ok(None);
        }
        self.changed_to(spec, after, kept.request.clone()).map(Some)
    }

    /// Refuses to return to options that today's policy refuses, unless it refuses the present ones, too.
    fn check_policy(&self, record: &Record, spec: &StoreSpec, kept: &Kept) -> Result<()> {
        let present = record.request.as_ref().unwrap_or(&spec.options);
        let known = self.refusals(&spec.engine, record.authority, &spec.id, present);
        let refused = self.refusals(&spec.engine, kept.authority(), &spec.id, &kept.request);
        let refused: Vec<FieldError> =
            refused.into_iter().filter(|error| !known.contains(error)).map(in_request).collect();
        if refused.is_empty() { Ok(()) } else { Err(Error::Invalid(refused)) }
    }
}

/// The revision to return to.
fn before(record: &Record, to: Option<u64>) -> u64 {
    to.unwrap_or(record.revision.number.saturating_sub(1))
}

/// Refuses a way back that was chosen from another revision: somebody has changed the store meanwhile.
fn still_at(record: &Record, revision: u64) -> Result<()> {
    check_status(OPERATION, record)?;
    if record.revision.number == revision {
        return Ok(());
    }
    let message = format!("it was changed to revision {} meanwhile", record.revision.number);
    Err(Error::WrongState { operation: OPERATION, id: record.id.clone(), message })
}
