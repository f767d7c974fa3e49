//! Server-side apply, as far as one field manager that forces can see it.
//!
//! What the applied object says is set, what it does not say stays. Not modelled: a real API server also removes a
//! field that an earlier apply of the same manager had set, if the new one leaves it out.

use serde_json::{Map, Value};

use crate::kubernetes::merge_keys::{is_atomic_map, merge_keys, same_item};

/// Merges what is applied into a live object.
pub(super) fn merge(live: &mut Value, applied: &Value) {
    merge_at(live, applied, &mut Vec::new());
}

fn merge_at<'a>(live: &mut Value, applied: &'a Value, path: &mut Vec<&'a str>) {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) if !is_atomic_map(path) => merge_map(live, applied, path),
        (Value::Array(live), Value::Array(applied)) if merge_keys(path).is_some() => {
            let keys = merge_keys(path).unwrap_or_default();
            for item in applied {
                match live.iter_mut().find(|other| same_item(keys, other, item)) {
                    Some(other) => merge_at(other, item, path),
                    None => live.push(item.clone()),
                }
            }
        }
        (live, applied) => *live = applied.clone(),
    }
}

fn merge_map<'a>(live: &mut Map<String, Value>, applied: &'a Map<String, Value>, path: &mut Vec<&'a str>) {
    for (key, value) in applied {
        if value.is_null() {
            continue;
        }
        path.push(key);
        match live.get_mut(key) {
            Some(there) => merge_at(there, value, path),
            None => {
                live.insert(key.clone(), value.clone());
            }
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(mut live: Value, applied: Value) -> Value {
        merge(&mut live, &applied);
        live
    }

    #[test]
    fn foreign_fields_stay_and_ours_are_set() {
        assert_eq!(
            merged(json!({"data": {"a": "1", "b": "2"}}), json!({"data": {"a": "3", "c": "4"}})),
            json!({"data": {"a": "3", "b": "2", "c": "4"}})
        );
    }

    #[test]
    fn containers_are_merged_by_name_and_their_commands_taken_whole() {
        let live = json!({"spec": {"containers": [
            {"name": "sidecar", "image": "x"},
            {"name": "app", "image": "old", "args": ["a", "b"], "env": [{"name": "A", "value": "1"}]},
        ]}});
        let applied = json!({"spec": {"containers": [
            {"name": "app", "image": "new", "args": ["c"], "env": [{"name": "B", "value": "2"}]},
        ]}});
        assert_eq!(
            merged(live, applied),
            json!({"spec": {"containers": [
                {"name": "sidecar", "image": "x"},
                {"name": "app", "image": "new", "args": ["c"],
                 "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            ]}})
        );
    }

    #[test]
    fn selectors_are_taken_whole() {
        assert_eq!(
            merged(
                json!({"spec": {"podSelector": {"matchLabels": {"a": "1"}}}}),
                json!({"spec": {"podSelector": {"matchLabels": {"b": "2"}}}})
            ),
            json!({"spec": {"podSelector": {"matchLabels": {"b": "2"}}}})
        );
    }
}
