//! Why a workload is not available: a pure search through its pods, claims, conditions and events.

use std::collections::HashSet;

use serde_json::Value;

use super::workload::{Availability, availability, condition};
use crate::kubernetes::Object;

/// How many warnings are kept of a store. A namespace may have thousands of events.
const WARNINGS: usize = 100;

/// Why a store is not ready, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// One word in PascalCase, the one that Kubernetes uses if it has one, e.g. `ImagePullBackOff`.
    pub(crate) reason: String,
    /// A sentence that begins with the name of the object.
    pub(crate) message: String,
    /// Whether it explains anything. `Starting` and `NotReady` do not.
    pub(crate) specific: bool,
    /// Whether it usually remains until somebody acts.
    pub(crate) lasting: bool,
}

impl Cause {
    fn specific(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Cause { reason: reason.into(), message: message.into(), specific: true, lasting: false }
    }

    fn lasting(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Cause { lasting: true, ..Cause::specific(reason, message) }
    }
}

/// The cluster's StorageClasses or IngressClasses: their names, and whether one is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    pub(crate) names: Vec<String>,
    pub(crate) has_default: bool,
}

/// The objects that explain the state of a workload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings<'a> {
    pub(crate) pods: Vec<&'a Object>,
    pub(crate) claims: Vec<&'a Object>,
    /// The StorageClasses; `None` if they cannot be read.
    pub(crate) storage: Option<&'a Classes>,
    pub(crate) events: &'a [Object],
}

/// Why `workload` is not available: the first cause found, from the most certain to the least.
///
/// The order: a failing container, a claim that cannot be bound, a pod that cannot be created, a pod that cannot be
/// scheduled, a warning among the events, and finally that it is starting.
pub(crate) fn diagnose(workload: &Object, around: &Surroundings<'_>) -> Cause {
    let name = workload.name();
    let pods: Vec<&Object> =
        around.pods.iter().copied().filter(|pod| selects(workload, pod) && !pod.is_terminating()).collect();
    let claims: Vec<&Object> = around.claims.iter().copied().filter(|claim| claimed_by(workload, claim)).collect();
    pods.iter()
        .find_map(|pod| failing_container(name, pod))
        .or_else(|| claims.iter().find_map(|claim| hopeless_claim(name, claim, around.storage)))
        .or_else(|| failing_creation(name, workload))
        .or_else(|| pods.iter().find_map(|pod| unschedulable(name, pod)))
        .or_else(|| telling_event(name, workload, &pods, &claims, around.events))
        .unwrap_or_else(|| progress(name, workload, &pods))
}

/// Whether a pod of the workload has succeeded.
pub(crate) fn has_succeeded(workload: &Object, around: &Surroundings<'_>) -> bool {
    around.pods.iter().any(|pod| pod.str_at("/status/phase") == Some("Succeeded") && selects(workload, pod))
}

/// Whether the workload's selector selects the pod.
pub(crate) fn selects(workload: &Object, pod: &Object) -> bool {
    match workload.at("/spec/selector/matchLabels").and_then(Value::as_object) {
        Some(labels) if !labels.is_empty() => labels.iter().all(|(k, v)| pod.label(k) == v.as_str()),
        _ => false,
    }
}

/// Whether the claim belongs to a StatefulSet: its name is `<template>-<set>-<ordinal>`.
fn claimed_by(workload: &Object, claim: &Object) -> bool {
    workload.list_at("/spec/volumeClaimTemplates").iter().any(|template| {
        let template = template.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let prefix = format!("{template}-{}-", workload.name());
        claim.name().strip_prefix(&prefix).is_some_and(|ordinal| ordinal.parse::<u32>().is_ok())
    })
}

/// The reasons of waiting containers in every normal start.
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];
/// The reasons of a container whose image cannot be pulled. The kubelet alternates between them.
const NO_IMAGE: [&str; 2] = ["ErrImagePull", "ImagePullBackOff"];
/// The reason of a container that has crashed, even if only once, or while it is running again.
const CRASHES: &str = "CrashLoopBackOff";

/// The message of a program that reached its own memory limit before the container's.
const NO_MEMORY: &str = "out of memory";

