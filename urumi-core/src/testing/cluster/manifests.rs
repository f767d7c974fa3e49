//! The objects that checks make: small, and acceptable where Pod Security is `restricted`.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolumeClaim, Pod, Secret};
use serde_json::{Value, json};

use super::LABEL;
use super::room::{Room, Stop};
use crate::kubernetes::{Kind, Object};

pub(super) const NAMESPACE: Kind = Kind::of::<Namespace>();
pub(super) const CONFIG_MAP: Kind = Kind::of::<ConfigMap>();
pub(super) const SECRET: Kind = Kind::of::<Secret>();
pub(super) const DEPLOYMENT: Kind = Kind::of::<Deployment>();
pub(super) const STATEFUL_SET: Kind = Kind::of::<StatefulSet>();
pub(super) const POD: Kind = Kind::of::<Pod>();
pub(super) const CLAIM: Kind = Kind::of::<PersistentVolumeClaim>();

/// The label by which one check's objects are told from another's.
pub(super) const TAG: &str = "store.urumi.ai/conformance-check";

pub(super) fn namespace(room: &Room, name: &str) -> Result<Object, Stop> {
    let mut labels = json!({LABEL: "true", TAG: room.tag, "pod-security.kubernetes.io/enforce": "restricted"});
    if let Some(map) = labels.as_object_mut() {
        map.extend(room.options.labels.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))));
    }
    Ok(Object::from_value(NAMESPACE, json!({"metadata": {"name": name, "labels": labels}}))?)
}

pub(super) fn config_map(room: &Room, namespace: &str, name: &str, data: Value) -> Result<Object, Stop> {
    labelled_config_map(namespace, name, json!({TAG: room.tag}), data)
}

pub(super) fn labelled_config_map(namespace: &str, name: &str, labels: Value, data: Value) -> Result<Object, Stop> {
    let value = json!({"metadata": {"name": name, "namespace": namespace, "labels": labels}, "data": data});
    Ok(Object::from_value(CONFIG_MAP, value)?)
}

/// A container of this name that only waits.
pub(super) fn container(room: &Room, name: &str) -> Value {
    json!({
        "name": name,
        "image": room.options.image,
        "resources": {
            "requests": {"cpu": "1m", "memory": "8Mi"},
            "limits": {"cpu": "10m", "memory": "16Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        },
    })
}

fn pod_template(name: &str, containers: &[Value]) -> Value {
    json!({
        "metadata": {"labels": {"app": name}},
        "spec": {
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65535, "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": containers,
        },
    })
}

pub(super) fn deployment(namespace: &str, name: &str, replicas: i32, containers: &[Value]) -> Result<Object, Stop> {
    let spec = json!({
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": pod_template(name, containers),
    });
    Ok(Object::from_value(DEPLOYMENT, json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec}))?)
}

/// A StatefulSet of one pod with a claim `data`.
pub(super) fn stateful_set(room: &Room, namespace: &str, name: &str) -> Result<Object, Stop> {
    let mut container = container(room, "main");
    let mut claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "8Mi"}}});
    if let Some(map) = container.as_object_mut() {
        map.insert("volumeMounts".into(), json!([{"name": "data", "mountPath": "/data"}]));
    }
    if let (Some(map), Some(class)) = (claim.as_object_mut(), &room.options.storage_class) {
        map.insert("storageClassName".into(), class.as_str().into());
    }
    let spec = json!({
        "replicas": 1,
        "serviceName": name,
        "selector": {"matchLabels": {"app": name}},
        "template": pod_template(name, &[container]),
        "volumeClaimTemplates": [{"metadata": {"name": "data", "labels": {"made-by": "template"}}, "spec": claim}],
    });
    Ok(Object::from_value(STATEFUL_SET, json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec}))?)
}
