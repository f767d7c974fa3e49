//! The history of a store: its present revision on the record, and the earlier ones in objects.

use super::Orchestrator;
use crate::error::{Error, Operation, Result};
use crate::kubernetes::{ClusterError, ClusterErrorKind, Object, Preconditions, Verb};
use crate::record::Record;
use crate::record::kept::{Kept, kept_revisions};
use crate::store::revision::{KEPT_REVISIONS, Revision};
use crate::store::update::OptionChange;
use crate::store::{Options, StoreId, StoreSpec};

impl Orchestrator {
    pub(super) async fn store_history(&self, id: &StoreId) -> Result<Vec<Revision>> {
        let record = self.record(Operation::History, id).await?;
        let mut kept = self.kept(Operation::History, &record).await?;
        if let Ok(spec) = &record.spec {
            kept.push(record.present(spec));
        }
        let shown = |options: &Options| self.inner.engines.without_secrets(record.engine(), options.clone());
        let failure_of = |number: u64| {
            let failed = kept.iter().filter_map(|revision| revision.failed.as_ref());
            failed.filter(|failed| failed.number == number).map(|failed| failed.reason.clone()).next()
        };
        let mut before: Option<Options> = None;
        let mut revisions = Vec::new();
        for revision in &kept {
            let options = shown(&revision.options);
            let changes = before.as_ref().map(|before| OptionChange::between(before, &options));
            before = Some(options);
            revisions.push(Revision {
                number: revision.number,
                at: revision.at,
                by: revision.by.clone(),
                reason: revision.reason.clone(),
                restores: revision.restores,
                current: revision.number == record.revision.number,
                failure: failure_of(revision.number),
                name: revision.name.as_str().to_owned(),
                requested: shown(&revision.request),
                renderer: revision.renderer,
                changes: changes.unwrap_or_default(),
            });
        }
        Ok(revisions)
    }

    /// The earlier revisions of a store, oldest first.
    pub(super) async fn kept(&self, operation: Operation, record: &Record) -> Result<Vec<Kept>> {
        let objects = self.inner.cluster.list(&kept_revisions(&record.id)).await;
        let objects = objects.map_err(|e| Error::cluster(operation, Some(&record.id), e))?;
        Ok(earlier(record, &objects).into_iter().map(|(kept, _)| kept).collect())
    }

    /// Keeps the present revision as an object, and removes those that are too old.
    pub(super) async fn keep_revision(&self, operation: Operation, record: &Record, spec: &StoreSpec) -> Result<()> {
        let failed = |e: ClusterError| Error::cluster(operation, Some(&record.id), e);
        let object = record.kept_revision(spec);
        let object = object.map_err(|error| super::render_error(spec, &error.into()))?;
        let cluster = &self.inner.cluster;
        match cluster.create(&object).await {
            Err(error) if error.kind() == ClusterErrorKind::AlreadyExists => {
                // Another request for the same revision was faster, or it is of an earlier store of the id and about to go.
                let objects = cluster.list(&kept_revisions(&record.id)).await.map_err(failed)?;
                let is_kept = |there: &Object| {
                    there.name() == object.name()
                        && Kept::read(there, &record.id, &record.uid)
                            .is_some_and(|kept| kept.number == record.revision.number)
                };
                if !objects.iter().any(is_kept) {
                    let message = "an object of an earlier store has this name";
                    let reference = object.reference();
                    let conflict = ClusterErrorKind::Conflict;
                    return Err(failed(ClusterError::new(Verb::Create, reference, conflict, message)));
                }
            }
            // The store is gone meanwhile.
            Err(error) if error.kind() == ClusterErrorKind::NotFound => {
                return Err(Error::NotFound { id: record.id.clone() });
            }
            created => drop(created.map_err(failed)?),
        }
        self.remove_old_revisions(record).await;
        Ok(())
    }