fn failing_container(name: &str, pod: &Object) -> Option<Cause> {
    let statuses = pod.list_at("/status/initContainerStatuses").iter().chain(pod.list_at("/status/containerStatuses"));
    statuses.into_iter().find_map(|status| {
        let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str);
        match text("/state/waiting/reason").filter(|reason| !STARTING.contains(reason)) {
            Some(reason) if NO_IMAGE.contains(&reason) => {
                let image = text("/image").unwrap_or_default();
                let message = text("/state/waiting/message").unwrap_or("the kubelet gives no details");
                // The text after it is the original error; the text before it only announces a retry.
                let why = message.split_once("ErrImagePull: ").map_or(message, |(_, why)| why);
                Some(Cause::lasting("ImagePullBackOff", format!("{name}: the image {image} cannot be pulled: {why}")))
            }
            Some(CRASHES) => Some(crash(name, status).unwrap_or_else(|| {
                let message = text("/state/waiting/message").unwrap_or("the kubelet gives no details");
                Cause::lasting(CRASHES, format!("{name}: {message}"))
            })),
            Some(reason) => {
                let message = text("/state/waiting/message").unwrap_or("the kubelet gives no details");
                Some(Cause::lasting(reason, format!("{name}: {message}")))
            }
            None if status.get("ready").and_then(Value::as_bool) == Some(true) => None,
            None => crash(name, status),
        }
    })
}

/// The cause of a crashed container: its exit code, reason and last message.
fn crash(name: &str, status: &Value) -> Option<Cause> {
    let failed = |pointer| status.pointer(pointer).filter(|t| t.get("exitCode").and_then(Value::as_i64) != Some(0));
    let ended = failed("/state/terminated").or_else(|| failed("/lastState/terminated"))?;
    let text = |field| ended.get(field).and_then(Value::as_str);
    let container = status.get("name").and_then(Value::as_str).unwrap_or_default();
    let code = ended.get("exitCode").and_then(Value::as_i64);
    let died_of = text("reason").unwrap_or("Error");
    // A program that the kernel killed could not log why: its last message is unrelated.
    let last_words = text("message").and_then(telling_line).filter(|_| died_of != "OOMKilled");
    let reason = match last_words {
        _ if died_of == "OOMKilled" => "OOMKilled",
        Some(words) if words.contains(NO_MEMORY) => "OutOfMemory",
        _ => CRASHES,
    };
    let last_words = last_words.map(|words| format!(": {words}")).unwrap_or_default();
    let exit = code.map_or_else(|| "exits".to_owned(), |code| format!("exits with code {code} ({died_of})"));
    Some(Cause::lasting(reason, format!("{name}: container {container} {exit}{last_words}")))
}

/// The most useful line of a container's last message, which may be the end of its log and contain a stack trace.
fn telling_line(last_words: &str) -> Option<&str> {
    // `rror` matches both `Error` and `error`.
    let lines = last_words.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.clone().next();
    [NO_MEMORY, "FATAL", "rror"].iter().find_map(|word| lines.clone().find(|line| line.contains(word))).or(last)
}

fn hopeless_claim(name: &str, claim: &Object, storage: Option<&Classes>) -> Option<Cause> {
    let claim_name = claim.name();
    match claim.str_at("/status/phase") {
        Some("Bound") => return None,
        Some("Lost") => {
            return Some(Cause::lasting("ClaimLost", format!("{name}: the volume of claim {claim_name} is gone")));
        }
        _ => {}
    }
    let storage = storage?;
    match claim.str_at("/spec/storageClassName") {
        // An empty name requests a volume that was created by hand.
        Some("") => None,
        Some(class) if !storage.names.iter().any(|n| n == class) => Some(Cause::lasting(
            "StorageClassNotFound",
            format!("{name}: claim {claim_name} wants StorageClass {class:?}, which does not exist"),
        )),
        None if !storage.has_default => Some(Cause::lasting(
            "NoDefaultStorageClass",
            format!("{name}: claim {claim_name} names no StorageClass and the cluster has no default one"),
        )),
        _ => None,
    }
}

fn failing_creation(name: &str, workload: &Object) -> Option<Cause> {
    let failure = condition(workload, "ReplicaFailure")?;
    if failure.get("status").and_then(Value::as_str) != Some("True") {
        return None;
    }
    let message = failure.get("message").and_then(Value::as_str).unwrap_or_default();
    Some(Cause::lasting(creation_reason(message), format!("{name}: {message}")))
}

/// Why the creation of a pod was refused. Kubernetes has this in the message only.
fn creation_reason(message: &str) -> &'static str {
    if message.contains("exceeded quota") {
        "QuotaExceeded"
    } else if message.contains("violates PodSecurity") {
        "PodSecurityViolation"
    } else {
        "FailedCreate"
    }
}

