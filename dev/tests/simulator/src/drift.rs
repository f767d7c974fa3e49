//! Somebody else who changes the stores' objects.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use serde_json::{Value, json};
use urumi_core::StoreId;
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::record;

use crate::request::namespace;
use crate::scenario::Drift;
use crate::world::World;

/// The annotation that somebody else sets.
pub(crate) const FOREIGN: &str = "example.com/foreign";

/// The objects of a store that urumi makes and repairs.
fn managed(world: &World, id: &StoreId) -> Vec<Object> {
    let kinds = [
        Kind::of::<Deployment>(),
        Kind::of::<StatefulSet>(),
        Kind::of::<Service>(),
        Kind::of::<ConfigMap>(),
        Kind::of::<Ingress>(),
        Kind::of::<NetworkPolicy>(),
    ];
    let theirs = |object: &Object| object.label(record::ID) == Some(id.as_str()) && kinds.contains(object.kind());
    world.cluster.dump().into_iter().filter(theirs).collect()
}

fn annotate(object: &mut Object) {
    if let Some(metadata) = object.as_value_mut().pointer_mut("/metadata").and_then(Value::as_object_mut)
        && let Some(annotations) = metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()
    {
        annotations.insert(FOREIGN.into(), "kept".into());
    }
}

fn pointer() -> String {
    format!("/metadata/annotations/{}", FOREIGN.replace('/', "~1"))
}

/// Does it, where there is something to do it to.
pub(crate) fn happen(world: &World, id: &StoreId, drift: Drift) {
    match drift {
        Drift::Record => {
            let reference = namespace(&id.namespace());
            mark(world, &reference);
        }
        Drift::Foreign(number) => {
            if let Some(object) = pick(world, id, number) {
                mark(world, &object.reference());
            }
        }
        Drift::Removed(number) => {
            if let Some(object) = pick(world, id, number) {
                world.note(|| format!("somebody deletes {}", object.reference()));
                world.cluster.remove(&object.reference());
            }
        }
        Drift::Field(number) => {
            if let Some(object) = pick(world, id, number) {
                world.note(|| format!("somebody changes {}", object.reference()));
                world.cluster.modify(&object.reference(), change);
            }
        }
    }
}

fn pick(world: &World, id: &StoreId, number: usize) -> Option<Object> {
    let objects = managed(world, id);
    let count = objects.len().max(1);
    objects.into_iter().nth(number % count)
}

fn mark(world: &World, reference: &ObjectRef) {
    if let Some(marked) = world.cluster.modify(reference, annotate) {
        world.note(|| format!("somebody annotates {reference}"));
        world.audit(|audit| audit.foreign(&marked, &pointer()));
    }
}

/// Changes a field that urumi owns.
fn change(object: &mut Object) {
    let value = object.as_value_mut();
    if let Some(image) = value.pointer_mut("/spec/template/spec/containers/0/image") {
        *image = json!("example.com/other:1");
    } else if let Some(port) = value.pointer_mut("/spec/ports/0/targetPort") {
        *port = json!("other");
    } else if let Some(address) = value.pointer_mut("/data/address") {
        *address = json!("elsewhere");
    } else if let Some(label) = value.pointer_mut("/metadata/labels/app.kubernetes.io~1part-of") {
        *label = json!("other");
    }
}
