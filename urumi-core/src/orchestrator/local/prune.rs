//! Removes the objects that earlier revisions of a store rendered and its present one does not.

use super::Orchestrator;
use crate::kubernetes::{ClusterError, ClusterErrorKind, Object, ObjectRef, Preconditions};
use crate::record::{self, Record, namespace_ref};

impl Orchestrator {
    /// Removes objects by their uids, and then writes to the record that they are not left over any more. Only the store's own objects are
    /// removed: an object of the same name may be somebody else's by now.
    pub(crate) async fn prune(&self, record: &Record, left_over: &[ObjectRef]) -> Result<Object, ClusterError> {
        let cluster = &self.inner.cluster;
        for reference in left_over {
            let Some(object) = cluster.get(reference).await? else { continue };
            let ours = object.label(record::ID) == Some(record.id.as_str())
                && record::belongs(&object, &record.id, &record.uid);
            let Some(uid) = object.uid().filter(|_| ours && !object.is_terminating()) else { continue };
            tracing::info!(store = %record.id, object = %reference, "removing an object of an earlier revision");
            match cluster.delete(reference, &Preconditions::uid(uid)).await {
                Err(error) if error.kind() == ClusterErrorKind::NotFound => {}
                deleted => deleted?,
            }
        }
        cluster.patch_metadata(&namespace_ref(&record.id), &record.without_left_over(left_over)).await
    }
}
