//! Where a check works: its backend, its own namespaces, and what it has to say.

use std::sync::{Arc, Mutex, PoisonError};

use super::sight::Sight;
use super::{Options, manifests};
use crate::cluster::ClusterBackend;
use crate::kubernetes::{ClusterError, ClusterErrorKind, Preconditions, Query};
use crate::kubernetes::{Object, ObjectRef};
use crate::store::StoreId;
use crate::testing::{self, Waiting};
pub(super) use crate::testing::{Stop, ensure};

/// A check's own corner of the cluster.
pub(super) struct Room {
    pub(super) cluster: Arc<dyn ClusterBackend>,
    pub(super) options: Options,
    /// The value of the label that all of this check's objects have.
    pub(super) tag: String,
    namespaces: Mutex<Vec<String>>,
    pub(super) waiting: Waiting,
}

impl Room {
    pub(super) fn new(cluster: Arc<dyn ClusterBackend>, options: Options) -> Self {
        Room {
            cluster,
            options,
            tag: StoreId::random().to_string(),
            namespaces: Mutex::new(Vec::new()),
            waiting: Waiting::default(),
        }
    }

    /// A name that no namespace has; whatever gets it is cleaned up.
    pub(super) fn new_name(&self) -> String {
        let name = format!("store-conformance-{}", StoreId::random());
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        name
    }

    /// Makes a namespace.
    pub(super) async fn namespace(&self) -> Result<String, Stop> {
        Ok(self.namespace_object().await?.name().to_owned())
    }

    /// Makes a namespace and returns it as stored.
    pub(super) async fn namespace_object(&self) -> Result<Object, Stop> {
        let manifest = manifests::namespace(self, &self.new_name())?;
        Ok(self.cluster.create(&manifest).await?)
    }

    /// Begins the deletion of a namespace as it is now.
    pub(super) async fn delete(&self, namespace: &str) -> Result<(), ClusterError> {
        let reference = ObjectRef::cluster(manifests::NAMESPACE, namespace);
        // Controllers may change it between the look and the deletion.
        let mut tries = 10;
        loop {
            let Some(found) = self.cluster.get(&reference).await? else { return Ok(()) };
            tries -= 1;
            match self.cluster.delete(&reference, &Preconditions::of(&found)).await {
                Err(error) if error.kind() == ClusterErrorKind::Conflict && tries > 0 => {}
                Err(error) if error.kind() == ClusterErrorKind::NotFound => return Ok(()),
                other => return other,
            }
        }
    }

    /// Opens a watch; it has not listed yet.
    pub(super) fn watch(&self, query: &Query) -> Sight<'_> {
        Sight::new(self, query)
    }
}

impl testing::Room for Room {
    const MAKES: &'static str = "namespaces";

    fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    async fn clean_up(&self) -> Result<(), String> {
        let names = std::mem::take(&mut *self.namespaces.lock().unwrap_or_else(PoisonError::into_inner));
        let mut left = Vec::new();
        for name in names {
            if let Err(error) = self.delete(&name).await {
                left.push(error.to_string());
            }
        }
        if left.is_empty() { Ok(()) } else { Err(left.join("; ")) }
    }
}

/// Ends a check as failed unless a request failed in a certain way.
pub(super) fn expect_error<T>(
    result: Result<T, ClusterError>,
    kind: ClusterErrorKind,
    what: &str,
) -> Result<ClusterError, Stop> {
    match result {
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) => Err(Stop::Failed(format!("{what}: expected {kind:?}, got {:?}: {error}", error.kind()))),
        Ok(_) => Err(Stop::Failed(format!("{what}: expected {kind:?}, but it succeeded"))),
    }
}
