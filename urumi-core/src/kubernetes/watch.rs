//! The events of a watch.

use super::object::Object;

/// What a watch reports.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// All objects that match, as of one moment. First in every watch, and again after any gap: whoever keeps a copy
    /// replaces it whole.
    Snapshot(Vec<Object>),
    /// An object was created or changed, or began to match.
    Applied(Object),
    /// An object is gone, or ceased to match; as it was last seen.
    Deleted(Object),
}
