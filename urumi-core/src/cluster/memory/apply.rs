//! Server-side apply by one field manager that forces.
//!
//! Fields of the applied object are set. Fields that an earlier apply has set and this one leaves out are removed, unless
//! somebody else owns them too. Everything else stays.
//!
//! Only fields that the apply owns alone can be removed, so this set ([`FieldSet`]) is all that is kept of `managedFields`.
//! A field is owned alone when an apply has added or changed it; it is no longer when another request changes it.

use serde_json::{Map, Value};

use super::fields::{FieldSet, is_atomic_map};
use crate::kubernetes::merge_keys::{merge_keys, same_item};

/// Applies an object to a live one. `owned` are the fields that earlier applies own alone; returns what this one does.
pub(super) fn apply(live: &mut Value, applied: &Value, owned: &FieldSet) -> FieldSet {
    let fields = FieldSet::of(applied);
    let owned_now = fields.clone().owned_alone(live, applied, owned);
    owned.remove_from(live, &fields);
    merge_at(live, applied, &mut Vec::new());
    owned_now
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
        apply(&mut live, &applied, &FieldSet::default());
        live
    }

    /// The object after one apply to `live`, a change by somebody else, and another apply.
    fn applied_twice(mut live: Value, first: Value, change: impl FnOnce(&mut Value), second: Value) -> Value {
        let mut owned = apply(&mut live, &first, &FieldSet::default());
        let before = live.clone();
        change(&mut live);
        owned.retain_unchanged(&before, &live);
        apply(&mut live, &second, &owned);
        live
    }

    fn container(fields: Value) -> Value {
        json!({"spec": {"containers": [fields]}})
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

    #[test]
    fn what_the_second_apply_leaves_out_is_removed() {
        let nothing = |_: &mut Value| {};
        let data = |data: Value| json!({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": data});
        let twice = |first, second| applied_twice(json!({}), first, nothing, second);
        assert_eq!(twice(data(json!({"a": "1", "b": "2"})), data(json!({"a": "1"}))), data(json!({"a": "1"})));
        let bare = json!({"kind": "ConfigMap", "metadata": {"name": "a"}});
        assert_eq!(twice(data(json!({"a": "1"})), bare.clone()), bare);
        let empty = data(json!({}));
        assert_eq!(twice(data(json!({"a": "1"})), empty.clone()), empty);
    }

    #[test]
    fn items_that_the_second_apply_leaves_out_are_removed() {
        let env = |names: &[&str]| {
            let env: Vec<Value> = names.iter().map(|name| json!({"name": name, "value": "1"})).collect();
            container(json!({"name": "app", "image": "i", "env": env}))
        };
        let bare = container(json!({"name": "app", "image": "i"}));
        let twice = |first, second| applied_twice(json!({}), first, |_| {}, second);
        assert_eq!(twice(env(&["A", "B"]), env(&["B"])), env(&["B"]));
        assert_eq!(twice(env(&["A"]), bare.clone()), bare);
    }

    #[test]
    fn an_item_with_fields_of_somebody_else_stays() {
        let first = container(json!({"name": "app", "image": "i"}));
        let sidecar = |live: &mut Value| live["spec"]["containers"][0]["tty"] = json!(true);
        let second = container(json!({"name": "other", "image": "i"}));
        let live = applied_twice(json!({}), first, sidecar, second);
        let left = json!([{"name": "app", "tty": true}, {"name": "other", "image": "i"}]);
        assert_eq!(live["spec"]["containers"], left);
    }

    #[test]
    fn what_somebody_else_created_or_changed_stays() {
        let data = |data: Value| json!({ "data": data });
        let nothing = |_: &mut Value| {};
        // Created by somebody else and applied with the same value: both own it.
        let shared = applied_twice(data(json!({"a": "1"})), data(json!({"a": "1"})), nothing, data(json!({})));
        assert_eq!(shared, data(json!({"a": "1"})));
        // The apply has changed it: it is its own.
        let taken = applied_twice(data(json!({"a": "1"})), data(json!({"a": "2"})), nothing, data(json!({})));
        assert_eq!(taken, data(json!({})));
        // Somebody else has changed it after the apply.
        let change = |live: &mut Value| live["data"]["a"] = json!("2");
        let changed = applied_twice(json!({}), data(json!({"a": "1"})), change, data(json!({})));
        assert_eq!(changed, data(json!({"a": "2"})));
    }

    #[test]
    fn a_map_that_was_applied_empty_stays_while_it_has_content() {
        let volume = |source: Value| json!({"spec": {"volumes": [source]}});
        let first = volume(json!({"name": "v", "emptyDir": {}}));
        let change = |live: &mut Value| live["spec"]["volumes"][0]["emptyDir"] = json!({"medium": "Memory"});
        let live = applied_twice(json!({}), first, change, volume(json!({"name": "v"})));
        assert_eq!(live, volume(json!({"name": "v", "emptyDir": {"medium": "Memory"}})));
    }
}
