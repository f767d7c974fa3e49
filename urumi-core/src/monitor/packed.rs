//! Objects of stores at rest, as compressed JSON.

use lz4_flex::block::{compress_prepend_size, decompress_size_prepended};

use crate::kubernetes::{Kind, Object};

/// An object as compressed JSON.
#[derive(Debug)]
pub(super) struct Packed(Box<[u8]>);

#[expect(clippy::expect_used, reason = "the values of objects have texts as keys")]
impl From<Object> for Packed {
    fn from(object: Object) -> Self {
        let json = serde_json::to_vec(object.as_value()).expect("serializable");
        Packed(compress_prepend_size(&json).into())
    }
}

#[expect(clippy::expect_used, reason = "the bytes were written here, and are never changed")]
impl Packed {
    /// The object, which is of this kind.
    pub(super) fn unpack(self, kind: &Kind) -> Object {
        let json = decompress_size_prepended(&self.0).expect("compressed");
        let value = serde_json::from_slice(&json).expect("JSON");
        Object::from_value(kind.clone(), value).expect("an object of this kind")
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn an_object_is_the_same_after(data in prop::collection::btree_map(".*", ".*", 0..8), number in any::<i64>()) {
            let value = json!({"metadata": {"name": "x", "generation": number}, "data": data});
            let object = Object::from_value(Kind::of::<ConfigMap>(), value).unwrap();
            prop_assert_eq!(Packed::from(object.clone()).unpack(object.kind()), object);
        }
    }
}
