//! The checks and defaults of the API server for an object that is about to be stored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use k8s_openapi::Resource;
use k8s_openapi::api::{apps, autoscaling, batch, coordination, core, networking, policy, rbac, storage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::kubernetes::{Kind, Object};

/// Checks an object; the error is the API server's message.
pub(super) fn check(object: &Object) -> Result<(), String> {
    let kind = object.kind();
    if kind.namespaced && object.namespace().is_none_or(str::is_empty) {
        return Err("an empty namespace may not be set during creation".into());
    }
    if !kind.namespaced && object.namespace().is_some() {
        return Err(format!("metadata.namespace: {kind} is not namespaced"));
    }
    check_name(object)?;
    check_labels(object.at("/metadata/labels"), "metadata.labels")?;
    check_fields(object)?;
    check_workload(object)
}

/// Checks that a change of a stored object does not touch immutable fields.
pub(super) fn check_update(old: &Object, new: &Object) -> Result<(), String> {
    let changed = |pointer: &str| old.at(pointer) != new.at(pointer);
    let finalizers = old.list_at("/metadata/finalizers");
    if old.is_terminating() && new.list_at("/metadata/finalizers").iter().any(|added| !finalizers.contains(added)) {
        return Err(
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted".into()
        );
    }
    match (&*new.kind().group, &*new.kind().kind) {
        ("apps", "Deployment" | "DaemonSet") if changed("/spec/selector") => {
            Err("spec.selector: Invalid value: field is immutable".into())
        }
        ("apps", "StatefulSet") => {
            const MUTABLE: [&str; 7] = [
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ];
            let rest = |object: &Object| -> Map<String, Value> {
                let spec = object.at("/spec").and_then(Value::as_object).cloned().unwrap_or_default();
                spec.into_iter().filter(|(key, _)| !MUTABLE.contains(&key.as_str())).collect()
            };
            if rest(old) == rest(new) {
                return Ok(());
            }
            Err("spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                 'minReadySeconds' are forbidden"
                .into())
        }
        ("batch", "Job") if changed("/spec/template") || changed("/spec/selector") => {
            Err("spec.template: Invalid value: field is immutable".into())
        }
        ("", "Secret") if changed("/type") => Err("type: Invalid value: field is immutable".into()),
        _ => Ok(()),
    }
}

/// Sets the defaults that urumi can see, and removes the fields that the API server ignores.
pub(super) fn prepare(value: &mut Value, kind: &Kind) {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "deletionTimestamp"]
        {
            metadata.remove(field);
        }
    }
    if is_known(kind)
        && let Some(map) = value.as_object_mut()
    {
        map.remove("status");
    }
    if kind.group.is_empty() && kind.kind == "Secret" {
        encode_string_data(value);
    }
}

/// Moves `stringData` into `data`, as the API server does when it stores a Secret.
fn encode_string_data(value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    let Some(Value::Object(plain)) = map.remove("stringData") else { return };
    let Some(data) = map.entry("data").or_insert_with(|| json!({})).as_object_mut() else { return };
    for (key, text) in plain {
        data.insert(key, Value::String(BASE64.encode(text.as_str().unwrap_or_default())));
    }
}

fn check_name(object: &Object) -> Result<(), String> {
    let (name, kind) = (object.name(), object.kind());
    if kind.group == "rbac.authorization.k8s.io" {
        // Names of roles may have colons and capitals. They only have to fit into a path.
        return if name.contains(['/', '%']) || matches!(name, "." | "..") {
            Err(format!("metadata.name: Invalid value: {name:?}: must fit into a path"))
        } else {
            Ok(())
        };
    }
    let label = kind.group.is_empty() && matches!(&*kind.kind, "Namespace" | "Service");
    if label && !is_dns_label(name) {
        return Err(format!(
            "metadata.name: Invalid value: {name:?}: a lowercase RFC 1123 label must consist of lower case alphanumeric \
             characters or '-', and must start and end with an alphanumeric character, and have at most 63 of them"
        ));
    }
    if !is_dns_subdomain(name) {
        return Err(format!(
            "metadata.name: Invalid value: {name:?}: a lowercase RFC 1123 subdomain must consist of lower case \
             alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
        ));
    }
    Ok(())
}

fn is_dns_label(name: &str) -> bool {
    name.len() <= 63 && is_dns_part(name)
}

fn is_dns_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_part)
}

fn is_dns_part(part: &str) -> bool {
    !part.is_empty()
        && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !part.starts_with('-')
        && !part.ends_with('-')
}

/// Whether text is a label's value, or the last part of a label's key.
fn is_label_text(text: &str) -> bool {
    text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && text.bytes().next().is_none_or(|b| b.is_ascii_alphanumeric())
        && text.bytes().next_back().is_none_or(|b| b.is_ascii_alphanumeric())
}

