//! Volume claims: created for StatefulSets, and bound if a storage class provides volumes.

use serde_json::{Value, json};

use super::events;
use super::fault::Fault;
use super::incident::Incident;
use super::json::set;
use super::kinds::{CLAIM, STORAGE_CLASS};
use super::state::State;
use crate::kubernetes::{Object, ObjectRef, Query};

const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// Creates the claims of a StatefulSet's pod that are missing.
pub(super) fn ensure(state: &mut State, workload: &Object, pod: &str) {
    let namespace = workload.namespace().unwrap_or_default();
    for template in workload.list_at("/spec/volumeClaimTemplates") {
        let Some(prefix) = template.pointer("/metadata/name").and_then(Value::as_str) else { continue };
        let name = format!("{prefix}-{pod}");
        let reference = ObjectRef::namespaced(CLAIM, namespace, &name);
        if state.find(&reference).is_some() {
            continue;
        }
        let mut value = json!({
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": template.pointer("/metadata/labels").cloned().unwrap_or(json!({})),
            },
            "spec": template.get("spec").cloned().unwrap_or(json!({})),
            "status": {"phase": "Pending"},
        });
        for (key, label) in workload.at("/spec/selector/matchLabels").and_then(Value::as_object).into_iter().flatten() {
            set(&mut value, &["metadata", "labels", key], label.clone());
        }
        if let Some(annotations) = template.pointer("/metadata/annotations") {
            set(&mut value, &["metadata", "annotations"], annotations.clone());
        }
        state.claimants.insert((namespace.to_owned(), name), workload.reference());
        if let Ok(claim) = Object::from_value(CLAIM, value) {
            state.put_new(claim);
        }
    }
}

/// Binds a claim, if a class provides its volume.
pub(super) fn reconcile(state: &mut State, reference: &ObjectRef) {
    let Some(claim) = state.find(reference) else { return };
    if claim.str_at("/status/phase") == Some("Bound") {
        return;
    }
    let place = (claim.namespace().unwrap_or_default().to_owned(), claim.name().to_owned());
    let claimant = state.claimants.get(&place).and_then(|workload| state.find(workload));
    let held_back =
        claimant.and_then(|workload| state.fault_of(&workload)).is_some_and(|(_, fault)| fault == Fault::UnboundClaim);
    let class = match claim.str_at("/spec/storageClassName") {
        Some(name) => state.find(&ObjectRef::cluster(STORAGE_CLASS, name)),
        None => state
            .select(&Query::all(STORAGE_CLASS))
            .into_iter()
            .find(|class| class.annotation(DEFAULT_CLASS) == Some("true")),
    };
    let Some(class) = class.filter(|_| !held_back) else {
        let claim = state.put_status(&claim, json!({"phase": "Pending"}));
        let incident = match claim.str_at("/spec/storageClassName").filter(|class| !class.is_empty()) {
            Some(class) if !held_back => Incident::warning(
                "ProvisioningFailed",
                format!("storageclass.storage.k8s.io \"{class}\" not found"),
                "persistentvolume-controller",
            ),
            _ => Incident::normal(
                "FailedBinding",
                "no persistent volumes available for this claim and no storage class is set",
                "persistentvolume-controller",
            ),
        };
        events::record(state, &claim, &incident);
        return;
    };
    let mut bound = Object::clone(&claim);
    let value = bound.as_value_mut();
    set(value, &["spec", "storageClassName"], class.name().into());
    set(value, &["spec", "volumeName"], format!("pvc-{}", claim.uid().unwrap_or_default()).into());
    let capacity = claim.at("/spec/resources/requests").cloned().unwrap_or(json!({}));
    let modes = claim.at("/spec/accessModes").cloned().unwrap_or(json!([]));
    set(value, &["status"], json!({"phase": "Bound", "accessModes": modes, "capacity": capacity}));
    state.put(bound);
}

/// Why a pod's volumes are not available, in the scheduler's words.
pub(super) fn hindrance(state: &State, workload: &Object, pod: &Object) -> Option<String> {
    let namespace = workload.namespace().unwrap_or_default();
    for volume in pod.list_at("/spec/volumes") {
        let Some(name) = volume.pointer("/persistentVolumeClaim/claimName").and_then(Value::as_str) else { continue };
        match state.find(&ObjectRef::namespaced(CLAIM, namespace, name)) {
            None => return Some(format!("persistentvolumeclaim \"{name}\" not found")),
            Some(claim) if claim.str_at("/status/phase") != Some("Bound") => return Some(UNBOUND.into()),
            Some(_) => {}
        }
    }
    None
}

pub(super) const UNBOUND: &str = "pod has unbound immediate PersistentVolumeClaims";
