//! The life cycle of pods, with the statuses that the kubelet would report.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::json::set;
use super::kinds::{JOB, POD};
use super::problem::{Problem, back_off};
use super::runtime::{PodRuntime, PodState};
use super::state::State;
use super::status::Condition;
use super::task::Task;
use super::{causes, events, smoke_orders};
use crate::kubernetes::{Object, ObjectRef};

/// What a new pod is created from.
pub(super) struct Birth<'a> {
    pub(super) workload: &'a Object,
    pub(super) name: String,
    pub(super) template: &'a str,
    pub(super) ordinal: Option<i64>,
}

/// Creates a pod.
pub(super) fn create(state: &mut State, birth: Birth<'_>) {
    let Birth { workload, name, template, ordinal } = birth;
    let namespace = workload.namespace().unwrap_or_default();
    let mut value = json!({
        "metadata": workload.at("/spec/template/metadata").cloned().unwrap_or(json!({})),
        "spec": workload.at("/spec/template/spec").cloned().unwrap_or(json!({})),
    });
    set(&mut value, &["metadata", "name"], name.clone().into());
    set(&mut value, &["metadata", "namespace"], namespace.into());
    let owner = match ordinal {
        Some(ordinal) => {
            set(&mut value, &["metadata", "labels", "statefulset.kubernetes.io/pod-name"], name.clone().into());
            set(&mut value, &["metadata", "labels", "apps.kubernetes.io/pod-index"], ordinal.to_string().into());
            let revision = format!("{}-{template}", workload.name());
            set(&mut value, &["metadata", "labels", "controller-revision-hash"], revision.into());
            mount_claims(&mut value, workload, &name);
            json!({"kind": "StatefulSet", "name": workload.name()})
        }
        None if *workload.kind() == JOB => {
            for label in ["batch.kubernetes.io/job-name", "job-name"] {
                set(&mut value, &["metadata", "labels", label], workload.name().into());
            }
            json!({"kind": "Job", "name": workload.name()})
        }
        None => {
            set(&mut value, &["metadata", "labels", "pod-template-hash"], template.into());
            json!({"kind": "ReplicaSet", "name": format!("{}-{template}", workload.name())})
        }
    };
    set(&mut value, &["metadata", "ownerReferences"], json!([owner]));
    for (field, content) in [
        ("apiVersion", json!(workload.kind().api_version())),
        ("uid", json!(workload.uid())),
        ("controller", json!(true)),
        ("blockOwnerDeletion", json!(true)),
    ] {
        if let Some(reference) = value.pointer_mut("/metadata/ownerReferences/0") {
            set(reference, &[field], content);
        }
    }
    set(&mut value, &["status"], json!({"phase": "Pending"}));
    let Ok(pod) = Object::from_value(POD, value) else { return };
    let delay = state.readiness_delay(workload.name());
    let life = PodRuntime {
        workload: workload.reference(),
        template: template.to_owned(),
        ordinal,
        state: start(state, &workload.reference(), delay),
        restarts: 0,
        last_exit: None,
    };
    state.pods.insert((namespace.to_owned(), name), life);
    state.put_new(pod);
}

/// Adds the claims of a StatefulSet's pod to its volumes.
fn mount_claims(pod: &mut Value, workload: &Object, name: &str) {
    let claims = workload.list_at("/spec/volumeClaimTemplates").iter().filter_map(|template| {
        let volume = template.pointer("/metadata/name")?.as_str()?;
        Some(json!({"name": volume, "persistentVolumeClaim": {"claimName": format!("{volume}-{name}")}}))
    });
    let mut volumes: Vec<Value> = claims.collect();
    volumes.extend(workload.list_at("/spec/template/spec/volumes").iter().cloned());
    if !volumes.is_empty() {
        set(pod, &["spec", "volumes"], volumes.into());
    }
}

fn start(state: &mut State, workload: &ObjectRef, delay: Duration) -> PodState {
    state.schedule(delay, Task::Reconcile(workload.clone()));
    // Stands for a time that never comes.
    let never = Duration::from_secs(100 * 365 * 86_400);
    PodState::Starting { until: state.now().checked_add(delay).unwrap_or_else(|| state.now() + never) }
}

/// Lets the containers of a running pod exit once; they start again. Returns whether the pod was running.
pub(super) fn crash(state: &mut State, namespace: &str, name: &str) -> bool {
    let place = (namespace.to_owned(), name.to_owned());
    let Some(life) = state.pods.get(&place).filter(|life| life.state == PodState::Running).cloned() else {
        return false;
    };
    let delay = state.readiness_delay(&life.workload.name);
    let starting = start(state, &life.workload, delay);
    let workload = life.workload.clone();
    let life = PodRuntime { state: starting, restarts: life.restarts + 1, last_exit: Some(1), ..life };
    state.pods.insert(place, life);
    if let Some(pod) = state.find(&ObjectRef::namespaced(POD, namespace, name)) {
        let problem = causes::crashed(&pod);
        for incident in problem.incidents(&pod) {
            events::record(state, &pod, &incident);
        }
    }
    state.mark(workload);
    true
}

