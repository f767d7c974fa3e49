//! The changes that urumi makes to a cluster.

/// The field manager that owns what urumi writes.
pub const FIELD_MANAGER: &str = "urumi";

/// A change to a store's record: annotations and finalizers of its namespace, guarded by `resourceVersion`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPatch {
    /// The namespace's name.
    pub namespace: String,
    /// The `resourceVersion` that the change was computed from.
    pub resource_version: String,
    /// Annotations to set; `None` removes one.
    pub annotations: Vec<(String, Option<String>)>,
    /// The finalizers that remain; `None` leaves them as they are. A namespace that is being deleted and empty goes with
    /// its last one.
    pub finalizers: Option<Vec<String>>,
}

/// A namespace to delete, pinned so that no other of the same name can be hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceDeletion {
    /// The namespace's name.
    pub namespace: String,
    /// Its `metadata.uid`.
    pub uid: String,
    /// The `resourceVersion` at which it was seen to be ours.
    pub resource_version: String,
}