    /// Removes the revisions that are too old. One that cannot be removed goes with a later change.
    async fn remove_old_revisions(&self, record: &Record) {
        // With the present one and the next one.
        if usize::try_from(record.revision.number).is_ok_and(|number| number < KEPT_REVISIONS) {
            return;
        }
        let cluster = &self.inner.cluster;
        let failed = |error: ClusterError, revision: Option<u64>| {
            tracing::debug!(%error, store = %record.id, revision, "old revisions could not be removed");
        };
        let objects = match cluster.list(&kept_revisions(&record.id)).await {
            Ok(objects) => objects,
            Err(error) => return failed(error, None),
        };
        let earlier = earlier(record, &objects);
        let surplus = (earlier.len() + 2).saturating_sub(KEPT_REVISIONS);
        // The one that the store would return to is kept, however old.
        let goes = |kept: &Kept| Some(kept.number) != record.good_revision();
        for (kept, object) in earlier.into_iter().filter(|(kept, _)| goes(kept)).take(surplus) {
            let Some(uid) = object.uid() else { continue };
            if let Err(error) = cluster.delete(&object.reference(), &Preconditions::uid(uid)).await {
                failed(error, Some(kept.number));
            }
        }
    }
}

/// The earlier revisions among objects, oldest first. An object of the present revision, or of a later one whose record was never
/// written, is none.
fn earlier<'a>(record: &Record, objects: &'a [Object]) -> Vec<(Kept, &'a Object)> {
    let kept = objects.iter().filter_map(|object| Some((Kept::read(object, &record.id, &record.uid)?, object)));
    let mut earlier: Vec<_> = kept.filter(|(kept, _)| kept.number < record.revision.number).collect();
    earlier.sort_by_key(|(kept, _)| kept.number);
    earlier
}

/// The revision of this number.
pub(super) fn find(id: &StoreId, record: &Record, kept: Vec<Kept>, number: u64) -> Result<Kept> {
    let numbers: Vec<String> = kept.iter().map(|kept| kept.number.to_string()).collect();
    let found = kept.into_iter().find(|kept| kept.number == number);
    found.ok_or_else(|| {
        let known = match numbers.as_slice() {
            [] => "the store has no earlier revision".to_owned(),
            numbers => format!("there are {}", numbers.join(", ")),
        };
        let message = match number == record.revision.number {
            true => format!("is the present revision; {known}"),
            false => format!("is no earlier revision of store {id}; {known}"),
        };
        crate::error::FieldError::new("to", message).into()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::{ClusterBackend, InMemoryCluster};
    use crate::orchestrator::StoreOrchestrator;
    use crate::record::namespace_ref;
    use crate::store::CreateStore;

    async fn keep(urumi: &Orchestrator, record: &Record) -> Result<()> {
        urumi.keep_revision(Operation::Update, record, record.spec.as_ref().unwrap()).await
    }

    async fn store(cluster: &InMemoryCluster) -> (Orchestrator, Record) {
        let urumi = Orchestrator::builder(cluster.clone()).build();
        let id = urumi.create(CreateStore::new("Shop", "medusa")).await.unwrap().store().id.clone();
        let record = urumi.record(Operation::Get, &id).await.unwrap();
        (urumi, record)
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_gone_meanwhile_is_not_found() {
        let cluster = InMemoryCluster::default();
        let (urumi, record) = store(&cluster).await;
        cluster.remove(&namespace_ref(&record.id));
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        let refused = keep(&urumi, &record).await;
        assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
    }

    /// A request for an earlier store may arrive late. The garbage collector removes what it makes.
    #[tokio::test(start_paused = true)]
    async fn a_revision_of_an_earlier_store_is_none_of_this_one() {
        let cluster = InMemoryCluster::builder().collection_delay(std::time::Duration::from_secs(60)).build();
        let (urumi, record) = store(&cluster).await;
        let mut late = record.kept_revision(record.spec.as_ref().unwrap()).unwrap();
        late.as_value_mut()["metadata"]["ownerReferences"][0]["uid"] = json!("another");
        cluster.create(&late).await.unwrap();
        let refused = keep(&urumi, &record).await;
        assert!(refused.as_ref().is_err_and(Error::is_retryable), "{refused:?}");
        cluster.remove(&late.reference());
        keep(&urumi, &record).await.unwrap();
        // Another request for the same one is as good.
        keep(&urumi, &record).await.unwrap();
        assert_eq!(urumi.kept(Operation::History, &record).await.unwrap().len(), 0);
    }
}
