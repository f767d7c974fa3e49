//! Work of the controllers, as data: the state keeps it until it is due, [`controllers`](super::controllers) carry it out.

use crate::kubernetes::ObjectRef;

/// Work that is due at a certain time.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// Reconcile a workload or a claim.
    Reconcile(ObjectRef),
    /// Remove the contents of a terminating namespace.
    Empty { namespace: String, uid: String },
    /// Remove a terminating namespace itself.
    Finish { namespace: String, uid: String },
    /// Remove an object whose owners are gone, as the garbage collector does.
    Collect(ObjectRef),
}

/// What a controller does next.
pub(super) enum Next {
    /// Reconcile an object that was marked because something changed.
    Marked(ObjectRef),
    /// Carry out a task that is due.
    Due(Task),
}
