//! The in-memory API server: what each write does to the state, and why it is refused.

use std::sync::Arc;

use serde_json::Value;

use super::fields::FieldSet;
use super::json::set;
use super::kinds::{JOB, NAMESPACE, SERVICE};
use super::state::State;
use super::{admission, apply, deletion, namespaces};
use crate::kubernetes::{ClusterErrorKind, MetadataPatch, Preconditions};
use crate::kubernetes::{Object, ObjectRef};

/// Why a write was refused.
pub(super) struct Refusal {
    pub(super) kind: ClusterErrorKind,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(kind: ClusterErrorKind, message: impl Into<String>) -> Self {
        Refusal { kind, message: message.into() }
    }

    fn invalid(message: String) -> Self {
        Refusal::new(ClusterErrorKind::Invalid, message)
    }

    pub(super) fn not_found(reference: &ObjectRef) -> Self {
        let message = format!("{} \"{}\" not found", reference.kind.plural, reference.name);
        Refusal::new(ClusterErrorKind::NotFound, message)
    }

    fn conflict(message: &str) -> Self {
        Refusal::new(ClusterErrorKind::Conflict, message)
    }
}

const CHANGED: &str = "the object has been modified; please apply your changes to the latest version and try again";

pub(super) fn create(state: &mut State, object: &Object) -> Result<Arc<Object>, Refusal> {
    if object.resource_version().is_some_and(|version| !version.is_empty()) {
        return Err(Refusal::invalid("resourceVersion should not be set on objects to be created".into()));
    }
    let object = new_object(state, object)?;
    let reference = object.reference();
    check_namespace(state, &reference)?;
    if state.find(&reference).is_some() {
        let message = format!("{} \"{}\" already exists", reference.kind.plural, reference.name);
        return Err(Refusal::new(ClusterErrorKind::AlreadyExists, message));
    }
    let created = FieldSet::of(object.as_value());
    let stored = state.put_new(object);
    state.set_created(&reference, created);
    Ok(stored)
}

pub(super) fn apply(state: &mut State, object: &Object) -> Result<Arc<Object>, Refusal> {
    let reference = object.reference();
    let expected = object.resource_version().filter(|version| !version.is_empty());
    let Some(live) = state.find(&reference) else {
        let new = new_object(state, object)?;
        check_namespace(state, &reference)?;
        if expected.is_some() || object.uid().is_some() {
            return Err(Refusal::conflict("the object has been deleted"));
        }
        let owned = FieldSet::of(new.as_value());
        let stored = state.put_new(new);
        state.set_applied(&reference, owned);
        return Ok(stored);
    };
    if expected.is_some_and(|version| live.resource_version() != Some(version)) {
        return Err(Refusal::conflict(CHANGED));
    }
    if object.uid().is_some_and(|uid| live.uid() != Some(uid)) {
        return Err(Refusal::conflict("the UID in the precondition does not match the UID in record"));
    }
    let mut applied = object.as_value().clone();
    admission::prepare(&mut applied, &reference.kind);
    let mut merged = Object::clone(&live);
    let owned = apply::apply(merged.as_value_mut(), &applied, &state.applied(&reference));
    let stored = store_changed(state, &live, merged)?;
    state.set_applied(&reference, owned);
    Ok(stored)
}

pub(super) fn replace(state: &mut State, object: &Object) -> Result<Arc<Object>, Refusal> {
    let reference = object.reference();
    let Some(expected) = object.resource_version().filter(|version| !version.is_empty()) else {
        return Err(Refusal::invalid("metadata.resourceVersion must be specified for an update".into()));
    };
    let live = state.find(&reference).ok_or_else(|| Refusal::not_found(&reference))?;
    if live.resource_version() != Some(expected) {
        return Err(Refusal::conflict(CHANGED));
    }
    let mut value = object.as_value().clone();
    admission::prepare(&mut value, &reference.kind);
    for field in ["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        if let Some(own) = live.at(&format!("/metadata/{field}")).cloned() {
            set(&mut value, &["metadata", field], own);
        }
    }
    let replaced =
        Object::from_value(reference.kind, value).map_err(|error| Refusal::invalid(error.message().to_owned()))?;
    store_changed(state, &live, replaced)
}