fn check_labels(labels: Option<&Value>, path: &str) -> Result<(), String> {
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        let (prefix, name) = key.split_once('/').map_or((None, key.as_str()), |(p, n)| (Some(p), n));
        if name.is_empty() || !is_label_text(name) || prefix.is_some_and(|p| !is_dns_subdomain(p)) {
            return Err(format!("{path}: Invalid value: {key:?}: not a qualified name"));
        }
        if !value.as_str().is_some_and(is_label_text) {
            return Err(format!(
                "{path}: Invalid value: {value}: a valid label must be an empty string or consist of \
                 alphanumeric characters, '-', '_' or '.', at most 63 of them"
            ));
        }
    }
    Ok(())
}

fn check_workload(object: &Object) -> Result<(), String> {
    let kind = object.kind();
    let job = kind.group == "batch" && kind.kind == "Job";
    if !job && (kind.group != "apps" || !matches!(&*kind.kind, "Deployment" | "StatefulSet" | "DaemonSet")) {
        return Ok(());
    }
    check_labels(object.at("/spec/template/metadata/labels"), "spec.template.labels")?;
    if job {
        if !matches!(object.str_at("/spec/template/spec/restartPolicy"), Some("OnFailure" | "Never")) {
            return Err(
                "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"".into()
            );
        }
        return check_containers(object);
    }
    let selector = object.at("/spec/selector/matchLabels").and_then(Value::as_object);
    if selector.is_none_or(Map::is_empty) && object.list_at("/spec/selector/matchExpressions").is_empty() {
        return Err("spec.selector: Invalid value: empty selector is invalid".into());
    }
    let labels = object.at("/spec/template/metadata/labels");
    if selector.into_iter().flatten().any(|(key, value)| labels.and_then(|l| l.get(key)) != Some(value)) {
        return Err("spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`".into());
    }
    check_containers(object)
}

fn check_containers(object: &Object) -> Result<(), String> {
    let containers = object.list_at("/spec/template/spec/containers");
    if containers.is_empty() {
        return Err("spec.template.spec.containers: Required value".into());
    }
    for container in containers.iter().chain(object.list_at("/spec/template/spec/initContainers")) {
        for field in ["name", "image"] {
            if container.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(format!("spec.template.spec.containers.{field}: Required value"));
            }
        }
    }
    Ok(())
}

/// Reads the object as the type of its kind, and refuses unknown fields.
fn check_fields(object: &Object) -> Result<(), String> {
    match reader(object.kind()) {
        Some(read) => read(object),
        None => Ok(()),
    }
}

fn is_known(kind: &Kind) -> bool {
    reader(kind).is_some()
}

type Reader = fn(&Object) -> Result<(), String>;

macro_rules! readers {
    ($kind:expr; $($group:ident::$version:ident::{$($ty:ident),+ $(,)?}),+ $(,)?) => {
        $($(if *$kind == Kind::of::<$group::$version::$ty>() { return Some(read::<$group::$version::$ty> as Reader); })+)+
    };
}

fn reader(kind: &Kind) -> Option<Reader> {
    readers!(kind;
        core::v1::{
            ConfigMap, Event, LimitRange, Namespace, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota, Secret,
            Service, ServiceAccount,
        },
        apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet},
        autoscaling::v2::{HorizontalPodAutoscaler},
        batch::v1::{CronJob, Job},
        coordination::v1::{Lease},
        networking::v1::{Ingress, IngressClass, NetworkPolicy},
        policy::v1::{PodDisruptionBudget},
        rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
        storage::v1::{StorageClass},
    );
    None
}

fn read<K>(object: &Object) -> Result<(), String>
where
    K: Resource + DeserializeOwned + Serialize,
{
    let kind = object.kind();
    let refuse = |why: String| format!("{kind} in version \"{}\" cannot be handled as a {kind}: {why}", kind.version);
    let typed: K = object.to_typed().map_err(|e| refuse(e.message().to_owned()))?;
    let known = serde_json::to_value(&typed).map_err(|e| refuse(e.to_string()))?;
    match unknown_field(object.as_value(), &known, &mut String::new()) {
        Some(field) => Err(refuse(format!("strict decoding error: unknown field \"{field}\""))),
        None => Ok(()),
    }
}

