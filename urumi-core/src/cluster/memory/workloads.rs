//! The controllers of Deployments, StatefulSets and Jobs: they create and delete pods, and set the status.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fault::Fault;
use super::incident::Incident;
use super::json::set;
use super::kinds::{JOB, POD, STATEFUL_SET};
use super::pods::{self, Birth};
use super::random::{hash, mix, suffix};
use super::runtime::{PodState, Rollout};
use super::state::State;
use super::status::Condition;
use super::task::Task;
use super::{claims, events, namespaces, quota, smoke_orders};
use crate::kubernetes::{Object, ObjectRef};

/// A pod of a workload, as its controller sees it.
#[derive(Clone)]
struct Member {
    name: String,
    ordinal: Option<i64>,
    current: bool,
    ready: bool,
}

/// Moves a workload's pods and status to the state that is due now.
pub(super) fn reconcile(state: &mut State, reference: &ObjectRef) {
    let namespace = reference.namespace.clone().unwrap_or_default();
    let Some(workload) = state.find(reference) else {
        for member in members(state, reference, "") {
            remove(state, &namespace, &member);
        }
        return;
    };
    if namespaces::is_terminating(state, &namespace, None) {
        return;
    }
    if reference.kind == JOB {
        return run_job(state, &workload);
    }
    let template = hash(&workload.at("/spec/template").unwrap_or(&Value::Null).to_string());
    let refused = if reference.kind == STATEFUL_SET {
        scale_stateful_set(state, &workload, &template);
        None
    } else {
        scale_deployment(state, &workload, &template)
    };
    for member in members(state, reference, &template) {
        pods::advance(state, &workload, &member.name);
    }
    let now_there = members(state, reference, &template);
    let status = if reference.kind == STATEFUL_SET {
        stateful_set_status(&workload, &template, &now_there)
    } else {
        retire(state, &workload, &now_there);
        let now_there = members(state, reference, &template);
        deployment_status(state, &workload, &template, &now_there, refused)
    };
    state.put_status(&workload, status);
}

fn members(state: &State, workload: &ObjectRef, template: &str) -> Vec<Member> {
    let namespace = workload.namespace.clone().unwrap_or_default();
    let mut members: Vec<Member> = state
        .pods
        .range((namespace.clone(), String::new())..)
        .take_while(|((ns, _), _)| *ns == namespace)
        .filter(|(_, life)| life.workload == *workload)
        .map(|((_, name), life)| Member {
            name: name.clone(),
            ordinal: life.ordinal,
            current: life.template == template,
            ready: life.state == PodState::Running,
        })
        .collect();
    members.sort_by_key(|member| member.ordinal);
    members
}

fn remove(state: &mut State, namespace: &str, member: &Member) {
    state.delete(&ObjectRef::namespaced(POD, namespace, &member.name));
}

/// The most pods of one workload: a mistyped number must not use up all memory.
const MOST_PODS: usize = 1000;

fn wanted(workload: &Object) -> usize {
    usize::try_from(workload.int_at("/spec/replicas").unwrap_or(1)).unwrap_or(0).min(MOST_PODS)
}

/// Runs one pod of a Job. It succeeds at the time at which a pod of a Deployment would become ready. More than one pod is
/// not simulated.
fn run_job(state: &mut State, job: &Arc<Object>) {
    if has_ended(job) {
        return expire(state, job);
    }
    if job.at("/spec/suspend") == Some(&Value::Bool(true)) {
        return suspend_job(state, job);
    }
    let name = match members(state, &job.reference(), "").into_iter().next() {
        Some(member) => member.name,
        None => {
            let name = format!("{}-{}", job.name(), suffix(mix(0), 5));
            if let Some(refusal) = refusal(state, job, &name) {
                let incident =
                    Incident::warning("FailedCreate", format!("Error creating: {refusal}"), "job-controller");
                events::record(state, job, &incident);
                return;
            }
            let name = format!("{}-{}", job.name(), suffix(state.draw(), 5));
            pods::create(state, Birth { workload: job, name: name.clone(), template: "", ordinal: None });
            name
        }
    };
    pods::advance(state, job, &name);
    let done = members(state, &job.reference(), "").iter().any(|member| member.ready);
    let now = state.timestamp();
    let start = job.str_at("/status/startTime").unwrap_or(&now).to_owned();
    let mut status = json!({"startTime": start, "ready": 0, "terminating": 0});
    if done {
        let (kinds, reason, count) = match smoke_orders::fails(state, job) {
            false => (["SuccessCriteriaMet", "Complete"], "CompletionsReached", "succeeded"),
            true => (["FailureTarget", "Failed"], "BackoffLimitExceeded", "failed"),
        };
        let condition = |kind| Condition { kind, holds: true, reason: Some(reason), message: None };
        let conditions = kinds.map(|kind| condition(kind).render(&[], &now));
        add_counts(&mut status, &[(count, 1)]);
        if count == "succeeded" {
            set(&mut status, &["completionTime"], now.clone().into());
        }
        set(&mut status, &["conditions"], conditions.to_vec().into());
        if let Some(kept) = kept(job) {
            state.schedule(kept, Task::Reconcile(job.reference()));
        }
    } else {
        add_counts(&mut status, &[("active", 1)]);
    }
    state.put_status(job, status);
}

