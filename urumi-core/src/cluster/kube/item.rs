//! What the server sends of one object: as an [`Object`], or as text. A list of thousands of items would otherwise become thousands
//! of trees, and text again.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::errors::Failure;
use crate::kubernetes::{FIELD_MANAGER, Kind, Object, ObjectText};

/// How deep an item may be nested: less than serde_json reads, so that its text can be read again.
const DEEPEST: usize = 120;

/// Numbers with fewer digits are never too large.
const LONG: usize = 100;

type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// An object as the server sent it. Of its `managedFields`, which are a third of its size, only other managers and their
/// times are kept. List items have no `apiVersion` and `kind`; both are added.
pub(super) fn object(kind: &Kind, mut value: Value) -> Result<Object, Failure> {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        let others = other_managers(metadata.remove("managedFields"));
        if !others.is_empty() {
            metadata.insert("managedFields".into(), others.into());
        }
    }
    Object::from_value(kind.clone(), value).map_err(Failure::unreadable)
}

/// The other managers in `managedFields`.
fn other_managers(managed_fields: Option<Value>) -> Vec<Value> {
    match managed_fields {
        Some(Value::Array(entries)) => entries.into_iter().filter_map(another_manager).collect(),
        _ => Vec::new(),
    }
}

/// The entry of another manager in `managedFields`, without the fields; `None` for controllers that write the status.
fn another_manager(mut entry: Value) -> Option<Value> {
    let map = entry.as_object_mut()?;
    let manager = map.get("manager").and_then(Value::as_str)?;
    let kept = manager != FIELD_MANAGER && !map.contains_key("subresource");
    map.retain(|key, _| key == "manager" || key == "time");
    kept.then_some(entry)
}

/// The text of an item: of the object that [`object`] makes of it.
pub(super) fn text(kind: &Kind, item: &RawValue) -> Result<ObjectText, Failure> {
    let mut fields = read::<Fields<'_>>(item)?;
    for (field, expected) in [("apiVersion", kind.api_version()), ("kind", kind.kind.to_string())] {
        let found = fields.remove(field).map(read::<Value>).transpose()?;
        if let Some(found) = found.as_ref().and_then(Value::as_str).filter(|found| *found != expected) {
            return Err(Failure::unreadable(format_args!("its {field} is {found:?}, expected {expected:?}")));
        }
    }
    let mut metadata = fields.remove("metadata").map(read::<Fields<'_>>).transpose()?.unwrap_or_default();
    let others = other_managers(metadata.remove("managedFields").map(read::<Value>).transpose()?);
    let named = |field: &str| metadata.get(field).and_then(|raw| read::<String>(raw).ok());
    let name = named("name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::unreadable(format_args!("not a {kind}: it has no metadata.name")))?;
    let namespace = named("namespace");
    let mut json = Vec::with_capacity(item.get().len());
    let mut object = Writer::begin(&mut json);
    object.value("apiVersion", &kind.api_version())?;
    object.value("kind", &kind.kind)?;
    object.key("metadata")?;
    let mut inner = Writer::begin(object.out);
    for (field, raw) in &metadata {
        inner.raw(field, raw)?;
    }
    if !others.is_empty() {
        inner.value("managedFields", &others)?;
    }
    inner.end();
    for (field, raw) in &fields {
        object.raw(field, raw)?;
    }
    object.end();
    Ok(ObjectText { namespace, name, json })
}

fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Failure> {
    serde_json::from_str(raw.get()).map_err(|e| unreadable(&e))
}

/// Parses an answer as JSON.
pub(super) fn json(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|e| unreadable(&e))
}

/// Reports where the JSON is invalid, without quoting it.
pub(super) fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::unreadable(format_args!("wrong JSON at line {}, column {}", error.line(), error.column()))
}