/// The first field of `given` that `known`, the same object read as its type, does not have.
fn unknown_field(given: &Value, known: &Value, path: &mut String) -> Option<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given.iter().find_map(|(key, value)| {
            let length = path.len();
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
            let found = match known.get(key) {
                Some(known) => unknown_field(value, known, path),
                None if is_nothing(value) => None,
                None => Some(path.clone()),
            };
            path.truncate(length);
            found
        }),
        (Value::Array(given), Value::Array(known)) => given.iter().zip(known).enumerate().find_map(|(i, (a, b))| {
            let length = path.len();
            path.push_str(&format!("[{i}]"));
            let found = unknown_field(a, b, path);
            path.truncate(length);
            found
        }),
        _ => None,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
    use serde_json::json;

    fn object(kind: Kind, value: Value) -> Object {
        Object::from_value(kind, value).unwrap()
    }

    fn deployment(spec: Value) -> Object {
        object(Kind::of::<Deployment>(), json!({"metadata": {"name": "a", "namespace": "n"}, "spec": spec}))
    }

    fn good_spec() -> Value {
        json!({
            "selector": {"matchLabels": {"app": "a"}},
            "template": {
                "metadata": {"labels": {"app": "a"}},
                "spec": {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "1"}}}]},
            },
        })
    }

    #[test]
    fn unknown_fields_are_named() {
        assert_eq!(check(&deployment(good_spec())), Ok(()));
        let mut spec = good_spec();
        spec["template"]["spec"]["containers"][0]["imagePullPolice"] = json!("Always");
        let message = check(&deployment(spec)).unwrap_err();
        assert!(
            message
                .ends_with("strict decoding error: unknown field \"spec.template.spec.containers[0].imagePullPolice\""),
            "{message}"
        );
    }

    #[test]
    fn fields_of_a_wrong_shape_are_refused() {
        let mut spec = good_spec();
        spec["replicas"] = json!("three");
        assert!(check(&deployment(spec)).is_err());
        let secret = json!({"metadata": {"name": "a", "namespace": "n"}, "data": {"k": "not base64!"}});
        assert!(check(&object(Kind::of::<Secret>(), secret)).is_err());
    }

    #[test]
    fn a_selector_must_match_its_template() {
        let mut spec = good_spec();
        spec["selector"]["matchLabels"]["app"] = json!("b");
        assert!(check(&deployment(spec)).unwrap_err().contains("does not match template"));
    }

    #[test]
    fn names_and_labels_follow_the_rules_of_their_kind() {
        let named = |name: &str| check(&object(Kind::of::<Namespace>(), json!({"metadata": {"name": name}})));
        assert_eq!(named("store-1"), Ok(()));
        for bad in ["Store", "a.b", "-a", "a_b", &"a".repeat(64)] {
            assert!(named(bad).is_err(), "{bad}");
        }
        let map = |name: &str| object(Kind::of::<ConfigMap>(), json!({"metadata": {"name": name, "namespace": "n"}}));
        assert_eq!(check(&map("a.b")), Ok(()));
        assert_eq!(check(&map(&"a".repeat(253))), Ok(()));
        assert!(check(&map(&"a".repeat(254))).is_err());
        for (key, value) in [("a", "b c"), ("a/b/c", "x"), ("", "x"), ("a", "-")] {
            let labels = json!({"metadata": {"name": "a", "labels": {key: value}}});
            assert!(check(&object(Kind::of::<Namespace>(), labels)).is_err(), "{key}={value}");
        }
    }

    #[test]
    fn an_object_that_is_being_deleted_takes_no_new_finalizers() {
        let kept_by = |finalizers: &[&str]| {
            let metadata = json!({
                "name": "a", "namespace": "n", "finalizers": finalizers, "deletionTimestamp": "2026-01-01T00:00:00Z",
            });
            object(Kind::of::<ConfigMap>(), json!({ "metadata": metadata }))
        };
        assert_eq!(check_update(&kept_by(&["a", "b"]), &kept_by(&["b"])), Ok(()));
        assert!(check_update(&kept_by(&["a"]), &kept_by(&["a", "b"])).is_err());
    }

    #[test]
    fn only_some_fields_of_a_stateful_set_can_change() {
        let stateful = |spec: Value| {
            object(Kind::of::<StatefulSet>(), json!({"metadata": {"name": "a", "namespace": "n"}, "spec": spec}))
        };
        let (old, mut changed) = (stateful(good_spec()), good_spec());
        changed["replicas"] = json!(3);
        assert_eq!(check_update(&old, &stateful(changed.clone())), Ok(()));
        changed["serviceName"] = json!("other");
        assert!(check_update(&old, &stateful(changed)).is_err());
    }

    #[test]
    fn string_data_is_stored_encoded_and_server_fields_are_dropped() {
        let mut value = json!({
            "metadata": {"name": "s", "uid": "mine", "resourceVersion": "1"},
            "stringData": {"k": "v"}, "data": {"j": "dw=="}
        });
        prepare(&mut value, &Kind::of::<Secret>());
        assert_eq!(value, json!({"metadata": {"name": "s"}, "data": {"j": "dw==", "k": "dg=="}}));
    }
}