/// Deletes a Job's pod.
fn suspend_job(state: &mut State, job: &Arc<Object>) {
    let namespace = job.namespace().unwrap_or_default();
    for member in members(state, &job.reference(), "") {
        remove(state, namespace, &member);
    }
    let now = state.timestamp();
    let suspended = Condition { kind: "Suspended", holds: true, reason: Some("JobSuspended"), message: None };
    let conditions = vec![suspended.render(job.list_at("/status/conditions"), &now)];
    state.put_status(job, json!({"ready": 0, "terminating": 0, "conditions": conditions}));
}

/// Whether a Job has ended.
fn has_ended(job: &Object) -> bool {
    ["/status/succeeded", "/status/failed"].iter().any(|count| job.int_at(count).is_some_and(|n| n > 0))
}

/// How long a Job is kept after its end; `None` means for ever.
fn kept(job: &Object) -> Option<Duration> {
    job.int_at("/spec/ttlSecondsAfterFinished").and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs)
}

/// Deletes a Job, and its pod, if it ended long enough ago.
fn expire(state: &mut State, job: &Object) {
    let ended = job.str_at("/status/conditions/0/lastTransitionTime").and_then(|at| at.parse::<Timestamp>().ok());
    let passed = ended.and_then(|ended| Duration::try_from(state.time().duration_since(ended)).ok());
    if let (Some(kept), Some(passed)) = (kept(job), passed)
        && passed >= kept
    {
        state.delete(&job.reference());
        state.mark(job.reference());
    }
}

/// Creates and deletes pods of the newest template. Returns why a pod could not be created.
fn scale_deployment(state: &mut State, workload: &Object, template: &str) -> Option<String> {
    let namespace = workload.namespace().unwrap_or_default();
    let there = members(state, &workload.reference(), template);
    let (mut current, old): (Vec<Member>, Vec<Member>) = there.into_iter().partition(|member| member.current);
    if workload.str_at("/spec/strategy/type") == Some("Recreate") || wanted(workload) == 0 {
        old.iter().for_each(|member| remove(state, namespace, member));
    }
    // Pods that are not ready are deleted first.
    current.sort_by_key(|member| !member.ready);
    while current.len() > wanted(workload) {
        if let Some(member) = current.pop() {
            remove(state, namespace, &member);
        }
    }
    for _ in current.len()..wanted(workload) {
        // A constant name, so that a repeated refusal counts up its Event.
        let name = format!("{}-{template}-{}", workload.name(), suffix(mix(0), 5));
        if let Some(refusal) = refusal(state, workload, &name) {
            report_refusal(state, workload, template, &refusal);
            return Some(refusal);
        }
        let name = format!("{}-{template}-{}", workload.name(), suffix(state.draw(), 5));
        pods::create(state, Birth { workload, name, template, ordinal: None });
    }
    None
}

/// Deletes a Deployment's pods of older templates once enough pods of the newest are ready.
fn retire(state: &mut State, workload: &Object, there: &[Member]) {
    let ready = there.iter().filter(|member| member.current && member.ready).count();
    if ready >= wanted(workload) {
        let namespace = workload.namespace().unwrap_or_default();
        there.iter().filter(|member| !member.current).for_each(|member| remove(state, namespace, member));
    }
}

