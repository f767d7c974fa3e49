//! Guarded changes of objects that exist: each names the state that it was computed from.

use std::collections::BTreeMap;

use super::object::Object;

/// The field manager that owns what urumi writes.
pub const FIELD_MANAGER: &str = "urumi";

/// A change of an object's metadata, made only while the object is still at a given `resourceVersion`.
///
/// ```
/// use urumi_core::kubernetes::MetadataPatch;
///
/// let patch = MetadataPatch::at("42").annotate("example.com/checked", "yes").remove_label("example.com/new");
/// # let _ = patch;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataPatch {
    /// The `resourceVersion` that the change was computed from.
    pub resource_version: String,
    /// Annotations to set; `None` removes one.
    pub annotations: BTreeMap<String, Option<String>>,
    /// Labels to set; `None` removes one.
    pub labels: BTreeMap<String, Option<String>>,
    /// All finalizers that remain; `None` leaves them as they are. An object that is being deleted goes with its last
    /// finalizer (a namespace once it is empty).
    pub finalizers: Option<Vec<String>>,
}

impl MetadataPatch {
    /// A patch of an object at this `resourceVersion` that changes nothing yet.
    pub fn at(resource_version: impl Into<String>) -> Self {
        MetadataPatch { resource_version: resource_version.into(), ..MetadataPatch::default() }
    }

    /// Sets an annotation.
    #[must_use]
    pub fn annotate(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), Some(value.into()));
        self
    }

    /// Removes an annotation.
    #[must_use]
    pub fn remove_annotation(mut self, key: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), None);
        self
    }

    /// Sets a label.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), Some(value.into()));
        self
    }

    /// Removes a label.
    #[must_use]
    pub fn remove_label(mut self, key: impl Into<String>) -> Self {
        self.labels.insert(key.into(), None);
        self
    }

    /// Replaces the list of finalizers.
    #[must_use]
    pub fn finalizers(mut self, finalizers: impl IntoIterator<Item = String>) -> Self {
        self.finalizers = Some(finalizers.into_iter().collect());
        self
    }
}

/// Which object a deletion is meant for. It always names a uid, so that it cannot hit a later object of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preconditions {
    /// The object's `metadata.uid`.
    pub uid: String,
    /// The `resourceVersion` that the decision to delete was based on; `None` where any will do.
    pub resource_version: Option<String>,
}

impl Preconditions {
    /// The object of this uid, whatever has changed in it.
    pub fn uid(uid: impl Into<String>) -> Self {
        Preconditions { uid: uid.into(), resource_version: None }
    }

    /// Only at this `resourceVersion`.
    #[must_use]
    pub fn at(mut self, resource_version: impl Into<String>) -> Self {
        self.resource_version = Some(resource_version.into());
        self
    }

    /// The object exactly as it was read. One that the API server has never returned has no uid, which no object matches.
    pub fn of(object: &Object) -> Self {
        Preconditions {
            uid: object.uid().unwrap_or_default().to_owned(),
            resource_version: object.resource_version().map(str::to_owned),
        }
    }
}
