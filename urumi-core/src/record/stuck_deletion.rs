//! The reason why the deletion of a namespace does not end.

use serde_json::Value;

use crate::kubernetes::Object;

/// Kubernetes' conditions of a namespace that it cannot delete, the most telling first.
const CONDITIONS: [&str; 5] = [
    "NamespaceFinalizersRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceContentRemaining",
];

/// The reason why a terminating namespace still exists: Kubernetes' own condition, or else the finalizers that others
/// have set. urumi never removes those: their owners have work to do first.
pub(super) fn stuck_reason(namespace: &Object, own_finalizer: &str) -> Option<String> {
    if !namespace.is_terminating() {
        return None;
    }
    let text = |condition: &Value, key: &str| condition.get(key).and_then(Value::as_str).map(str::to_owned);
    let holds = |condition: &&Value, told: &str| {
        text(condition, "type").as_deref() == Some(told) && text(condition, "status").as_deref() == Some("True")
    };
    let conditions = namespace.list_at("/status/conditions");
    let told = CONDITIONS.iter().find_map(|told| conditions.iter().find(|condition| holds(condition, told)));
    if let Some(told) = told {
        return Some(format!("{} {}", text(told, "reason")?, text(told, "message").unwrap_or_default()));
    }
    let finalizers = namespace.list_at("/metadata/finalizers").iter().filter_map(Value::as_str);
    let others: Vec<&str> = finalizers.filter(|finalizer| *finalizer != own_finalizer).collect();
    (!others.is_empty()).then(|| format!("FinalizersRemain the namespace has the finalizers {}", others.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::namespace_kind;

    fn kept(mut namespace: Value) -> Option<String> {
        namespace["metadata"]["name"] = json!("store-a");
        stuck_reason(&Object::from_value(namespace_kind(), namespace).unwrap(), crate::record::TEARDOWN)
    }

    #[test]
    fn a_namespace_that_is_going_says_what_keeps_it() {
        let conditions = json!([
            {"type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain", "message": "pods"},
            {"type": "NamespaceDeletionContentFailure", "status": "False", "reason": "ContentDeleted", "message": "all"},
            {"type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain", "message": "x/y"},
        ]);
        let going = "2026-01-01T00:00:00Z";
        let namespace = json!({"metadata": {"deletionTimestamp": going}, "status": {"conditions": conditions}});
        assert_eq!(kept(namespace).as_deref(), Some("SomeFinalizersRemain x/y"));
        let finalizers = json!([crate::record::TEARDOWN, "example.com/mine"]);
        let namespace = json!({"metadata": {"deletionTimestamp": going, "finalizers": finalizers}});
        assert_eq!(
            kept(namespace).as_deref(),
            Some("FinalizersRemain the namespace has the finalizers example.com/mine")
        );
        assert_eq!(kept(json!({"metadata": {"finalizers": finalizers}})), None);
        assert_eq!(kept(json!({"metadata": {"deletionTimestamp": going}})), None);
    }
}
