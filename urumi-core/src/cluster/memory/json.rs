//! A helper for JSON values.

use serde_json::{Map, Value};

/// Sets the value at a path of keys; creates the objects on the way.
pub(super) fn set(value: &mut Value, path: &[&str], new: Value) {
    let mut place = value;
    for key in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Some(map) = place.as_object_mut() else { return };
        place = map.entry(*key).or_insert(Value::Null);
    }
    *place = new;
}
