//! Why a store that is being deleted is still there.

use serde_json::Value;

use super::TEARDOWN;
use crate::kubernetes::Object;

/// What Kubernetes says of a namespace that it cannot delete; the first that holds says most.
const TOLD: [&str; 5] = [
    "NamespaceFinalizersRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceContentRemaining",
];

/// What keeps a namespace that is being deleted: what Kubernetes says, or else somebody's finalizer on the namespace.
/// Such finalizers are never removed for others: who set them has something to do first.
pub(super) fn kept_by(namespace: &Object) -> Option<String> {
    if !namespace.is_terminating() {
        return None;
    }
    let text = |condition: &Value, key: &str| condition.get(key).and_then(Value::as_str).map(str::to_owned);
    let holds = |condition: &&Value, told: &str| {
        text(condition, "type").as_deref() == Some(told) && text(condition, "status").as_deref() == Some("True")
    };
    let conditions = namespace.list_at("/status/conditions");
    let told = TOLD.iter().find_map(|told| conditions.iter().find(|condition| holds(condition, told)));
    if let Some(told) = told {
        return Some(format!("{} {}", text(told, "reason")?, text(told, "message").unwrap_or_default()));
    }
    let finalizers = namespace.list_at("/metadata/finalizers").iter().filter_map(Value::as_str);
    let others: Vec<&str> = finalizers.filter(|finalizer| *finalizer != TEARDOWN).collect();
    (!others.is_empty()).then(|| format!("FinalizersRemain the namespace has the finalizers {}", others.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::namespace_kind;

    fn kept(mut namespace: Value) -> Option<String> {
        namespace["metadata"]["name"] = json!("store-a");
        kept_by(&Object::from_value(namespace_kind(), namespace).unwrap())
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
        let finalizers = json!([TEARDOWN, "example.com/mine"]);
        let namespace = json!({"metadata": {"deletionTimestamp": going, "finalizers": finalizers}});
        assert_eq!(
            kept(namespace).as_deref(),
            Some("FinalizersRemain the namespace has the finalizers example.com/mine")
        );
        assert_eq!(kept(json!({"metadata": {"finalizers": finalizers}})), None);
        assert_eq!(kept(json!({"metadata": {"deletionTimestamp": going}})), None);
    }
}