/// Creates and deletes pods one by one in the order of their numbers, unless they may start in parallel.
fn scale_stateful_set(state: &mut State, workload: &Object, template: &str) {
    let namespace = workload.namespace().unwrap_or_default();
    let reference = workload.reference();
    let wanted = i64::try_from(wanted(workload)).unwrap_or(i64::MAX);
    let there = members(state, &reference, template);
    for member in there.iter().filter(|member| member.ordinal.is_some_and(|n| n >= wanted)) {
        remove(state, namespace, member);
    }
    // A newer template is rolled out one pod at a time, the highest number first.
    let there = members(state, &reference, template);
    let busy = there.iter().any(|member| member.current && !member.ready);
    if let Some(outdated) = there.iter().rev().find(|member| !member.current)
        && (!busy || !outdated.ready)
    {
        remove(state, namespace, outdated);
    }
    let parallel = workload.str_at("/spec/podManagementPolicy") == Some("Parallel");
    for ordinal in 0..wanted {
        let there = members(state, &reference, template);
        match there.iter().find(|member| member.ordinal == Some(ordinal)) {
            Some(member) if member.ready || parallel => {}
            Some(_) => break,
            None => {
                let name = format!("{}-{ordinal}", workload.name());
                claims::ensure(state, workload, &name);
                if let Some(refusal) = refusal(state, workload, &name) {
                    let message =
                        format!("create Pod {name} in StatefulSet {} failed error: {refusal}", workload.name());
                    let incident = Incident::warning("FailedCreate", message, "statefulset-controller");
                    events::record(state, workload, &incident);
                    break;
                }
                pods::create(state, Birth { workload, name, template, ordinal: Some(ordinal) });
                if !parallel {
                    break;
                }
            }
        }
    }
}

/// Why a pod is refused, by a fault or by a quota.
fn refusal(state: &State, workload: &Object, pod: &str) -> Option<String> {
    if state.fault_of(workload).is_some_and(|(_, fault)| fault == Fault::QuotaExceeded) {
        return Some(format!(
            "pods \"{pod}\" is forbidden: exceeded quota: store, requested: limits.memory=1Gi, used: \
             limits.memory=2Gi, limited: limits.memory=2Gi"
        ));
    }
    quota::refusal(state, workload, pod)
}

/// Reports that a Deployment's pod was refused.
fn report_refusal(state: &mut State, workload: &Object, template: &str, refusal: &str) {
    let set = format!("{}-{template}", workload.name());
    let namespace = workload.namespace().unwrap_or_default();
    let involved = json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "namespace": namespace,
        "name": set,
        "uid": workload.uid(),
    });
    let incident = Incident::warning("FailedCreate", format!("Error creating: {refusal}"), "replicaset-controller");
    events::record_about(state, namespace, involved, &incident);
}

fn stateful_set_status(workload: &Object, template: &str, there: &[Member]) -> Value {
    let count = |predicate: fn(&Member) -> bool| there.iter().filter(|member| predicate(member)).count();
    let (ready, updated) = (count(|m| m.ready), count(|m| m.current));
    let revision = format!("{}-{template}", workload.name());
    let finished = updated == there.len() && there.len() == wanted(workload) && ready == there.len();
    let earlier = workload.str_at("/status/currentRevision").unwrap_or(&revision);
    let current = if finished { revision.as_str() } else { earlier };
    let mut status = json!({
        "observedGeneration": workload.int_at("/metadata/generation"),
        "replicas": there.len(),
        "availableReplicas": ready,
        "currentRevision": current,
        "updateRevision": revision,
        "collisionCount": 0,
    });
    let old = if current == revision { updated } else { there.len() - updated };
    add_counts(&mut status, &[("readyReplicas", ready), ("currentReplicas", old), ("updatedReplicas", updated)]);
    status
}