fn unschedulable(name: &str, pod: &Object) -> Option<Cause> {
    let scheduled = condition(pod, "PodScheduled")?;
    if scheduled.get("status").and_then(Value::as_str) != Some("False") {
        return None;
    }
    let message = scheduled.get("message").and_then(Value::as_str).unwrap_or("no node can take its pod");
    let reason =
        if message.contains("unbound immediate PersistentVolumeClaims") { "ClaimUnbound" } else { "Unschedulable" };
    Some(Cause::specific(reason, format!("{name}: {message}")))
}

fn telling_event(
    name: &str,
    workload: &Object,
    pods: &[&Object],
    claims: &[&Object],
    events: &[Object],
) -> Option<Cause> {
    let about = |event: &Object| {
        let object = event.str_at("/involvedObject/name").unwrap_or_default();
        object == workload.name()
            || pods.iter().chain(claims).any(|o| o.name() == object)
            // ReplicaSets, and pods that no longer exist: their names begin with the workload's.
            || object.strip_prefix(workload.name()).is_some_and(|rest| rest.starts_with('-'))
    };
    let warnings = events.iter().filter(|e| e.str_at("/type") == Some("Warning") && about(e));
    let latest = warnings.max_by_key(|e| last_seen(e))?;
    let message = latest.str_at("/message").unwrap_or_default();
    let reason = match latest.str_at("/reason").unwrap_or("Warning") {
        "FailedCreate" => creation_reason(message),
        reason => reason,
    };
    Some(Cause::specific(reason, format!("{name}: {message}")))
}

/// Of a store's events, those that may explain its state: the latest warning of each object, at most [`WARNINGS`] about pods and as
/// many about others.
pub(crate) fn telling_events(events: Vec<Object>) -> Vec<Object> {
    // An autoscaler has the name of its Deployment, and its warnings, e.g. of missing metrics, do not explain why pods are not ready.
    let of_autoscaler = |event: &Object| event.str_at("/involvedObject/kind") == Some("HorizontalPodAutoscaler");
    let telling = |event: &Object| event.str_at("/type") == Some("Warning") && !of_autoscaler(event);
    let mut warnings: Vec<Object> = events.into_iter().filter(telling).collect();
    let of_pod = |event: &Object| event.str_at("/involvedObject/kind") == Some("Pod");
    warnings.sort_by(|a, b| (of_pod(a), last_seen(b)).cmp(&(of_pod(b), last_seen(a))));
    let about = |event: &Object| event.str_at("/involvedObject/name").map(str::to_owned);
    let (mut pods, mut others) = (HashSet::new(), HashSet::new());
    warnings.retain(|event| {
        let known = if of_pod(event) { &mut pods } else { &mut others };
        known.len() < WARNINGS && known.insert(about(event))
    });
    warnings
}

/// When an event happened last.
fn last_seen(event: &Object) -> &str {
    let last = event.str_at("/lastTimestamp").or_else(|| event.str_at("/eventTime"));
    last.or_else(|| event.str_at("/metadata/creationTimestamp")).unwrap_or_default()
}

