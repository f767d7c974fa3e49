//! The life cycle of namespaces. A namespace is created active, and it is gone only after every object in it.

use serde_json::{Value, json};

use super::json::set;
use super::kinds::NAMESPACE;
use super::state::State;
use super::task::Task;
use crate::kubernetes::{Object, ObjectRef};

/// Sets the fields that the API server sets in every new namespace.
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

/// Ends the termination of a namespace: deletes it, unless a finalizer holds it.
pub(super) fn finish(state: &mut State, namespace: &str, uid: &str) {
    if !is_terminating(state, namespace, Some(uid)) {
        return;
    }
    empty(state, namespace, uid);
    if let Some(emptied) = state.find(&ObjectRef::cluster(NAMESPACE, namespace)) {
        let mut emptied = Object::clone(&emptied);
        set(emptied.as_value_mut(), &["spec", "finalizers"], json!([]));
        if !release(state, &emptied) {
            state.put(emptied);
        }
    }
}

/// Removes a terminating namespace that no finalizer holds, and the objects elsewhere that it owns. Returns whether it did.
pub(super) fn release(state: &mut State, namespace: &Object) -> bool {
    let free = |pointer: &str| namespace.list_at(pointer).is_empty();
    let goes = namespace.is_terminating() && free("/spec/finalizers") && free("/metadata/finalizers");
    if goes {
        state.delete(&namespace.reference());
        let owned_by = |owner: &Value| owner.get("uid").and_then(Value::as_str) == namespace.uid();
        let everything = state.everything();
        let owned = everything.iter().filter(|o| o.list_at("/metadata/ownerReferences").iter().any(owned_by));
        owned.for_each(|object| drop(state.delete(&object.reference())));
    }
    goes
}

/// Whether a namespace (of this uid, if given) exists and is being deleted.
pub(super) fn is_terminating(state: &State, namespace: &str, uid: Option<&str>) -> bool {
    state
        .find(&ObjectRef::cluster(NAMESPACE, namespace))
        .is_some_and(|found| found.is_terminating() && uid.is_none_or(|uid| found.uid() == Some(uid)))
}
