//! The objects of a store at rest, as compressed JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use lz4_flex::block::{compress_prepend_size, decompress_size_prepended};
use serde_json::Value;

use crate::kubernetes::{Kind, Object, ObjectRef};

/// Several objects as compressed JSON. Together they take a third of the memory that they take one by one, because they repeat the
/// same keys, names and labels.
#[derive(Debug)]
pub(super) struct Packed {
    json: Box<[u8]>,
    hashes: Box<[Hashed]>,
}

/// What is known of a packed object without unpacking it.
#[derive(Debug)]
struct Hashed {
    kind: u64,
    reference: u64,
    version: u64,
}

/// The objects of one kind: its group, version, name, plural and scope, and their values.
type OfKind = (String, String, String, String, bool, Vec<Value>);

#[expect(clippy::expect_used, reason = "the values of objects have texts as keys")]
impl From<BTreeMap<ObjectRef, Object>> for Packed {
    fn from(objects: BTreeMap<ObjectRef, Object>) -> Self {
        let hashed = |(reference, object): (&ObjectRef, &Object)| Hashed {
            kind: hash(&reference.kind),
            reference: hash(reference),
            version: hash(&version(object)),
        };
        let hashes = objects.iter().map(hashed).collect();
        let mut kinds: BTreeMap<Kind, Vec<Value>> = BTreeMap::new();
        for (reference, object) in objects {
            kinds.entry(reference.kind).or_default().push(object.into_value());
        }
        let kinds = kinds.into_iter().map(|(Kind { group, version, kind, plural, namespaced }, values)| {
            (group.into_owned(), version.into_owned(), kind.into_owned(), plural.into_owned(), namespaced, values)
        });
        let json = serde_json::to_vec(&kinds.collect::<Vec<OfKind>>()).expect("serializable");
        Packed { json: compress_prepend_size(&json).into(), hashes }
    }
}

#[expect(clippy::expect_used, reason = "the bytes were written here, and are never changed")]
impl Packed {
    /// The objects.
    pub(super) fn unpack(self) -> BTreeMap<ObjectRef, Object> {
        let json = decompress_size_prepended(&self.json).expect("compressed");
        let kinds: Vec<OfKind> = serde_json::from_slice(&json).expect("JSON");
        let mut objects = BTreeMap::new();
        for (group, version, kind, plural, namespaced, values) in kinds {
            let (group, version, name, plural) =
                (Cow::Owned(group), Cow::Owned(version), Cow::Owned(kind), Cow::Owned(plural));
            let kind = Kind { group, version, kind: name, plural, namespaced };
            for value in values {
                let object = Object::from_value(kind.clone(), value).expect("an object of this kind");
                objects.insert(object.reference(), object);
            }
        }
        objects
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
pub(super) struct Hashes(HashSet<u64>);

impl<'a> FromIterator<&'a ObjectRef> for Hashes {
    fn from_iter<I: IntoIterator<Item = &'a ObjectRef>>(references: I) -> Self {
        Hashes(references.into_iter().map(hash).collect())
    }
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pod(name: &str) -> Object {
        pod_at(name, "1")
    }

    fn pod_at(name: &str, version: &str) -> Object {
        let metadata = json!({"name": name, "namespace": "store-a", "uid": name, "resourceVersion": version});
        Object::from_value(Kind::of::<Pod>(), json!({ "metadata": metadata })).unwrap()
    }

    fn all(objects: impl IntoIterator<Item = Object>) -> BTreeMap<ObjectRef, Object> {
        objects.into_iter().map(|object| (object.reference(), object)).collect()
    }

    proptest! {
        #[test]
        fn objects_are_the_same_after(data in prop::collection::btree_map(".*", ".*", 0..8), number in any::<i64>()) {
            let value = json!({"metadata": {"name": "x", "namespace": "store-a", "generation": number}, "data": data});
            let map = Object::from_value(Kind::of::<ConfigMap>(), value).unwrap();
            let cluster = Object::from_value(Kind::of::<Namespace>(), json!({"metadata": {"name": "store-a"}})).unwrap();
            let objects = all([map, cluster, pod("a"), pod("b")]);
            prop_assert_eq!(Packed::from(objects.clone()).unpack(), objects);
        }
    }

    #[test]
    fn what_is_packed_is_known_without_unpacking() {
        let packed = Packed::from(all([pod("a"), pod("b")]));
        let references = ["a", "b", "c"].map(|name| pod(name).reference());
        assert_eq!(references.each_ref().map(|reference| packed.contains(reference)), [true, true, false]);
        let has = |pod: Object| packed.has(&pod.reference(), &pod);
        assert_eq!([has(pod("a")), has(pod_at("a", "2")), has(pod("c"))], [true, false, false]);
        let kind = Kind::of::<Pod>();
        assert!(!packed.has_others(&kind, &references.iter().collect()));
        assert!(packed.has_others(&kind, &references.iter().skip(1).collect()));
        assert!(!packed.has_others(&Kind::of::<ConfigMap>(), &Hashes::from_iter([])));
    }
}
