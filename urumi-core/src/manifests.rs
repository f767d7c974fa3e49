//! A store's manifests: what its engine rendered, completed with what every object of a store has.

use std::collections::HashSet;

use serde_json::Value;

use crate::engine::{Engine, Manifest, Policy, RenderError};
use crate::object::{Kind, MalformedObject, Object, ObjectRef};
use crate::record::common_labels;
use crate::secret::SecretSource;
use crate::store::StoreSpec;

/// All objects of a store but its namespace, complete: namespace, labels and the refusal of ServiceAccount tokens set.
///
/// # Errors
/// When the engine cannot render, or renders an object that is cluster-scoped, in another namespace, or twice.
pub(crate) fn manifests(
    engine: &dyn Engine,
    spec: &StoreSpec,
    secrets: &dyn SecretSource,
) -> Result<Vec<Manifest>, RenderError> {
    let namespace = spec.namespace();
    let labels = common_labels(&spec.id);
    let mut seen: HashSet<ObjectRef> = HashSet::new();
    let mut manifests = engine.render(spec, secrets)?;
    for Manifest { object, policy } in &mut manifests {
        confine(object, &namespace)?;
        object.add_labels(&["metadata"], &labels);
        complete_workload(object, &labels);
        if let Policy::CreateOnce { guards } = policy {
            guards.iter_mut().for_each(|guard| guard.namespace = Some(namespace.clone()));
        }
        if !seen.insert(object.reference()) {
            return Err(malformed(object, "it is rendered twice"));
        }
    }
    Ok(manifests)
}

/// Puts an object into the store's namespace, and refuses one that belongs elsewhere.
fn confine(object: &mut Object, namespace: &str) -> Result<(), RenderError> {
    if !object.kind().namespaced {
        return Err(malformed(object, "a store has no cluster-scoped objects"));
    }
    if object.namespace().is_some_and(|ns| ns != namespace) {
        return Err(malformed(object, "it is in a namespace that is not the store's"));
    }
    object.set_namespace(namespace);
    Ok(())
}

fn malformed(object: &Object, message: &str) -> RenderError {
    MalformedObject::new(object.kind(), format!("{}: {message}", object.reference())).into()
}

/// Labels pods and claims that a workload makes, so that one watch per kind sees those of all stores, and keeps
/// Kubernetes' credentials out of its pods.
fn complete_workload(object: &mut Object, labels: &[(String, String)]) {
    let is = |kind: &Kind, group: &str, name: &str| kind.group == group && kind.kind == name;
    let template: &[&str] = match object.kind() {
        kind if is(kind, "batch", "CronJob") => &["spec", "jobTemplate", "spec", "template"],
        kind if kind.group == "apps" || is(kind, "batch", "Job") => &["spec", "template"],
        kind if is(kind, "", "Pod") => &[],
        _ => return,
    };
    let path = |last: &'static str| -> Vec<&str> { template.iter().copied().chain([last]).collect() };
    object.add_labels(&path("metadata"), labels);
    object.set_default(&path("spec"), "automountServiceAccountToken", Value::Bool(false));
    object.label_claim_templates(labels);
}
