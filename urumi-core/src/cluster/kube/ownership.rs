//! Who has set which fields, as `metadata.managedFields` says.
//!
//! The API server tells what a manager has created or updated from what it has applied: an apply that leaves out a field removes
//! it only if an earlier apply has set it, and nobody else. Clients that go over to applying move their entries, as `kubectl` does.

use serde_json::{Map, Value};

use crate::kubernetes::FIELD_MANAGER;

/// The `managedFields` in which everything that we have created or updated counts as applied; `None` if that is so already.
pub(super) fn as_applied(managed_fields: &[Value]) -> Option<Vec<Value>> {
    let (ours, mut others): (Vec<Value>, Vec<Value>) = managed_fields.iter().cloned().partition(is_ours);
    if !ours.iter().any(|entry| operation(entry) == Some("Update")) {
        return None;
    }
    // The entry of an apply, if there is one, else that of the creation.
    let kept = ours.iter().find(|entry| operation(entry) == Some("Apply")).or(ours.first())?;
    let mut entry = kept.clone();
    let mut fields = Map::new();
    for fields_of in ours.iter().filter_map(|entry| entry.get("fieldsV1")?.as_object()) {
        unite(&mut fields, fields_of);
    }
    let map = entry.as_object_mut()?;
    map.insert("operation".into(), "Apply".into());
    map.insert("fieldsV1".into(), fields.into());
    others.push(entry);
    Some(others)
}

fn operation(entry: &Value) -> Option<&str> {
    entry.get("operation")?.as_str()
}

fn is_ours(entry: &Value) -> bool {
    entry.get("manager").and_then(Value::as_str) == Some(FIELD_MANAGER) && entry.get("subresource").is_none()
}

/// Adds a set of fields to another: each field is a map of the fields in it.
fn unite(fields: &mut Map<String, Value>, others: &Map<String, Value>) {
    for (field, within) in others {
        match (fields.get_mut(field), within) {
            (Some(Value::Object(there)), Value::Object(within)) => unite(there, within),
            (Some(_), _) => {}
            (None, _) => {
                fields.insert(field.clone(), within.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn what_we_created_counts_as_applied() {
        let created = entry("urumi", "Update", json!({"f:data": {".": {}, "f:a": {}}}));
        let theirs = entry("kubectl", "Update", json!({"f:data": {"f:b": {}}}));
        let applied = as_applied(&[created.clone(), theirs.clone()]).unwrap();
        assert_eq!(applied, [theirs.clone(), entry("urumi", "Apply", json!({"f:data": {".": {}, "f:a": {}}}))]);
        assert_eq!(as_applied(&applied), None);
        assert_eq!(as_applied(&[theirs]), None);
    }

    #[test]
    fn both_of_our_entries_become_one() {
        let created = entry("urumi", "Update", json!({"f:data": {"f:a": {}}, "f:spec": {"f:x": {}}}));
        let applied = entry("urumi", "Apply", json!({"f:data": {"f:a": {}, "f:c": {}}}));
        let fields = json!({"f:data": {"f:a": {}, "f:c": {}}, "f:spec": {"f:x": {}}});
        assert_eq!(as_applied(&[created, applied]), Some(vec![entry("urumi", "Apply", fields)]));
    }

    #[test]
    fn what_a_controller_writes_under_our_name_to_the_status_is_another_entry() {
        let mut status = entry("urumi", "Update", json!({"f:status": {}}));
        status["subresource"] = json!("status");
        assert_eq!(as_applied(&[status]), None);
    }
}
