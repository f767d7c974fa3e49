//! What a check works with: the backend, the options, and namespaces of its own.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::kinds::NAMESPACE;
use super::options::{LABEL, Options, TAG};
use super::watched::WatchedObjects;
use crate::cluster::ClusterBackend;
use crate::kubernetes::{ClusterError, ClusterErrorKind, Object, ObjectRef, Preconditions, Query};
use crate::store::StoreId;
use crate::testing::{self, Waiting};
pub(super) use crate::testing::{Stop, ensure};

/// The context of one check.
pub(super) struct Context {
    pub(super) cluster: Arc<dyn ClusterBackend>,
    pub(super) options: Options,
    /// The value of the label [`TAG`] of every object of this check.
    pub(super) tag: String,
    namespaces: Mutex<Vec<String>>,
    pub(super) waiting: Waiting,
}

impl Context {
    pub(super) fn new(cluster: Arc<dyn ClusterBackend>, options: Options) -> Self {
        Context {
            cluster,
            options,
            tag: StoreId::random().to_string(),
            namespaces: Mutex::new(Vec::new()),
            waiting: Waiting::default(),
        }
    }

    /// A name that no namespace has; a namespace of this name is deleted after the check.
    pub(super) fn new_name(&self) -> String {
        let name = format!("store-conformance-{}", StoreId::random());
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        name
    }

    /// The manifest of a namespace.
    pub(super) fn namespace_manifest(&self, name: &str) -> Result<Object, Stop> {
        let mut labels = json!({LABEL: "true", TAG: self.tag, "pod-security.kubernetes.io/enforce": "restricted"});
        if let Some(map) = labels.as_object_mut() {
            map.extend(self.options.labels.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))));
        }
        Ok(Object::from_value(NAMESPACE, json!({"metadata": {"name": name, "labels": labels}}))?)
    }

    /// Creates a namespace and returns its name.
    pub(super) async fn namespace(&self) -> Result<String, Stop> {
        Ok(self.namespace_object().await?.name().to_owned())
    }

    /// Creates a namespace and returns it as stored.
    pub(super) async fn namespace_object(&self) -> Result<Object, Stop> {
        let manifest = self.namespace_manifest(&self.new_name())?;
        Ok(self.cluster.create(&manifest).await?)
    }

    /// Begins the deletion of a namespace as it is now.
    pub(super) async fn delete(&self, namespace: &str) -> Result<(), ClusterError> {
        let reference = ObjectRef::cluster(NAMESPACE, namespace);
        // Controllers may change it between the read and the deletion.
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
    pub(super) fn watch(&self, query: &Query) -> WatchedObjects<'_> {
        WatchedObjects::new(self.cluster.watch(query), query, &self.waiting)
    }
}

impl testing::CheckContext for Context {
    const CREATES: &'static str = "namespaces";

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

/// Fails the check unless the request failed with this kind of error.
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