/// Writes a JSON object.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> Writer<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Writer { out, is_first: true }
    }

    fn key(&mut self, key: &str) -> Result<(), Failure> {
        if !std::mem::replace(&mut self.is_first, false) {
            self.out.push(b',');
        }
        serde_json::to_writer(&mut *self.out, key).map_err(Failure::unreadable)?;
        self.out.push(b':');
        Ok(())
    }

    fn value(&mut self, key: &str, value: &impl serde::Serialize) -> Result<(), Failure> {
        self.key(key)?;
        serde_json::to_writer(&mut *self.out, value).map_err(Failure::unreadable)
    }

    /// Takes a text over, in one line. White space between values is the only place where JSON has line breaks.
    fn raw(&mut self, key: &str, raw: &RawValue) -> Result<(), Failure> {
        self.key(key)?;
        let (mut depth, mut digits, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
        // Half of a surrogate pair, or a number that is too large, is noticed only when a value is made of it.
        let mut may_have_no_value = false;
        for byte in raw.get().bytes() {
            match byte {
                _ if escaped => {
                    escaped = false;
                    may_have_no_value |= byte == b'u';
                }
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
                b'e' | b'E' if !in_string => may_have_no_value |= digits > 0,
                _ => {}
            }
            if depth > DEEPEST {
                return Err(Failure::unreadable("an object is nested too deeply"));
            }
            digits = if byte.is_ascii_digit() && !in_string { digits + 1 } else { 0 };
            may_have_no_value |= digits >= LONG;
            self.out.push(if byte == b'\n' || byte == b'\r' { b' ' } else { byte });
        }
        if may_have_no_value {
            read::<Value>(raw)?;
        }
        Ok(())
    }

    fn end(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The text of an item, read again; or why it is none.
    fn read_again(item: &str) -> Result<Object, String> {
        let raw: &RawValue = serde_json::from_str(item).unwrap();
        let text = text(&Kind::of::<Pod>(), raw).map_err(|failure| failure.message)?;
        assert!(!text.json.contains(&b'\n'), "it is one line");
        let object = Object::from_value(Kind::of::<Pod>(), serde_json::from_slice(&text.json).unwrap()).unwrap();
        assert_eq!((object.namespace(), object.name()), (text.namespace.as_deref(), text.name.as_str()));
        Ok(object)
    }

    #[test]
    fn an_item_keeps_other_managers_and_gets_its_kind() {
        let fields = json!({"manager": "urumi", "fieldsV1": {}});
        let other = json!({"manager": "kubectl", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:a": {}}});
        let metadata =
            json!({"name": "a\"b", "namespace": "x", "managedFields": [fields, other], "labels": {"a": "b"}});
        let item = serde_json::to_string_pretty(&json!({"metadata": metadata, "spec": {"a": ["\n", "}\\"]}})).unwrap();
        let object = read_again(&item).unwrap();
        assert_eq!(object.as_value()["kind"], "Pod");
        assert_eq!(
            object.as_value()["metadata"]["managedFields"],
            json!([{"manager": "kubectl", "time": "2026-01-01T00:00:00Z"}])
        );
    }

    #[test]
    fn what_is_no_object_of_the_kind_is_refused() {
        let deep = format!(r#"{{"metadata": {{"name": "a"}}, "spec": {}{}}}"#, "[".repeat(121), "]".repeat(121));
        let large = format!(r#"{{"metadata": {{"name": "a"}}, "spec": {}}}"#, "9".repeat(400));
        for (item, why) in [
            (r#"{"kind": "Service", "metadata": {"name": "a"}}"#, "its kind is"),
            (r#"{"metadata": {"name": ""}}"#, "no metadata.name"),
            (r#"{"metadata": {}}"#, "no metadata.name"),
            ("{}", "no metadata.name"),
            ("[]", "wrong JSON"),
            (r#"{"metadata": []}"#, "wrong JSON"),
            (r#"{"metadata": {"name": "a"}, "spec": "\ud800"}"#, "wrong JSON"),
            (r#"{"metadata": {"name": "a"}, "spec": [1e999]}"#, "wrong JSON"),
            (large.as_str(), "wrong JSON"),
            (deep.as_str(), "nested too deeply"),
        ] {
            let refused = read_again(item).unwrap_err();
            assert!(refused.contains(why), "{item}: {refused}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::btree_map(".{0,3}", inner.clone(), 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
            ]
        })
    }

    proptest! {
        /// The text is that of the object which the item would become.
        #[test]
        fn a_text_is_the_object_without_making_it(
            spec in any_value(), label in ".*", manager in "urumi|kubectl", pretty: bool,
        ) {
            let managed = json!([{"manager": manager, "fieldsV1": spec}]);
            let metadata = json!({"name": "a", "namespace": "b", "labels": {"l": label}, "managedFields": managed});
            let item = json!({"metadata": metadata, "spec": spec, "status": {"s": label}});
            let text = if pretty { serde_json::to_string_pretty(&item) } else { serde_json::to_string(&item) };
            let expected = object(&Kind::of::<Pod>(), item).unwrap();
            prop_assert_eq!(read_again(&text.unwrap()), Ok(expected));
        }
    }
}
