//! Sets of an object's fields, as server-side apply tracks them for each field manager.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kubernetes::merge_keys::{is_selector, merge_keys};

/// A step from a value to one that it contains.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Field(String),
    /// An item of a list that is merged by key: the values of its keys, as JSON.
    Item(Vec<String>),
}

impl Step {
    fn to_item(keys: &[&str], item: &Value) -> Self {
        let text = |key: &&str| match item.get(*key) {
            Some(value) => value.to_string(),
            // A port without a protocol is a TCP port.
            None if *key == "protocol" => Value::from("TCP").to_string(),
            None => String::new(),
        };
        Step::Item(keys.iter().map(text).collect())
    }
}

type Path = Vec<Step>;

/// A set of fields: scalars, and the maps and lists that the API server treats as one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldSet(BTreeSet<Path>);

impl FieldSet {
    /// The fields that an object sets, without its identity.
    pub(super) fn of(object: &Value) -> Self {
        let mut fields = FieldSet::default();
        fields.collect(object, &mut Vec::new(), &mut Vec::new());
        let field = |name: &str| Step::Field(name.to_owned());
        for name in ["apiVersion", "kind"] {
            fields.0.remove([field(name)].as_slice());
        }
        for name in ["name", "namespace"] {
            fields.0.remove([field("metadata"), field(name)].as_slice());
        }
        fields
    }

    fn collect<'a>(&mut self, value: &'a Value, path: &mut Path, keys: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) if !map.is_empty() && !is_atomic_map(keys) => {
                for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                    path.push(Step::Field(key.clone()));
                    keys.push(key);
                    self.collect(value, path, keys);
                    keys.pop();
                    path.pop();
                }
            }
            Value::Array(items) if !items.is_empty() && merge_keys(keys).is_some() => {
                let item_keys = merge_keys(keys).unwrap_or_default();
                for item in items {
                    path.push(Step::to_item(item_keys, item));
                    self.collect(item, path, keys);
                    path.pop();
                }
            }
            _ => {
                self.0.insert(path.clone());
            }
        }
    }

    pub(super) fn extend(&mut self, other: FieldSet) {
        self.0.extend(other.0);
    }

    /// Removes the field at a JSON pointer of names.
    pub(super) fn remove(&mut self, pointer: &str) {
        let path: Path = pointer.split('/').skip(1).map(|name| Step::Field(name.to_owned())).collect();
        self.0.remove(&path);
    }

    /// Keeps the fields that have the same value in both objects.
    pub(super) fn retain_unchanged(&mut self, one: &Value, other: &Value) {
        self.0.retain(|path| get(one, path) == get(other, path));
    }

    /// The fields of `self` that an apply of them owns alone: it changes them, or owned them alone before.
    pub(super) fn owned_alone(mut self, live: &Value, applied: &Value, before: &FieldSet) -> FieldSet {
        self.0.retain(|path| before.0.contains(path) || get(live, path) != get(applied, path));
        self
    }

    /// Removes the fields of `self` that are not in `kept` from an object, with the maps and lists that become empty.
    pub(super) fn remove_from(&self, object: &mut Value, kept: &FieldSet) {
        let removed = || self.0.difference(&kept.0);
        // The keys of list items last: the other fields of an item are found by them.
        for path in removed().filter(|path| !is_item_key(path)).chain(removed().filter(|path| is_item_key(path))) {
            remove(object, path, &mut Vec::new());
        }
    }
}

/// Whether a map is replaced as one value: references and selectors mean something else with one key more.
pub(super) fn is_atomic_map(keys: &[&str]) -> bool {
    let reference = matches!(
        keys,
        [.., "secretKeyRef" | "configMapKeyRef" | "fieldRef" | "resourceFieldRef" | "fileKeyRef"]
            | [.., "spec", "dataSource" | "dataSourceRef"]
            | [.., "roleRef" | "claimRef" | "involvedObject"]
    );
    reference || is_selector(keys)
}

/// The keys of the items of a list that is merged by key.
fn keys_at(keys: &[&str]) -> &'static [&'static str] {
    merge_keys(keys).unwrap_or_default()
}

fn field_names(path: &[Step]) -> Vec<&str> {
    path.iter()
        .filter_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Item(_) => None,
        })
        .collect()
}

/// Whether a path leads to a key of a list item.
fn is_item_key(path: &[Step]) -> bool {
    match path {
        [list @ .., Step::Item(_), Step::Field(name)] => keys_at(&field_names(list)).contains(&name.as_str()),
        _ => false,
    }
}

fn get<'a>(value: &'a Value, path: &[Step]) -> Option<&'a Value> {
    let mut value = value;
    for (at, step) in path.iter().enumerate() {
        value = match step {
            Step::Field(name) => value.get(name)?,
            Step::Item(_) => {
                let keys = keys_at(&field_names(path.get(..at)?));
                value.as_array()?.iter().find(|item| Step::to_item(keys, item) == *step)?
            }
        };
    }
    Some(value)
}

/// Removes what a path leads to. Returns whether nothing is left of `value`.
fn remove<'a>(value: &mut Value, path: &'a [Step], keys: &mut Vec<&'a str>) -> bool {
    match (path, value) {
        // A map or list that was applied empty and has got content since stays.
        ([], Value::Object(map)) if !is_atomic_map(keys) => map.is_empty(),
        ([], Value::Array(items)) if merge_keys(keys).is_some() => items.is_empty(),
        ([], _) => true,
        ([Step::Field(name), rest @ ..], Value::Object(map)) => {
            keys.push(name);
            let gone = map.get_mut(name).is_some_and(|child| remove(child, rest, keys));
            keys.pop();
            if gone {
                map.remove(name);
            }
            gone && map.is_empty()
        }
        ([step @ Step::Item(_), rest @ ..], Value::Array(items)) => {
            let item_keys = keys_at(keys);
            let Some(at) = items.iter().position(|item| Step::to_item(item_keys, item) == *step) else { return false };
            let gone = items.get_mut(at).is_some_and(|item| match rest {
                // The keys go with the item, which stays while it has other fields.
                [Step::Field(name)] if item_keys.contains(&name.as_str()) => has_only(item, item_keys),
                rest => remove(item, rest, keys),
            });
            if gone {
                items.remove(at);
            }
            gone && items.is_empty()
        }
        _ => false,
    }
}

fn has_only(item: &Value, keys: &[&str]) -> bool {
    item.as_object().is_some_and(|map| map.keys().all(|key| keys.contains(&key.as_str())))
}
