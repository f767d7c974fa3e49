//! ConfigMaps that pods have mounted. The kubelet renews them when it looks at a pod, which is once a minute, or at once if the
//! pod itself changes. So a pod gets an annotation with the digest of what it should see.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::drift::drift;
use super::steps::{Observed, Step, of_kind};
use crate::engine::{Manifest, Policy};
use crate::kubernetes::{Kind, Object};

/// Annotation on a pod: the digest of the ConfigMaps that it has mounted.
pub(crate) const MOUNTED: &str = "store.urumi.ai/mounted";

/// The pods that should see other settings than they were told of. A ConfigMap that is not as it should be is told of later.
pub(super) fn steps(desired: &[Manifest], observed: &Observed<'_>) -> Vec<Step> {
    let is_settled =
        |object: &&Object| observed.get(&object.reference()).is_some_and(|actual| drift(object, actual).is_empty());
    let config_maps: Vec<&Object> = desired
        .iter()
        .filter(|manifest| manifest.policy == Policy::Managed)
        .map(|manifest| &manifest.object)
        .filter(|object| *object.kind() == Kind::of::<ConfigMap>())
        .collect();
    if config_maps.is_empty() {
        return Vec::new();
    }
    let step = |pod: &&Object| {
        let mounted: Vec<&Object> = config_maps.iter().filter(|map| has_mounted(pod, map)).copied().collect();
        if mounted.is_empty() || pod.is_terminating() || !mounted.iter().all(is_settled) {
            return None;
        }
        let metadata = json!({
            "name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid(), "annotations": { MOUNTED: digest(&mounted) },
        });
        let told = Object::from_value(Kind::of::<Pod>(), json!({ "metadata": metadata })).ok()?;
        let drift = drift(&told, pod);
        (!drift.is_empty()).then_some(Step::Repair(told, drift))
    };
    of_kind(observed, &Kind::of::<Pod>()).iter().filter_map(step).collect()
}

/// Whether a pod has a ConfigMap as a volume.
fn has_mounted(pod: &Object, config_map: &Object) -> bool {
    pod.namespace() == config_map.namespace()
        && pod
            .list_at("/spec/volumes")
            .iter()
            .any(|volume| volume.pointer("/configMap/name").and_then(Value::as_str) == Some(config_map.name()))
}

/// The SHA-256 of the data of ConfigMaps, in hexadecimal.
fn digest(config_maps: &[&Object]) -> String {
    let mut hash = Sha256::new();
    for config_map in config_maps {
        hash.update(config_map.at("/data").map(Value::to_string).unwrap_or_default());
    }
    base16ct::lower::encode_string(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Life, plan_for};

    const CHANGED: Life = Life { was_ready: true, was_changed: true };

    fn config_map(text: &str) -> Object {
        let value =
            json!({ "metadata": { "name": "shop", "namespace": "store-x" }, "data": { "settings.json": text } });
        Object::from_value(Kind::of::<ConfigMap>(), value).unwrap()
    }

    fn pod(name: &str, mounted: &str) -> Object {
        let value = json!({
            "metadata": { "name": name, "namespace": "store-x", "uid": name },
            "spec": { "volumes": [{ "name": "tmp", "emptyDir": {} }, { "name": "s", "configMap": { "name": mounted } }] },
        });
        Object::from_value(Kind::of::<Pod>(), value).unwrap()
    }

    fn steps(seen: &[&Object], life: Life) -> Vec<Step> {
        let there: Vec<_> = seen.iter().map(|object| (object.reference(), (*object).clone())).collect();
        let observed: Observed<'_> = there.iter().map(|(reference, object)| (reference, object)).collect();
        plan_for(&[Manifest::managed(config_map("new"))], &observed, life).steps().cloned().collect()
    }

    #[test]
    fn pods_are_told_of_what_they_have_mounted_once_it_is_there() {
        let [mounts, other] = [pod("a", "shop"), pod("b", "other")];
        assert_eq!(steps(&[&config_map("old"), &mounts, &other], CHANGED).len(), 1, "the ConfigMap comes first");
        let told = steps(&[&config_map("new"), &mounts, &other], CHANGED);
        let [Step::Repair(annotated, _)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((annotated.name(), annotated.uid()), ("a", Some("a")));
        let mut mounts = mounts;
        mounts.as_value_mut()["metadata"]["annotations"] = annotated.as_value()["metadata"]["annotations"].clone();
        assert_eq!(steps(&[&config_map("new"), &mounts], CHANGED), []);
    }

    #[test]
    fn pods_of_a_store_that_was_never_changed_have_read_what_they_should() {
        let life = Life { was_changed: false, ..CHANGED };
        assert_eq!(steps(&[&config_map("new"), &pod("a", "shop")], life), []);
    }

    #[test]
    fn a_pod_that_stops_is_left_alone() {
        let mut stopping = pod("a", "shop");
        stopping.as_value_mut()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(steps(&[&config_map("new"), &stopping], CHANGED), []);
    }
}
