//! Whether a workload is available, according to its status.

use serde_json::Value;

use crate::kubernetes::Object;

/// The availability of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Availability {
    /// All replicas of its current spec are available.
    Available,
    /// Some replicas are not available.
    Partly { available: i64, wanted: i64 },
}

/// A workload's availability, as its controller reports it. The status of an older spec (`observedGeneration`) does not
/// count.
///
/// An object of another kind is available if its condition `Ready` or `Available` is true.
pub(crate) fn availability(workload: &Object) -> Availability {
    let generation = workload.int_at("/metadata/generation").unwrap_or(0);
    let observed = workload.int_at("/status/observedGeneration");
    let count = |pointer: &str| workload.int_at(pointer).unwrap_or(0);
    let (available, wanted) = match workload.kind().kind.as_ref() {
        "Deployment" | "ReplicaSet" => (count("/status/availableReplicas"), replicas(workload)),
        // Clusters before 1.25 have no availableReplicas here; it equals readyReplicas without minReadySeconds.
        "StatefulSet" => {
            let available = workload.int_at("/status/availableReplicas");
            (available.unwrap_or_else(|| count("/status/readyReplicas")), replicas(workload))
        }
        "DaemonSet" => (count("/status/numberAvailable"), count("/status/desiredNumberScheduled")),
        "Job" => (count("/status/succeeded"), workload.int_at("/spec/completions").unwrap_or(1)),
        _ => {
            let holds = has_condition(workload, "Ready") || has_condition(workload, "Available");
            (i64::from(holds), 1)
        }
    };
    let current = match workload.kind().kind.as_ref() {
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => observed.unwrap_or(0) >= generation,
        _ => observed.is_none_or(|o| o >= generation),
    };
    if current && available >= wanted {
        Availability::Available
    } else {
        Availability::Partly { available: available.min(wanted), wanted }
    }
}

/// Whether a workload is available, with at least `enough` replicas if that is said. What an autoscaler adds may take its time.
pub(crate) fn is_available(workload: &Object, enough: Option<u32>) -> bool {
    match (availability(workload), enough) {
        (Availability::Available, _) => true,
        (Availability::Partly { available, .. }, Some(enough)) => available >= enough.into() && is_observed(workload),
        (Availability::Partly { .. }, None) => false,
    }
}

/// Whether the workload's controller has seen its present spec.
pub(crate) fn is_observed(workload: &Object) -> bool {
    workload.int_at("/status/observedGeneration").unwrap_or(0) >= workload.int_at("/metadata/generation").unwrap_or(0)
}

/// Whether any pod of the workload is available, of whichever spec. A Job serves nobody, so nobody misses it.
pub(crate) fn serves(workload: &Object) -> bool {
    match (workload.kind().kind.as_ref(), availability(workload)) {
        ("Job", _) | (_, Availability::Available) => true,
        (_, Availability::Partly { available, .. }) => available > 0,
    }
}

fn replicas(workload: &Object) -> i64 {
    workload.int_at("/spec/replicas").unwrap_or(1)
}

/// Whether the object has a condition of this type whose status is `True`.
pub(crate) fn has_condition(object: &Object, type_: &str) -> bool {
    condition(object, type_).is_some_and(|c| c.get("status").and_then(Value::as_str) == Some("True"))
}

/// The object's condition of this type.
pub(crate) fn condition<'a>(object: &'a Object, type_: &str) -> Option<&'a Value> {
    object.list_at("/status/conditions").iter().find(|c| c.get("type").and_then(Value::as_str) == Some(type_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Kind;
    use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
    use serde_json::json;

    fn deployment(generation: i64, replicas: i64, status: Value) -> Object {
        let value = json!({"metadata": {"name": "x", "generation": generation}, "spec": {"replicas": replicas}, "status": status});
        Object::from_value(Kind::of::<Deployment>(), value).unwrap()
    }

    #[test]
    fn a_deployment_is_available_when_all_replicas_of_its_present_spec_are() {
        let full = json!({"observedGeneration": 2, "availableReplicas": 2});
        assert_eq!(availability(&deployment(2, 2, full.clone())), Availability::Available);
        assert_eq!(availability(&deployment(3, 2, full.clone())), Availability::Partly { available: 2, wanted: 2 });
        assert_eq!(availability(&deployment(2, 3, full)), Availability::Partly { available: 2, wanted: 3 });
        assert_eq!(availability(&deployment(1, 1, json!({}))), Availability::Partly { available: 0, wanted: 1 });
        assert_eq!(availability(&deployment(1, 0, json!({"observedGeneration": 1}))), Availability::Available);
    }

    #[test]
    fn a_stateful_set_without_available_replicas_goes_by_ready_ones() {
        let value = json!({"metadata": {"name": "x", "generation": 1}, "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "readyReplicas": 1}});
        let set = Object::from_value(Kind::of::<StatefulSet>(), value).unwrap();
        assert_eq!(availability(&set), Availability::Available);
    }

    #[test]
    fn an_unknown_kind_goes_by_its_conditions() {
        let kind = Kind { kind: "Postgres".into(), group: "example.com".into(), ..Kind::of::<Deployment>() };
        let with = |status: &str| {
            let value =
                json!({"metadata": {"name": "x"}, "status": {"conditions": [{"type": "Ready", "status": status}]}});
            availability(&Object::from_value(kind.clone(), value).unwrap())
        };
        assert_eq!(with("True"), Availability::Available);
        assert_eq!(with("False"), Availability::Partly { available: 0, wanted: 1 });
    }
}
