//! Who has set which fields, as `metadata.managedFields` says.
//!
//! The API server tells what a manager has created or updated from what it has applied: an apply that leaves out a field removes
//! it only if an earlier apply has set it, and nobody else. Clients that go over to applying move their entries, as `kubectl` does.

use serde_json::{Map, Value};

use crate::kubernetes::FIELD_MANAGER;

/// The `managedFields` in which everything that we have created or updated counts as applied, without the fields at `released`;
/// `None` if that is so already.
pub(super) fn as_applied(managed_fields: &[Value], released: &[&str]) -> Option<Vec<Value>> {
    let (ours, mut others): (Vec<Value>, Vec<Value>) = managed_fields.iter().cloned().partition(is_ours);
    // The entry of an apply, if there is one, else that of the creation.
    let kept = ours.iter().find(|entry| operation(entry) == Some("Apply")).or(ours.first())?;
    let mut entry = kept.clone();
    let mut fields = Map::new();
    for fields_of in ours.iter().filter_map(|entry| entry.get("fieldsV1")?.as_object()) {
        unite(&mut fields, fields_of);
    }
    for pointer in released {
        remove(&mut fields, &pointer.split('/').skip(1).collect::<Vec<_>>());
    }
    let map = entry.as_object_mut()?;
    map.insert("operation".into(), "Apply".into());
    map.insert("fieldsV1".into(), fields.into());
    if ours == [entry.clone()] {
        return None;
    }
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

/// Removes a field from a set, and those around it in which nothing is left.
fn remove(fields: &mut Map<String, Value>, path: &[&str]) {
    let Some((name, rest)) = path.split_first() else { return };
    let field = format!("f:{name}");
    let is_gone = match fields.get_mut(&field) {
        Some(Value::Object(within)) if !rest.is_empty() => {
            remove(within, rest);
            within.is_empty()
        }
        _ => rest.is_empty(),
    };
    if is_gone {
        fields.remove(&field);
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
        let applied = as_applied(&[created.clone(), theirs.clone()], &[]).unwrap();
        assert_eq!(applied, [theirs.clone(), entry("urumi", "Apply", json!({"f:data": {".": {}, "f:a": {}}}))]);
        assert_eq!(as_applied(&applied, &[]), None);
        assert_eq!(as_applied(&[theirs], &[]), None);
    }

    #[test]
    fn both_of_our_entries_become_one() {
        let created = entry("urumi", "Update", json!({"f:data": {"f:a": {}}, "f:spec": {"f:x": {}}}));
        let applied = entry("urumi", "Apply", json!({"f:data": {"f:a": {}, "f:c": {}}}));
        let fields = json!({"f:data": {"f:a": {}, "f:c": {}}, "f:spec": {"f:x": {}}});
        assert_eq!(as_applied(&[created, applied], &[]), Some(vec![entry("urumi", "Apply", fields)]));
    }

    #[test]
    fn what_is_released_is_not_ours_any_more() {
        let released = ["/spec/replicas", "/data/a", "/spec/missing", "/missing/a"];
        let fields = json!({"f:spec": {"f:replicas": {}, "f:paused": {}}, "f:data": {"f:a": {}}});
        for operation in ["Update", "Apply"] {
            let kept = vec![entry("urumi", "Apply", json!({"f:spec": {"f:paused": {}}}))];
            assert_eq!(as_applied(&[entry("urumi", operation, fields.clone())], &released), Some(kept.clone()));
            assert_eq!(as_applied(&kept, &released), None);
        }
        let scaled = entry("kube-controller-manager", "Update", json!({"f:spec": {"f:replicas": {}}}));
        assert_eq!(as_applied(&[scaled], &released), None);
    }

    #[test]
    fn what_a_controller_writes_under_our_name_to_the_status_is_another_entry() {
        let mut status = entry("urumi", "Update", json!({"f:status": {}}));
        status["subresource"] = json!("status");
        assert_eq!(as_applied(&[status], &[]), None);
    }
}
