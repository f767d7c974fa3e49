//! The events of a watch.

use super::object::Object;
use super::object_list::ObjectList;

/// What a watch reports.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// A consistent list of all matching objects. The first event of every watch, and the first after any gap:
    /// consumers that keep a copy must replace it completely.
    Snapshot(ObjectList),
    /// An object was created or changed, or now matches.
    Applied(Object),
    /// An object is gone, or no longer matches; its last known state.
    Deleted(Object),
}