/// Checks a new object and fills in what the API server would.
fn new_object(state: &mut State, object: &Object) -> Result<Object, Refusal> {
    admission::check(object).map_err(Refusal::invalid)?;
    let kind = object.kind().clone();
    let mut value = object.as_value().clone();
    admission::prepare(&mut value, &kind);
    if kind == NAMESPACE {
        namespaces::prepare(&mut value, object.name());
    } else if kind == SERVICE {
        give_address(state, &mut value);
    } else if kind == JOB {
        select_own_pods(state, &mut value);
    }
    Object::from_value(kind, value).map_err(|e| Refusal::invalid(e.message().to_owned()))
}

/// Gives a Job a selector that selects its own pods only.
fn select_own_pods(state: &mut State, job: &mut Value) {
    const LABEL: &str = "batch.kubernetes.io/controller-uid";
    let uid = Value::from(state.draw_uid());
    set(job, &["spec", "selector", "matchLabels", LABEL], uid.clone());
    set(job, &["spec", "template", "metadata", "labels", LABEL], uid);
}

/// Gives a Service its type and address.
fn give_address(state: &mut State, service: &mut Value) {
    if service.pointer("/spec/type").is_none() {
        set(service, &["spec", "type"], "ClusterIP".into());
    }
    if service.pointer("/spec/clusterIP").is_none() {
        let [_, _, _, _, _, _, high, low] = state.draw().to_be_bytes();
        let address = format!("10.96.{high}.{low}");
        set(service, &["spec", "clusterIP"], address.as_str().into());
        set(service, &["spec", "clusterIPs"], vec![Value::from(address)].into());
    }
}

fn check_namespace(state: &State, reference: &ObjectRef) -> Result<(), Refusal> {
    let Some(namespace) = &reference.namespace else { return Ok(()) };
    let namespace = ObjectRef::cluster(NAMESPACE, namespace);
    match state.find(&namespace) {
        None => Err(Refusal::not_found(&namespace)),
        Some(found) if found.is_terminating() => {
            let (plural, name) = (&reference.kind.plural, &reference.name);
            let message = format!(
                "{plural} \"{name}\" is forbidden: unable to create new content in namespace {} because it is being \
                 terminated",
                namespace.name
            );
            Err(Refusal::new(ClusterErrorKind::Terminating, message))
        }
        Some(_) => Ok(()),
    }
}

pub(super) fn patch_metadata(
    state: &mut State,
    reference: &ObjectRef,
    patch: &MetadataPatch,
) -> Result<Arc<Object>, Refusal> {
    if patch.resource_version.is_empty() {
        return Err(Refusal::invalid("the patch names no resourceVersion".into()));
    }
    let live = state.find(reference).ok_or_else(|| Refusal::not_found(reference))?;
    if live.resource_version() != Some(&patch.resource_version) {
        return Err(Refusal::conflict(CHANGED));
    }
    let mut changed = Object::clone(&live);
    for (field, changes) in [("annotations", &patch.annotations), ("labels", &patch.labels)] {
        for (key, value) in changes {
            match value {
                Some(text) => set(changed.as_value_mut(), &["metadata", field, key], text.as_str().into()),
                None => {
                    let present = changed.as_value_mut().pointer_mut(&format!("/metadata/{field}"));
                    if let Some(map) = present.and_then(Value::as_object_mut) {
                        map.remove(key);
                    }
                }
            }
        }
    }
    if let Some(finalizers) = &patch.finalizers {
        set(changed.as_value_mut(), &["metadata", "finalizers"], finalizers.clone().into());
    }
    store_changed(state, &live, changed)
}

pub(super) fn delete(state: &mut State, reference: &ObjectRef, expected: &Preconditions) -> Result<(), Refusal> {
    let live = state.find(reference).ok_or_else(|| Refusal::not_found(reference))?;
    if live.uid() != Some(&expected.uid) {
        return Err(Refusal::conflict("the UID in the precondition does not match the UID in record"));
    }
    if live.is_terminating() {
        return Ok(());
    }
    if expected.resource_version.as_deref().is_some_and(|version| live.resource_version() != Some(version)) {
        return Err(Refusal::conflict(
            "the ResourceVersion in the precondition does not match the ResourceVersion in record",
        ));
    }
    deletion::begin(state, &live);
    Ok(())
}

/// Stores a changed object; one that is being deleted goes with its last finalizer.
fn store_changed(state: &mut State, live: &Arc<Object>, changed: Object) -> Result<Arc<Object>, Refusal> {
    admission::check(&changed).map_err(Refusal::invalid)?;
    admission::check_update(live, &changed).map_err(Refusal::invalid)?;
    let changed = state.put_changed(live, changed);
    deletion::finish(state, &changed);
    Ok(changed)
}
