//! A store's manifests: the objects that its engine renders, completed with the fields that every object of a store has.

use std::collections::HashSet;

use serde_json::Value;

use crate::engine::{Engine, Manifest, Policy, RenderError, Stage};
use crate::kubernetes::{Kind, MalformedObject, Object, ObjectRef};
use crate::record::common_labels;
use crate::secret::SecretSource;
use crate::store::{StoreId, StoreSpec};

/// All objects of a store except its namespace, completed: with namespace, labels, and ServiceAccount tokens disabled.
///
/// # Errors
/// When the engine cannot render, or renders an object that is cluster-scoped, in another store's namespace, or twice.
pub(crate) fn manifests(
    engine: &dyn Engine,
    spec: &StoreSpec,
    secrets: &dyn SecretSource,
) -> Result<Vec<Manifest>, RenderError> {
    check_renderer(engine, spec)?;
    complete(engine.render(spec, secrets)?, spec)
}

/// Refuses to render a store as an earlier version of the engine would: that would undo what the newer version did.
fn check_renderer(engine: &dyn Engine, spec: &StoreSpec) -> Result<(), RenderError> {
    let (wanted, known) = (spec.renderer, engine.renderer());
    if wanted > known { Err(RenderError::Renderer { wanted, known }) } else { Ok(()) }
}

/// The stages that undo what a store has outside of its namespace, with completed objects.
///
/// # Errors
/// As of [`manifests`].
pub(crate) fn teardown(
    engine: &dyn Engine,
    spec: &StoreSpec,
    secrets: &dyn SecretSource,
) -> Result<Vec<Stage>, RenderError> {
    let stages = engine.teardown(spec, secrets)?.into_iter();
    stages.map(|stage| Ok(Stage { manifests: complete(stage.manifests, spec)?, ..stage })).collect()
}

/// The Job that places a smoke order, completed.
///
/// # Errors
/// As of [`manifests`].
pub(crate) fn smoke(engine: &dyn Engine, spec: &StoreSpec) -> Result<Option<Object>, RenderError> {
    let job = engine.smoke(spec)?.map(Manifest::managed);
    Ok(complete(job.into_iter().collect(), spec)?.pop().map(|manifest| manifest.object))
}

/// The Job that proves a revision, completed and named after it.
///
/// # Errors
/// As of [`manifests`].
pub(crate) fn proof(engine: &dyn Engine, spec: &StoreSpec, revision: u64) -> Result<Option<Object>, RenderError> {
    let Some(mut job) = engine.proof(spec)? else { return Ok(None) };
    job.set_name(&format!("{}-{revision}", job.name()));
    Ok(complete(vec![Manifest::managed(job)], spec)?.pop().map(|manifest| manifest.object))
}

fn complete(mut manifests: Vec<Manifest>, spec: &StoreSpec) -> Result<Vec<Manifest>, RenderError> {
    let namespace = spec.namespace();
    let labels = common_labels(&spec.id);
    let mut seen: HashSet<ObjectRef> = HashSet::new();
    for Manifest { object, policy } in &mut manifests {
        place(object, &namespace)?;
        object.add_labels(&["metadata"], &labels);
        complete_workload(object, &labels);
        if let Policy::CreateOnce { guards } | Policy::Copy { guards, .. } = policy {
            guards.iter_mut().for_each(|guard| {
                guard.namespace.get_or_insert_with(|| namespace.clone());
            });
        }
        if let Policy::Copy { .. } = policy
            && object.namespace() != Some(&namespace)
        {
            return Err(malformed(object, "secrets are copied into the store's namespace only"));
        }
        if !seen.insert(object.reference()) {
            return Err(malformed(object, "it is rendered twice"));
        }
    }
    Ok(manifests)
}

/// Sets the store's namespace on an object that has none. Refuses objects that are cluster-scoped or in the namespace of
/// another store.
fn place(object: &mut Object, namespace: &str) -> Result<(), RenderError> {
    if !object.kind().namespaced {
        return Err(malformed(object, "a store has no cluster-scoped objects"));
    }
    match object.namespace() {
        None => object.set_namespace(namespace),
        Some(other) if other != namespace && StoreId::from_namespace(other).is_some() => {
            return Err(malformed(object, "it is in the namespace of another store"));
        }
        Some(_) => {}
    }
    Ok(())
}

fn malformed(object: &Object, message: &str) -> RenderError {
    MalformedObject::new(object.kind(), format!("{}: {message}", object.reference())).into()
}

/// Labels the pods and claims that a workload creates, so that one watch per kind delivers those of all stores, and keeps
/// ServiceAccount tokens out of its pods.
fn complete_workload(object: &mut Object, labels: &[(String, String)]) {
    let is = |kind: &Kind, group: &str, name: &str| kind.group == group && kind.kind == name;
    let template: &[&str] = match object.kind() {
        kind if is(kind, "batch", "CronJob") => &["spec", "jobTemplate", "spec", "template"],
        kind if kind.group == "apps" || is(kind, "batch", "Job") => &["spec", "template"],
        kind if is(kind, "", "Pod") => &[],
        _ => return,
    };
    // A manifest that only changes a field of an existing workload has no template to complete.
    if !template.is_empty() && object.at(&format!("/{}", template.join("/"))).is_none() {
        return;
    }
    if is(object.kind(), "batch", "CronJob") {
        object.add_labels(&["spec", "jobTemplate", "metadata"], labels);
    }
    let path = |last: &'static str| -> Vec<&str> { template.iter().copied().chain([last]).collect() };
    object.add_labels(&path("metadata"), labels);
    object.set_default(&path("spec"), "automountServiceAccountToken", Value::Bool(false));
    object.label_claim_templates(labels);
}
