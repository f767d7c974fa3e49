//! The life of a namespace: born active, and gone only after everything in it.

use serde_json::{Value, json};

use super::kinds::NAMESPACE;
use super::state::{State, Task, set};
use crate::object::{Object, ObjectRef};

/// Fills in what every new namespace has.
pub(super) fn prepare(value: &mut Value, name: &str) {
    set(value, &["metadata", "labels", "kubernetes.io/metadata.name"], name.into());
    set(value, &["spec", "finalizers"], json!(["kubernetes"]));
    set(value, &["status", "phase"], "Active".into());
}

/// Begins the deletion of a namespace.
pub(super) fn terminate(state: &mut State, namespace: &Object) {
    let mut changed = namespace.clone();
    set(changed.as_value_mut(), &["metadata", "deletionTimestamp"], state.timestamp().into());
    set(changed.as_value_mut(), &["status", "phase"], "Terminating".into());
    state.put(changed);
    let (name, uid) = (namespace.name().to_owned(), namespace.uid().unwrap_or_default().to_owned());
    let delay = state.config.termination_delay;
    state.schedule(delay / 2, Task::Empty { namespace: name.clone(), uid: uid.clone() });
    state.schedule(delay, Task::Finish { namespace: name, uid });
}

/// Removes everything in a terminating namespace.
pub(super) fn empty(state: &mut State, namespace: &str, uid: &str) {
    if is_terminating(state, namespace, Some(uid)) {
        for reference in state.contents(namespace) {
            state.delete(&reference);
        }
    }
}

/// Removes a terminating namespace.
pub(super) fn finish(state: &mut State, namespace: &str, uid: &str) {
    if is_terminating(state, namespace, Some(uid)) {
        empty(state, namespace, uid);
        state.delete(&ObjectRef::cluster(NAMESPACE, namespace));
    }
}

/// Whether a namespace (of this uid) is there and being deleted.
pub(super) fn is_terminating(state: &State, namespace: &str, uid: Option<&str>) -> bool {
    state
        .find(&ObjectRef::cluster(NAMESPACE, namespace))
        .is_some_and(|found| found.is_terminating() && uid.is_none_or(|uid| found.uid() == Some(uid)))
}