/// Moves a pod to the state that it should have now, and reports what prevents that.
pub(super) fn advance(state: &mut State, workload: &Object, name: &str) {
    let namespace = workload.namespace().unwrap_or_default();
    let place = (namespace.to_owned(), name.to_owned());
    let Some(pod) = state.find(&ObjectRef::namespaced(POD, namespace, name)) else { return };
    let Some(mut life) = state.pods.get(&place).cloned() else { return };
    let problem = causes::find(state, workload, &pod);
    let next = match (problem, &life.state) {
        (Some(problem), PodState::Starting { until }) if !problem.prevents_scheduling() && state.now() < *until => {
            PodState::Starting { until: *until }
        }
        (Some(problem), _) => PodState::Broken(problem),
        (None, PodState::Broken(_)) => {
            let delay = state.readiness_delay(workload.name());
            start(state, &workload.reference(), delay)
        }
        (None, PodState::Starting { until }) if state.now() < *until => PodState::Starting { until: *until },
        (None, _) => PodState::Running,
    };
    let news = match &next {
        PodState::Broken(problem) if next != life.state => problem.incidents(&pod),
        _ => Vec::new(),
    };
    if let PodState::Broken(problem) = &next
        && let Some((exit, restarts)) = problem.exit()
    {
        life.restarts = life.restarts.max(restarts);
        life.last_exit = Some(exit);
    }
    life.state = next;
    let status = render(&pod, &life, smoke_orders::fails(state, workload), &state.timestamp());
    state.outputs.note(state.time(), &pod, &status);
    state.pods.insert(place, life);
    let pod = schedule(state, pod, &status);
    let pod = state.put_status(&pod, status);
    for incident in news {
        events::record(state, &pod, &incident);
    }
}

/// Assigns a node to a pod that its new status shows as scheduled.
fn schedule(state: &mut State, pod: Arc<Object>, status: &Value) -> Arc<Object> {
    if status.get("hostIP").is_none() || pod.at("/spec/nodeName").is_some() {
        return pod;
    }
    let mut scheduled = Object::clone(&pod);
    set(scheduled.as_value_mut(), &["spec", "nodeName"], "memory-node-0".into());
    state.put(scheduled)
}

fn render(pod: &Object, life: &PodRuntime, smoke_fails: bool, now: &str) -> Value {
    let earlier = pod.list_at("/status/conditions");
    let problem = match &life.state {
        PodState::Broken(problem) => Some(problem),
        _ => None,
    };
    let condition = |kind, holds, reason, message| Condition { kind, holds, reason, message }.render(earlier, now);
    if let Some(Problem::Unschedulable { message }) = problem {
        let conditions = [condition("PodScheduled", false, Some("Unschedulable"), Some(message.clone()))];
        return json!({"phase": "Pending", "conditions": conditions, "qosClass": "Burstable"});
    }
    let started_before = life.restarts > 0 && life.last_exit.is_some();
    if life.state == PodState::Running && life.workload.kind == JOB {
        return ended(pod, smoke_fails, now);
    }
    let ready = life.state == PodState::Running;
    let initialized = ready || started_before || problem.is_some_and(|p| !p.in_init(pod));
    let unready: Vec<&str> = if ready { Vec::new() } else { names(pod, "/spec/containers") };
    let reason = if ready { None } else { Some("ContainersNotReady") };
    let message = || (!ready).then(|| format!("containers with unready status: [{}]", unready.join(" ")));
    let conditions = [
        condition("PodScheduled", true, None, None),
        condition("Initialized", initialized, (!initialized).then_some("ContainersNotInitialized"), None),
        condition("ContainersReady", ready, reason, message()),
        condition("Ready", ready, reason, message()),
    ];
    let running = ready || started_before || matches!(problem, Some(Problem::NotReady { .. }));
    let phase = if running { "Running" } else { "Pending" };
    let start = pod.str_at("/status/startTime").unwrap_or(now);
    let mut status = json!({
        "phase": phase,
        "conditions": conditions,
        "startTime": start,
        "hostIP": "192.0.2.1",
        "qosClass": "Burstable",
        "containerStatuses": statuses(pod, life, problem, false, now),
    });
    if !pod.list_at("/spec/initContainers").is_empty() {
        set(&mut status, &["initContainerStatuses"], statuses(pod, life, problem, true, now).into());
    }
    status
}

