//! Objects as compressed JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lz4_flex::block::{compress_prepend_size, decompress_size_prepended};

use super::object::{Kind, Object};

/// Several objects as compressed JSON. Together they take a third of the memory that they take one by one, because they repeat the
/// same keys, names and labels. Objects of one kind keep their order.
#[derive(Clone, Debug)]
pub(crate) struct Compressed {
    json: Box<[u8]>,
    len: usize,
}

/// An object as JSON, in one line, that [`Object::from_value`] accepts.
#[cfg(feature = "kube")]
#[derive(Debug)]
pub(crate) struct ObjectText {
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) json: Vec<u8>,
}

/// The line before the objects of one kind: its group, version, name, plural and scope, and how many there are.
type Header<'a> = (Cow<'a, str>, Cow<'a, str>, Cow<'a, str>, Cow<'a, str>, bool, usize);

impl From<Vec<Object>> for Compressed {
    fn from(objects: Vec<Object>) -> Self {
        let mut kinds: BTreeMap<Kind, Vec<Vec<u8>>> = BTreeMap::new();
        for object in objects {
            kinds.entry(object.kind().clone()).or_default().push(line(&object));
        }
        Compressed::of_lines(kinds)
    }
}

impl Compressed {
    /// Objects of one kind, ordered by namespace and name.
    #[cfg(feature = "kube")]
    pub(crate) fn ordered(kind: &Kind, mut objects: Vec<ObjectText>) -> Self {
        objects.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        let lines = objects.into_iter().map(|object| object.json).collect();
        Compressed::of_lines(BTreeMap::from([(kind.clone(), lines)]))
    }

    /// Each object is a line: nested in one text, it could be deeper than serde_json reads.
    #[expect(clippy::expect_used, reason = "texts and numbers are serializable")]
    fn of_lines(kinds: BTreeMap<Kind, Vec<Vec<u8>>>) -> Self {
        let (mut json, mut len) = (Vec::new(), 0);
        for (Kind { group, version, kind, plural, namespaced }, lines) in kinds {
            let header: Header<'_> = (group, version, kind, plural, namespaced, lines.len());
            serde_json::to_writer(&mut json, &header).expect("serializable");
            for line in &lines {
                json.push(b'\n');
                json.extend_from_slice(line);
            }
            json.push(b'\n');
            len += lines.len();
        }
        Compressed { json: compress_prepend_size(&json).into(), len }
    }
}

#[expect(clippy::expect_used, reason = "the values of objects have texts as keys")]
fn line(object: &Object) -> Vec<u8> {
    serde_json::to_vec(object).expect("serializable")
}

#[expect(clippy::expect_used, reason = "the bytes were written here, and are never changed")]
impl Compressed {
    /// The objects.
    pub(crate) fn into_objects(self) -> Vec<Object> {
        let json = decompress_size_prepended(&self.json).expect("compressed");
        let mut lines = json.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut objects = Vec::with_capacity(self.len);
        while let Some(line) = lines.next() {
            let header: Header<'static> = serde_json::from_slice(line).expect("a kind");
            let (group, version, kind, plural, namespaced, count) = header;
            let kind = Kind { group, version, kind, plural, namespaced };
            for line in lines.by_ref().take(count) {
                let value = serde_json::from_slice(line).expect("JSON");
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

    /// As deep as serde_json reads.
    #[test]
    fn deep_objects_are_read_again() {
        let mut value = json!({"metadata": {"name": "deep", "namespace": "store-a"}});
        let nested = format!("{}{}", "[".repeat(126), "]".repeat(126));
        value["data"] = serde_json::from_str(&nested).unwrap();
        let objects = vec![Object::from_value(Kind::of::<ConfigMap>(), value).unwrap()];
        assert_eq!(Compressed::from(objects.clone()).into_objects(), objects);
    }

    #[cfg(feature = "kube")]
    #[test]
    fn a_list_is_ordered_by_namespace_and_name() {
        let map = |(namespace, name): (&str, &str)| {
            let value = json!({"metadata": {"name": name, "namespace": namespace}});
            Object::from_value(Kind::of::<ConfigMap>(), value).unwrap()
        };
        let text = |(namespace, name): (&str, &str)| ObjectText {
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
            json: line(&map((namespace, name))),
        };
        let listed = [("store-a-b", "a"), ("store-a", "b"), ("store-a", "a")].map(text);
        let compressed = Compressed::ordered(&Kind::of::<ConfigMap>(), listed.into());
        assert_eq!(compressed.len(), 3);
        let expected = [("store-a", "a"), ("store-a", "b"), ("store-a-b", "a")].map(map);
        assert_eq!(compressed.into_objects(), expected);
    }

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
