//! The objects that checks create: small, and accepted by the Pod Security level `restricted`.

use serde_json::{Value, json};

use super::context::{Context, Stop};
use super::kinds::{CONFIG_MAP, DEPLOYMENT, STATEFUL_SET};
use super::options::TAG;
use crate::kubernetes::Object;

pub(super) fn config_map(context: &Context, namespace: &str, name: &str, data: Value) -> Result<Object, Stop> {
    labelled_config_map(namespace, name, json!({TAG: context.tag}), data)
}

pub(super) fn labelled_config_map(namespace: &str, name: &str, labels: Value, data: Value) -> Result<Object, Stop> {
    let value = json!({"metadata": {"name": name, "namespace": namespace, "labels": labels}, "data": data});
    Ok(Object::from_value(CONFIG_MAP, value)?)
}

/// A container that does nothing.
pub(super) fn container(context: &Context, name: &str) -> Value {
    json!({
        "name": name,
        "image": context.options.image,
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
pub(super) fn stateful_set(context: &Context, namespace: &str, name: &str) -> Result<Object, Stop> {
    let mut container = container(context, "main");
    let mut claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "8Mi"}}});
    if let Some(map) = container.as_object_mut() {
        map.insert("volumeMounts".into(), json!([{"name": "data", "mountPath": "/data"}]));
    }
    if let (Some(map), Some(class)) = (claim.as_object_mut(), &context.options.storage_class) {
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
