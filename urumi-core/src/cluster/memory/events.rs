//! Kubernetes Events, with which controllers report what they could not do.

use serde_json::{Value, json};

use super::incident::Incident;
use super::json::set;
use super::kinds::EVENT;
use super::namespaces;
use super::state::State;
use crate::kubernetes::{Object, Query};

/// Reports an incident. A repeated incident increases the count of its Event.
pub(super) fn record(state: &mut State, about: &Object, incident: &Incident) {
    let involved = json!({
        "apiVersion": about.kind().api_version(),
        "kind": about.kind().kind,
        "namespace": about.namespace(),
        "name": about.name(),
        "uid": about.uid(),
    });
    record_about(state, about.namespace().unwrap_or("default"), involved, incident);
}

/// Reports an incident about an object that the in-memory cluster does not keep, e.g. a ReplicaSet.
pub(super) fn record_about(state: &mut State, namespace: &str, involved: Value, incident: &Incident) {
    if namespaces::is_terminating(state, namespace, None) {
        return;
    }
    let now = state.timestamp();
    let same = state.select(&Query::all(EVENT).in_namespace(namespace)).into_iter().find(|event| {
        event.at("/involvedObject/uid") == involved.get("uid")
            && event.at("/involvedObject/name") == involved.get("name")
            && event.str_at("/reason") == Some(incident.reason)
            && event.str_at("/message") == Some(&incident.message)
    });
    if let Some(same) = same {
        let mut again = Object::clone(&same);
        let count = same.int_at("/count").unwrap_or(1) + 1;
        set(again.as_value_mut(), &["count"], count.into());
        set(again.as_value_mut(), &["lastTimestamp"], now.into());
        state.put(again);
        return;
    }
    let name = format!("{}.{:016x}", involved.get("name").and_then(Value::as_str).unwrap_or_default(), state.draw());
    let event = json!({
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": involved,
        "reason": incident.reason,
        "message": incident.message,
        "type": if incident.warning { "Warning" } else { "Normal" },
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": incident.source},
        "reportingComponent": incident.source,
        "reportingInstance": "",
    });
    if let Ok(event) = Object::from_value(EVENT, event) {
        state.put_new(event);
    }
}
