//! Objects as compressed JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lz4_flex::block::{compress_prepend_size, decompress_size_prepended};
use serde_json::Value;

use super::object::{Kind, Object};

/// Several objects as compressed JSON. Together they take a third of the memory that they take one by one, because they repeat the
/// same keys, names and labels. Objects of one kind keep their order.
#[derive(Clone, Debug)]
pub(crate) struct Compressed {
    json: Box<[u8]>,
    len: usize,
}

/// The objects of one kind: its group, version, name, plural and scope, and their values.
type OfKind = (String, String, String, String, bool, Vec<Value>);

#[expect(clippy::expect_used, reason = "the values of objects have texts as keys")]
impl From<Vec<Object>> for Compressed {
    fn from(objects: Vec<Object>) -> Self {
        let len = objects.len();
        let mut kinds: BTreeMap<Kind, Vec<Value>> = BTreeMap::new();
        for object in objects {
            kinds.entry(object.kind().clone()).or_default().push(object.into_value());
        }
        let kinds = kinds.into_iter().map(|(Kind { group, version, kind, plural, namespaced }, values)| {
            (group.into_owned(), version.into_owned(), kind.into_owned(), plural.into_owned(), namespaced, values)
        });
        let json = serde_json::to_vec(&kinds.collect::<Vec<OfKind>>()).expect("serializable");
        Compressed { json: compress_prepend_size(&json).into(), len }
    }
}

#[expect(clippy::expect_used, reason = "the bytes were written here, and are never changed")]
impl Compressed {
    /// The objects.
    pub(crate) fn into_objects(self) -> Vec<Object> {
        let json = decompress_size_prepended(&self.json).expect("compressed");
        let kinds: Vec<OfKind> = serde_json::from_slice(&json).expect("JSON");
        let mut objects = Vec::with_capacity(self.len);
        for (group, version, kind, plural, namespaced, values) in kinds {
            let (group, version, name, plural) =
                (Cow::Owned(group), Cow::Owned(version), Cow::Owned(kind), Cow::Owned(plural));
            let kind = Kind { group, version, kind: name, plural, namespaced };
            for value in values {
                objects.push(Object::from_value(kind.clone(), value).expect("an object of this kind"));
            }
        }
        objects
    }

    /// The number of objects.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn objects_are_the_same_after(data in prop::collection::btree_map(".*", ".*", 0..8), number in any::<i64>()) {
            let map = |name: &str| {
                let value = json!({"metadata": {"name": name, "namespace": "store-a", "generation": number}, "data": data});
                Object::from_value(Kind::of::<ConfigMap>(), value).unwrap()
            };
            let cluster = Object::from_value(Kind::of::<Namespace>(), json!({"metadata": {"name": "store-a"}})).unwrap();
            let objects = vec![map("b"), map("a"), cluster];
            prop_assert_eq!(Compressed::from(objects.clone()).into_objects(), objects);
        }
    }
}
