//! Finds what keeps a pod from becoming ready: an injected fault, or an object that the pod needs and that is missing.

use serde_json::Value;

use super::claims;
use super::fault::{Fault, FaultTarget};
use super::kinds::{CONFIG_MAP, SECRET};
use super::problem::Problem;
use super::state::State;
use crate::kubernetes::{Kind, Object, ObjectRef};

/// The problem of a pod now, if there is one.
pub(super) fn find(state: &State, workload: &Object, pod: &Object) -> Option<Problem> {
    if let Some((target, fault)) = state.fault_of(workload)
        && let Some(problem) = injected(&target, fault, pod)
    {
        return Some(problem);
    }
    if let Some(why) = claims::hindrance(state, workload, pod) {
        return Some(Problem::Unschedulable { message: unschedulable(&why) });
    }
    missing_reference(state, pod)
}

/// The problem of a pod whose first container has exited once.
pub(super) fn crashed(pod: &Object) -> Problem {
    Problem::Crash { container: first(&FaultTarget::any(), pod).unwrap_or_default().0, exit_code: 1, restarts: 1 }
}

fn injected(target: &FaultTarget, fault: Fault, pod: &Object) -> Option<Problem> {
    // During a rollout, pods of an earlier template have another image.
    let (container, image) = first(target, pod)?;
    Some(match fault {
        Fault::ImagePull => Problem::Image { container, image },
        Fault::CrashLoop { exit_code, restarts } => Problem::Crash { container, exit_code, restarts },
        Fault::NeverReady => Problem::NotReady { container },
        Fault::UnboundClaim => Problem::Unschedulable { message: unschedulable(claims::UNBOUND) },
        Fault::NoRoom => Problem::Unschedulable { message: unschedulable("1 Insufficient memory") },
        Fault::MissingSecret { name } => Problem::Config { container, message: format!("secret \"{name}\" not found") },
        // Existing pods are not affected.
        Fault::QuotaExceeded | Fault::SmokeFails => return None,
    })
}

fn unschedulable(why: &str) -> String {
    let preemption = if why.starts_with("1 ") {
        "1 No preemption victims found for incoming pod"
    } else {
        "1 Preemption is not helpful for scheduling"
    };
    format!("0/1 nodes are available: {why}. preemption: 0/1 nodes are available: {preemption}.")
}

/// Name and image of the first container that the target matches.
fn first(target: &FaultTarget, pod: &Object) -> Option<(String, String)> {
    let text = |container: &Value, field: &str| -> String {
        container.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    ["/spec/containers", "/spec/initContainers"]
        .iter()
        .flat_map(|list| pod.list_at(list))
        .map(|container| (text(container, "name"), text(container, "image")))
        .find(|(_, image)| target.fits_image(image))
}

/// The problem of the first container that refers to a missing Secret or ConfigMap in its environment.
fn missing_reference(state: &State, pod: &Object) -> Option<Problem> {
    let containers = ["/spec/initContainers", "/spec/containers"];
    for container in containers.iter().flat_map(|list| pod.list_at(list)) {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |field: &str| container.get(field).and_then(Value::as_array).into_iter().flatten();
        let whole = list("envFrom")
            .flat_map(|source| [(SECRET, source.pointer("/secretRef")), (CONFIG_MAP, source.pointer("/configMapRef"))]);
        let keys = list("env").flat_map(|env| {
            [(SECRET, env.pointer("/valueFrom/secretKeyRef")), (CONFIG_MAP, env.pointer("/valueFrom/configMapKeyRef"))]
        });
        for (kind, reference) in whole.chain(keys) {
            if let Some(message) = reference.and_then(|reference| unmet(state, pod, kind, reference)) {
                return Some(Problem::Config { container: name, message });
            }
        }
    }
    None
}

fn unmet(state: &State, pod: &Object, kind: Kind, reference: &Value) -> Option<String> {
    if reference.get("optional").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let name = reference.get("name").and_then(Value::as_str).unwrap_or_default();
    let namespace = pod.namespace().unwrap_or_default();
    let Some(found) = state.find(&ObjectRef::namespaced(kind.clone(), namespace, name)) else {
        return Some(format!("{} \"{name}\" not found", kind.kind.to_lowercase()));
    };
    let key = reference.get("key").and_then(Value::as_str)?;
    let there = ["/data", "/binaryData"].iter().any(|data| found.at(data).is_some_and(|d| d.get(key).is_some()));
    (!there).then(|| format!("couldn't find key {key} in {kind} {namespace}/{name}"))
}