/// The status of a Job's pod after its containers have ended; they succeed, except in a smoke order that fails.
fn ended(pod: &Object, smoke_fails: bool, now: &str) -> Value {
    let earlier = pod.list_at("/status/conditions");
    let condition = |kind, holds, reason| Condition { kind, holds, reason, message: None }.render(earlier, now);
    let completed = Some("PodCompleted");
    let container = |list: &str| -> Vec<Value> {
        let end = |container: &Value| {
            let ended = smoke_orders::end(container, smoke_fails, now)
                .unwrap_or_else(|| json!({"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}));
            json!({
                "name": container.get("name"),
                "image": container.get("image"),
                "imageID": format!("memory://{}", container.get("image").and_then(Value::as_str).unwrap_or_default()),
                "ready": false,
                "started": false,
                "restartCount": 0,
                "state": {"terminated": ended},
                "lastState": {},
            })
        };
        pod.list_at(list).iter().map(end).collect()
    };
    json!({
        "phase": if smoke_fails { "Failed" } else { "Succeeded" },
        "conditions": [
            condition("PodScheduled", true, None),
            condition("Initialized", true, completed),
            condition("ContainersReady", false, completed),
            condition("Ready", false, completed),
        ],
        "startTime": pod.str_at("/status/startTime").unwrap_or(now),
        "hostIP": "192.0.2.1",
        "qosClass": "Burstable",
        "containerStatuses": container("/spec/containers"),
    })
}

fn names<'a>(pod: &'a Object, list: &str) -> Vec<&'a str> {
    pod.list_at(list).iter().filter_map(|c| c.get("name")?.as_str()).collect()
}

/// The statuses of the containers, or of the init containers.
fn statuses(pod: &Object, life: &PodRuntime, problem: Option<&Problem>, init: bool, now: &str) -> Vec<Value> {
    let list = if init { "/spec/initContainers" } else { "/spec/containers" };
    let earlier = pod.list_at(if init { "/status/initContainerStatuses" } else { "/status/containerStatuses" });
    let ready = life.state == PodState::Running;
    let init_done = ready || life.last_exit.is_some() || problem.is_some_and(|p| !p.in_init(pod));
    let mut rendered = Vec::new();
    for container in pod.list_at(list) {
        let text = |field| container.get(field).and_then(Value::as_str).unwrap_or_default();
        let (name, image) = (text("name"), text("image"));
        let before = earlier.iter().find(|s| s.get("name").and_then(Value::as_str) == Some(name));
        let mine = problem.filter(|p| p.container() == Some(name));
        let stopped = life.last_exit.filter(|_| !init && mine.is_none_or(|p| p.exit().is_some()));
        let since = |state: &str| {
            before.and_then(|s| s.pointer(&format!("/state/{state}/startedAt"))?.as_str()).unwrap_or(now).to_owned()
        };
        let state = match mine.and_then(|p| p.waiting(pod)) {
            Some((reason, message)) => json!({"waiting": {"reason": reason, "message": message}}),
            None if init && init_done => {
                let at = before.and_then(|s| s.pointer("/state/terminated/finishedAt")?.as_str()).unwrap_or(now);
                json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": at, "finishedAt": at}})
            }
            None if ready || mine.is_some() => json!({"running": {"startedAt": since("running")}}),
            None if stopped.is_some() && problem.is_none() => {
                let message = back_off(pod, name, life.restarts);
                json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}})
            }
            None if !init && !init_done && !pod.list_at("/spec/initContainers").is_empty() => {
                json!({"waiting": {"reason": "PodInitializing"}})
            }
            None => json!({"waiting": {"reason": "ContainerCreating"}}),
        };
        let mut last = json!({});
        if let Some(code) = stopped {
            let finished = before
                .filter(|s| s.get("restartCount").and_then(Value::as_i64) == Some(life.restarts.into()))
                .and_then(|s| s.pointer("/lastState/terminated/finishedAt")?.as_str())
                .unwrap_or(now);
            let reason = if code == 137 { "OOMKilled" } else { "Error" };
            last = json!({"terminated":
                {"exitCode": code, "reason": reason, "startedAt": finished, "finishedAt": finished}});
        }
        let is_running = state.get("running").is_some();
        let image_id = if is_running || init_done { format!("memory://{image}") } else { String::new() };
        rendered.push(json!({
            "name": name,
            "image": image,
            "imageID": image_id,
            "ready": if init { init_done && mine.is_none() } else { ready },
            "started": is_running,
            "restartCount": if init { 0 } else { life.restarts },
            "state": state,
            "lastState": last,
        }));
    }
    rendered
}