fn deployment_status(
    state: &mut State,
    workload: &Object,
    template: &str,
    there: &[Member],
    refused: Option<String>,
) -> Value {
    let wanted = wanted(workload);
    let ready = there.iter().filter(|member| member.ready).count();
    let updated = there.iter().filter(|member| member.current).count();
    let enough = ready >= wanted.saturating_sub(spare(workload, wanted));
    let complete = updated == wanted && there.len() == wanted && ready >= wanted;
    let progress = progress(state, workload, template, (updated, ready), complete);

    let now = state.timestamp();
    let earlier = workload.list_at("/status/conditions");
    let mut conditions = Vec::new();
    let mut condition = |kind, holds, reason, message: String| {
        let mut rendered =
            Condition { kind, holds, reason: Some(reason), message: Some(message) }.render(earlier, &now);
        let before = earlier.iter().find(|c| c.get("type").and_then(Value::as_str) == Some(kind));
        // A condition with the same content was not updated.
        let unchanged = before.filter(|b| ["status", "reason", "message"].iter().all(|f| b.get(f) == rendered.get(f)));
        let updated = unchanged.and_then(|b| b.get("lastUpdateTime").cloned()).unwrap_or_else(|| now.clone().into());
        if let Some(map) = rendered.as_object_mut() {
            map.insert("lastUpdateTime".into(), updated);
        }
        conditions.push(rendered);
    };
    if enough {
        let message = "Deployment has minimum availability.".into();
        condition("Available", true, "MinimumReplicasAvailable", message);
    } else {
        let message = "Deployment does not have minimum availability.".into();
        condition("Available", false, "MinimumReplicasUnavailable", message);
    }
    if let Some(refusal) = refused {
        condition("ReplicaFailure", true, "FailedCreate", refusal);
    }
    let set = format!("ReplicaSet \"{}-{template}\"", workload.name());
    match progress {
        Progress::Complete => {
            condition("Progressing", true, "NewReplicaSetAvailable", format!("{set} has successfully progressed."));
        }
        Progress::Going => condition("Progressing", true, "ReplicaSetUpdated", format!("{set} is progressing.")),
        Progress::Late => {
            condition("Progressing", false, "ProgressDeadlineExceeded", format!("{set} has timed out progressing."));
        }
    }
    let mut status = json!({"observedGeneration": workload.int_at("/metadata/generation"), "conditions": conditions});
    let missing = wanted.max(there.len()).saturating_sub(ready);
    add_counts(
        &mut status,
        &[
            ("replicas", there.len()),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
            ("unavailableReplicas", missing),
        ],
    );
    status
}

/// Adds numbers to a status; like the API server, it leaves out zeros.
fn add_counts(status: &mut Value, counts: &[(&str, usize)]) {
    if let Some(map) = status.as_object_mut() {
        for (field, count) in counts.iter().filter(|(_, count)| *count > 0) {
            map.insert((*field).to_owned(), (*count).into());
        }
    }
}

/// How many pods of a Deployment may be missing: `maxUnavailable`, a quarter by default, rounded down.
fn spare(workload: &Object, wanted: usize) -> usize {
    let percent = |text: &str| text.strip_suffix('%')?.parse::<usize>().ok();
    match workload.at("/spec/strategy/rollingUpdate/maxUnavailable") {
        Some(Value::String(text)) => wanted * percent(text).unwrap_or(25) / 100,
        Some(Value::Number(number)) => number.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
        _ => wanted / 4,
    }
}

enum Progress {
    Going,
    Complete,
    Late,
}

/// The progress of a rollout. It is late if it makes no progress within the Deployment's `progressDeadlineSeconds`. A
/// complete rollout is never late; a new template begins a new rollout.
fn progress(state: &mut State, workload: &Object, template: &str, count: (usize, usize), complete: bool) -> Progress {
    let now = state.now();
    let reference = workload.reference();
    let fresh = || Rollout::new(template, now);
    let rollout = state.rollouts.entry(reference.clone()).or_insert_with(fresh);
    if rollout.template != template {
        *rollout = fresh();
    }
    if count.0 > rollout.best.0 || count.1 > rollout.best.1 {
        rollout.best = (count.0.max(rollout.best.0), count.1.max(rollout.best.1));
        rollout.since = now;
    }
    rollout.complete |= complete;
    if rollout.complete {
        return Progress::Complete;
    }
    let allowed = workload.int_at("/spec/progressDeadlineSeconds").and_then(|s| u64::try_from(s).ok()).unwrap_or(600);
    let Some(deadline) = rollout.since.checked_add(Duration::from_secs(allowed)) else { return Progress::Going };
    if now >= deadline {
        return Progress::Late;
    }
    if rollout.deadline != Some(deadline) {
        rollout.deadline = Some(deadline);
        state.schedule_at(deadline, Task::Reconcile(reference));
    }
    Progress::Going
}
