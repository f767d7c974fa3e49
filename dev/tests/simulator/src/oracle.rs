//! The oracle: everything that a cluster has, without what differs from one run to the next.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Namespace, Pod, Secret};
use serde_json::{Map, Value, json};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::kubernetes::{Kind, Object};
use urumi_core::record;
use urumi_core::store::status::Condition;

use crate::drift::FOREIGN;
use crate::revisions::NUMBER;

/// A cluster's objects by their addresses, normalised.
pub type Dump = Map<String, Value>;

/// Everything that a cluster has, but what its own controllers say happened on the way there.
pub fn dump(cluster: &InMemoryCluster) -> Dump {
    let objects = cluster.dump().into_iter();
    // Pods have random names, and are their workloads', whose status counts them. The Lease is of who leads. How many revisions
    // it took, each with its proof, is chance: urumi goes back by itself unless somebody was faster.
    let left_out = [
        Kind::of::<Event>(),
        Kind::of::<Pod>(),
        Kind::of::<Lease>(),
        Kind::of::<ControllerRevision>(),
        Kind::of::<Job>(),
    ];
    let kept = objects.filter(|object| !left_out.contains(object.kind()));
    kept.map(|object| (object.reference().to_string(), normal(object))).collect()
}

fn normal(object: Object) -> Value {
    let kind = object.kind().clone();
    let mut value = object.into_value();
    if kind == Kind::of::<Secret>()
        && let Some(data) = value.pointer_mut("/data").and_then(Value::as_object_mut)
    {
        data.values_mut().for_each(|drawn| *drawn = json!("drawn"));
    }
    if kind == Kind::of::<Namespace>() {
        normalise_record(&mut value);
    }
    // Whether it was there when somebody would have annotated it is chance, and so is the number of its revision.
    if let Some(metadata) = value.pointer_mut("/metadata").and_then(Value::as_object_mut)
        && let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut)
    {
        annotations.retain(|key, _| ![FOREIGN, NUMBER].contains(&key.as_str()));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    strip(&mut value);
    value
}

/// Of the conditions only whether they hold, and why, stays; of the history that there is one. The last revision may have been
/// made by somebody or, as a return from another, by urumi.
fn normalise_record(namespace: &mut Value) {
    let Some(annotations) = namespace.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) else {
        return;
    };
    let varying =
        [record::CREATION, record::HISTORY, record::PROVISIONING_SINCE, record::REVISION, record::OBSERVED_REVISION];
    annotations.retain(|key, _| !varying.contains(&key.as_str()));
    if let Some(conditions) = annotations.get_mut(record::CONDITIONS)
        && let Some(Ok(mut parsed)) = conditions.as_str().map(serde_json::from_str::<Value>)
    {
        if let Some(parsed) = parsed.as_array_mut() {
            let of_revision = [Condition::UP_TO_DATE, Condition::PROGRESSING].map(Some);
            parsed.retain(|condition| !of_revision.contains(&condition.get("type").and_then(Value::as_str)));
        }
        strip(&mut parsed);
        *conditions = parsed;
    }
}

/// Takes away identities and times, at any depth.
fn strip(value: &mut Value) {
    const VARYING: [&str; 16] = [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "observedGeneration",
        "lastTransitionTime",
        "lastUpdateTime",
        "clusterIP",
        "clusterIPs",
        "currentRevision",
        "updateRevision",
        "volumeName",
        "collisionCount",
        "batch.kubernetes.io/controller-uid",
        "startTime",
        "completionTime",
    ];
    match value {
        Value::Object(map) => {
            map.retain(|key, _| !VARYING.contains(&key.as_str()));
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// The first difference between two dumps, if there is one.
pub fn difference(expected: &Dump, actual: &Dump) -> Option<String> {
    let lacking = expected.keys().find(|key| !actual.contains_key(*key)).map(|key| format!("{key} is missing"));
    let surplus = || actual.keys().find(|key| !expected.contains_key(*key)).map(|key| format!("{key} is there too"));
    let other = || {
        expected.iter().find_map(|(key, wanted)| {
            let there = actual.get(key)?;
            let (path, wanted, there) = first_difference(wanted, there, String::new())?;
            Some(format!("{path} of {key} is {there} and should be {wanted}"))
        })
    };
    lacking.or_else(surplus).or_else(other)
}

fn first_difference<'a>(wanted: &'a Value, there: &'a Value, path: String) -> Option<(String, &'a Value, &'a Value)> {
    let keys: BTreeSet<&String> =
        [wanted, there].into_iter().filter_map(Value::as_object).flat_map(Map::keys).collect();
    let mut within = keys.into_iter().filter_map(|key| {
        let (wanted, there) = (wanted.get(key).unwrap_or(&Value::Null), there.get(key).unwrap_or(&Value::Null));
        first_difference(wanted, there, format!("{path}/{key}"))
    });
    if wanted == there { None } else { within.next().or(Some((path, wanted, there))) }
}
