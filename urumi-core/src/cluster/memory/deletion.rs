//! Deletion of single objects: at once, or with the last finalizer, and then of what they own.

use serde_json::Value;

use super::json::set;
use super::kinds::NAMESPACE;
use super::namespaces;
use super::state::State;
use crate::kubernetes::{Object, ObjectRef};

/// Begins the deletion of an object. One that is being deleted already goes on as it does.
pub(super) fn begin(state: &mut State, object: &Object) {
    if object.is_terminating() {
        return;
    }
    if *object.kind() == NAMESPACE {
        namespaces::terminate(state, object);
    } else if has_finalizers(object) {
        let mut changed = object.clone();
        set(changed.as_value_mut(), &["metadata", "deletionTimestamp"], state.timestamp().into());
        set(changed.as_value_mut(), &["metadata", "deletionGracePeriodSeconds"], 0.into());
        state.put(changed);
    } else {
        remove(state, &object.reference());
    }
}

/// Removes an object that is being deleted and that no finalizer keeps any more.
pub(super) fn finish(state: &mut State, object: &Object) {
    if *object.kind() == NAMESPACE {
        namespaces::release(state, object);
    } else if object.is_terminating() && !has_finalizers(object) {
        remove(state, &object.reference());
    }
}

fn has_finalizers(object: &Object) -> bool {
    !object.list_at("/metadata/finalizers").is_empty()
}

/// Removes an object and, as the garbage collector does, begins the deletion of what nothing else owns.
fn remove(state: &mut State, reference: &ObjectRef) {
    let Some(gone) = state.delete(reference) else { return };
    let owned_by_it = |owner: &Value| owner.get("uid").and_then(Value::as_str) == gone.uid();
    for object in state.everything() {
        let owners = object.list_at("/metadata/ownerReferences");
        if !owners.is_empty() && owners.iter().all(owned_by_it) {
            begin(state, &object);
        }
    }
}
