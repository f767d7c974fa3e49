//! Lists where options are objects: serde would read their entries as the object's fields, by position, past the policy.

use serde_json::{Map, Value};

use crate::error::FieldError;
use crate::store::Options;

/// Replaces each list that stands for an object in options with this schema; returns their paths.
pub(super) fn refuse_lists(schema: &Value, options: &mut Options) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    members("", schema, options, &mut wrong);
    wrong
}

fn members(path: &str, schema: &Value, options: &mut Options, wrong: &mut Vec<FieldError>) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let Some(option) = options.get_mut(name) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            value(&path, property, option, wrong);
        }
    }
}

fn value(path: &str, schema: &Value, option: &mut Value, wrong: &mut Vec<FieldError>) {
    // An optional object may be a choice between an object and null.
    let choices = ["anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    let object = std::iter::once(schema).chain(choices).find(|schema| schema.get("properties").is_some());
    match (object, option) {
        (Some(_), option @ Value::Array(_)) => {
            wrong.push(FieldError::new(path, "must be an object, not a list"));
            *option = Value::Object(Map::new());
        }
        (Some(object), Value::Object(options)) => members(path, object, options, wrong),
        (None, Value::Array(entries)) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, entry) in entries.iter_mut().enumerate() {
                value(&format!("{path}[{index}]"), schema, entry, wrong);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_not_an_object_at_any_depth() {
        let object = json!({"type": "object", "properties": {"size": {"type": "string"}, "names": {"type": "array"}}});
        let schema = json!({"properties": {
            "plain": object, "outer": {"properties": {"inner": object}}, "maybe": {"anyOf": [object, {"type": "null"}]},
            "many": {"type": "array", "items": object}, "names": {"type": "array", "items": {"type": "string"}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
        }});
        let given = json!({
            "plain": ["6Gi"], "outer": {"inner": []}, "maybe": ["6Gi"], "many": [{"size": "1Gi"}, ["2Gi"]],
            "names": ["a"], "map": [], "other": [],
        });
        let mut options = given.as_object().cloned().unwrap();
        let fields: Vec<String> = refuse_lists(&schema, &mut options).into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["many[1]", "maybe", "outer.inner", "plain"]);
        assert_eq!(Value::Object(options.clone())["maybe"], json!({}));
        assert_eq!(refuse_lists(&schema, &mut options), []);
    }
}