fn progress(name: &str, workload: &Object, pods: &[&Object]) -> Cause {
    let running = pods.iter().any(|pod| pod.str_at("/status/phase") == Some("Running"));
    let (reason, message) = match availability(workload) {
        Availability::Partly { available, wanted } if running => {
            ("NotReady", format!("{name}: {available} of {wanted} pods are ready"))
        }
        _ if pods.is_empty() => ("Starting", format!("{name}: it has no pods yet")),
        _ => ("Starting", format!("{name}: its pods are starting")),
    };
    Cause { reason: reason.into(), message, specific: false, lasting: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Kind;
    use k8s_openapi::api::apps::v1::StatefulSet;
    use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
    use serde_json::json;

    fn workload(status: Value) -> Object {
        let value = json!({
            "metadata": {"name": "postgres", "generation": 1},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "db"}},
                     "volumeClaimTemplates": [{"metadata": {"name": "data"}}]},
            "status": status,
        });
        Object::from_value(Kind::of::<StatefulSet>(), value).unwrap()
    }

    fn pod(status: Value) -> Object {
        let value = json!({"metadata": {"name": "postgres-0", "labels": {"app": "db"}}, "status": status});
        Object::from_value(Kind::of::<Pod>(), value).unwrap()
    }

    fn claim(spec: Value, phase: &str) -> Object {
        let value = json!({"metadata": {"name": "data-postgres-0"}, "spec": spec, "status": {"phase": phase}});
        Object::from_value(Kind::of::<PersistentVolumeClaim>(), value).unwrap()
    }

    fn event(object: &str, reason: &str, message: &str, at: &str) -> Object {
        let value = json!({"metadata": {"name": format!("{object}.{reason}")}, "involvedObject": {"name": object},
            "type": "Warning", "reason": reason, "message": message, "lastTimestamp": at});
        Object::from_value(Kind::of::<Event>(), value).unwrap()
    }

    fn said(cause: &Cause) -> String {
        format!("{} {}", cause.reason, cause.message)
    }

    fn waiting(reason: &str, message: &str) -> Value {
        json!({"containerStatuses": [{"name": "pg", "image": "nope:1", "state": {"waiting": {"reason": reason, "message": message}}}]})
    }

    #[test]
    fn a_failing_container_is_the_first_thing_named() {
        // The kubelet alternates between these two.
        let said_first = pod(waiting("ErrImagePull", "not found"));
        let later = pod(waiting("ImagePullBackOff", "Back-off pulling image \"nope:1\": ErrImagePull: not found"));
        let around = |pod| Surroundings { pods: vec![pod], ..Default::default() };
        let cause = diagnose(&workload(json!({})), &around(&said_first));
        assert_eq!(diagnose(&workload(json!({})), &around(&later)), cause);
        assert_eq!(said(&cause), "ImagePullBackOff postgres: the image nope:1 cannot be pulled: not found");
        assert!(cause.specific && cause.lasting);
    }

    #[test]
    fn last_words_are_told_from_the_first_end_on() {
        let ended = json!({"exitCode": 1, "reason": "Error", "message": "the database refuses the password"});
        let none = json!({});
        for (state, last) in [
            (json!({"terminated": ended.clone()}), none.clone()),
            (json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}), ended.clone()),
            (json!({"running": {}}), ended.clone()),
        ] {
            let last = if last == none { none.clone() } else { json!({"terminated": last}) };
            let status = |ready: bool| {
                let prepare = json!({"name": "prepare", "ready": ready, "state": state, "lastState": last});
                pod(json!({"phase": "Pending", "initContainerStatuses": [prepare]}))
            };
            let pods = [status(false), status(true)];
            let around = |pod| Surroundings { pods: vec![pod], ..Default::default() };
            let cause = diagnose(&workload(json!({})), &around(&pods[0]));
            assert_eq!(
                said(&cause),
                "CrashLoopBackOff postgres: container prepare exits with code 1 (Error): the database refuses the password"
            );
            if state.get("running").is_some() {
                assert!(!diagnose(&workload(json!({})), &around(&pods[1])).specific, "what is ready is well");
            }
        }
    }

    #[test]
    fn a_crash_is_explained_by_how_the_container_ended() {
        let pods = [pod(json!({"containerStatuses": [{"name": "pg", "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "still at work"}}}]}))];
        let around = Surroundings { pods: pods.iter().collect(), ..Default::default() };
        let cause = diagnose(&workload(json!({})), &around);
        assert_eq!(said(&cause), "OOMKilled postgres: container pg exits with code 137 (OOMKilled)");
    }

    #[test]
    fn of_the_last_words_the_line_that_helps_is_told() {
        let node = "<--- Last few GCs --->\n\n[1] Mark-Compact 90.3 (98.0) MB\n\n\
            FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n\
            ----- Native stack trace -----\n\n 1: 0x931db0  [/usr/local/bin/node]\n";
        let postgres = "starting\n2026-11-25 FATAL:  data directory has wrong ownership\n2026-11-25 HINT:  own it\n";
        for (words, expected) in [
            (
                node,
                "OutOfMemory postgres: container pg exits with code 139 (Error): FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            ),
            (
                postgres,
                "CrashLoopBackOff postgres: container pg exits with code 139 (Error): 2026-11-25 FATAL:  data directory has wrong ownership",
            ),
            ("one\ntwo\n", "CrashLoopBackOff postgres: container pg exits with code 139 (Error): two"),
            ("\n", "CrashLoopBackOff postgres: container pg exits with code 139 (Error)"),
        ] {
            let ended = json!({"exitCode": 139, "reason": "Error", "message": words});
            let pods = [pod(json!({"containerStatuses": [{"name": "pg", "state": {"terminated": ended}}]}))];
            let around = Surroundings { pods: pods.iter().collect(), ..Default::default() };
            assert_eq!(said(&diagnose(&workload(json!({})), &around)), expected);
        }
    }

    #[test]
    fn a_claim_without_a_class_to_serve_it_is_named() {
        let none = Classes::default();
        for (spec, expected) in [
            (json!({"storageClassName": "fast"}), "StorageClassNotFound"),
            (json!({}), "NoDefaultStorageClass"),
            (json!({"storageClassName": ""}), "Starting"),
        ] {
            let claims = [claim(spec, "Pending")];
            let around = Surroundings { claims: claims.iter().collect(), storage: Some(&none), ..Default::default() };
            assert_eq!(diagnose(&workload(json!({})), &around).reason, expected);
        }
        let bound = [claim(json!({}), "Bound")];
        let around = Surroundings { claims: bound.iter().collect(), storage: Some(&none), ..Default::default() };
        assert_eq!(diagnose(&workload(json!({})), &around).reason, "Starting");
    }

    #[test]
    fn of_many_events_the_latest_warning_of_each_object_is_kept() {
        let event = |about: &str, type_: &str, at: usize| {
            let kind = if about.starts_with("pod") { "Pod" } else { "StatefulSet" };
            let value = json!({
                "metadata": {"name": format!("{about}.{at}"), "namespace": "store-a"},
                "type": type_, "involvedObject": {"kind": kind, "name": about}, "lastTimestamp": format!("{at:08}"),
            });
            Object::from_value(Kind::of::<Event>(), value).unwrap()
        };
        let told = |events: Vec<Object>| {
            let told = |e: &Object| {
                format!("{} {}", e.str_at("/involvedObject/name").unwrap(), e.str_at("/lastTimestamp").unwrap())
            };
            telling_events(events).iter().map(told).collect::<Vec<_>>()
        };
        let few =
            vec![event("a", "Warning", 1), event("a", "Warning", 3), event("b", "Normal", 5), event("b", "Warning", 2)];
        assert_eq!(told(few), ["a 00000003", "b 00000002"]);
        let many =
            (1..10_000).map(|n| event(&format!("pod-{n}"), "Warning", n)).chain([event("postgres", "Warning", 0)]);
        let kept = told(many.collect());
        assert_eq!(kept.len(), WARNINGS + 1, "the others have a number of their own");
        assert_eq!(kept[..2], ["postgres 00000000", "pod-9999 00009999"]);
    }

    #[test]
    fn the_warnings_of_an_autoscaler_explain_nothing_about_its_deployment() {
        let mut missing = event("postgres", "FailedGetResourceMetric", "no metrics", "2026-01-01T00:00:09Z");
        missing.as_value_mut()["involvedObject"]["kind"] = json!("HorizontalPodAutoscaler");
        let pending = event("postgres", "FailedCreate", "exceeded quota", "2026-01-01T00:00:05Z");
        assert_eq!(telling_events(vec![missing, pending.clone()]), [pending]);
    }

    #[test]
    fn a_quota_is_found_in_conditions_and_in_events() {
        let quota = "pods \"postgres-0\" is forbidden: exceeded quota: store-quota";
        let failing = workload(json!({"conditions": [
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": quota}]}));
        assert_eq!(diagnose(&failing, &Surroundings::default()).reason, "QuotaExceeded");
        let events = [
            event("postgres", "FailedCreate", "something older", "2026-01-01T00:00:00Z"),
            event("postgres", "FailedCreate", quota, "2026-01-01T00:00:05Z"),
            event("other", "FailedMount", "not ours", "2026-01-01T00:00:09Z"),
        ];
        let around = Surroundings { events: &events, ..Default::default() };
        assert_eq!(diagnose(&workload(json!({})), &around).reason, "QuotaExceeded");
    }

    #[test]
    fn an_unscheduled_pod_and_its_claim_are_told_apart() {
        for (message, expected) in [
            ("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", "ClaimUnbound"),
            ("0/3 nodes are available: 3 Insufficient memory.", "Unschedulable"),
        ] {
            let pods = [pod(json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": message}]}))];
            let around = Surroundings { pods: pods.iter().collect(), ..Default::default() };
            assert_eq!(diagnose(&workload(json!({})), &around).reason, expected);
        }
    }

    #[test]
    fn starting_is_no_failure() {
        let pods = [pod(waiting("ContainerCreating", ""))];
        let around = Surroundings { pods: pods.iter().collect(), ..Default::default() };
        let cause = diagnose(&workload(json!({})), &around);
        assert_eq!(said(&cause), "Starting postgres: its pods are starting");
        assert!(!cause.specific);
        let pods = [pod(json!({"phase": "Running"}))];
        let around = Surroundings { pods: pods.iter().collect(), ..Default::default() };
        assert_eq!(said(&diagnose(&workload(json!({})), &around)), "NotReady postgres: 0 of 1 pods are ready");
    }
}
