//! The objects of a store at rest.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::kubernetes::{Compressed, Kind, Object, ObjectRef};

/// Compressed objects, with what tells them apart.
#[derive(Debug)]
pub(super) struct Packed {
    objects: Compressed,
    hashes: Box<[Hashed]>,
}

/// What is known of a packed object without unpacking it.
#[derive(Debug)]
struct Hashed {
    kind: u64,
    reference: u64,
    version: u64,
}

impl From<Vec<Object>> for Packed {
    fn from(objects: Vec<Object>) -> Self {
        let hashed = |object: &Object| Hashed {
            kind: hash(object.kind()),
            reference: hash(&object.reference()),
            version: hash(&version(object)),
        };
        Packed { hashes: objects.iter().map(hashed).collect(), objects: objects.into() }
    }
}

impl Packed {
    /// The objects.
    pub(super) fn unpack(self) -> Vec<Object> {
        self.objects.into_objects()
    }

    /// Whether an object of this reference is among them.
    pub(super) fn contains(&self, reference: &ObjectRef) -> bool {
        let reference = hash(reference);
        self.hashes.iter().any(|packed| packed.reference == reference)
    }

    /// Whether this version of an object is among them.
    pub(super) fn has(&self, reference: &ObjectRef, object: &Object) -> bool {
        let (reference, version) = (hash(reference), hash(&version(object)));
        object.resource_version().is_some()
            && self.hashes.iter().any(|packed| packed.reference == reference && packed.version == version)
    }

    /// Whether there is an object of this kind among them that is not one of these.
    pub(super) fn has_others(&self, kind: &Kind, these: &Hashes) -> bool {
        let kind = hash(kind);
        self.hashes.iter().any(|packed| packed.kind == kind && !these.0.contains(&packed.reference))
    }
}

/// What changes whenever an object does.
fn version(object: &Object) -> (Option<&str>, Option<&str>) {
    (object.uid(), object.resource_version())
}

/// The hashes of references.
#[derive(Default)]
pub(super) struct Hashes(HashSet<u64>);

impl Hashes {
    pub(super) fn insert(&mut self, reference: &ObjectRef) {
        self.0.insert(hash(reference));
    }

    pub(super) fn contain(&self, reference: &ObjectRef) -> bool {
        self.0.contains(&hash(reference))
    }
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Pod};
    use serde_json::json;

    use super::*;

    fn pod(name: &str) -> Object {
        pod_at(name, "1")
    }

    fn pod_at(name: &str, version: &str) -> Object {
        let metadata = json!({"name": name, "namespace": "store-a", "uid": name, "resourceVersion": version});
        Object::from_value(Kind::of::<Pod>(), json!({ "metadata": metadata })).unwrap()
    }

    #[test]
    fn what_is_packed_is_known_without_unpacking() {
        let packed = Packed::from(vec![pod("a"), pod("b")]);
        let references = ["a", "b", "c"].map(|name| pod(name).reference());
        assert_eq!(references.each_ref().map(|reference| packed.contains(reference)), [true, true, false]);
        let has = |pod: Object| packed.has(&pod.reference(), &pod);
        assert_eq!([has(pod("a")), has(pod_at("a", "2")), has(pod("c"))], [true, false, false]);
        let kind = Kind::of::<Pod>();
        let mut hashes = Hashes::default();
        assert!(!packed.has_others(&Kind::of::<ConfigMap>(), &hashes));
        references.iter().skip(1).for_each(|reference| hashes.insert(reference));
        assert!(packed.has_others(&kind, &hashes));
        hashes.insert(&references[0]);
        assert!(!packed.has_others(&kind, &hashes));
    }
}
