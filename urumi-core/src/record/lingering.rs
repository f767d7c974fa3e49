//! Why a namespace that is being deleted is still there.

use serde_json::Value;

use super::TEARDOWN;
use crate::object::Object;

/// Why a namespace that is being deleted is still there, in Kubernetes' words; `None` where it says nothing, which is so
/// while all goes as usual.
pub(super) fn lingering(namespace: &Object) -> Option<String> {
    if !namespace.is_terminating() {
        return None;
    }
    // What went wrong comes before what is left because of it.
    const TOLD_BY: [&str; 5] = [
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
        "NamespaceDeletionContentFailure",
        "NamespaceFinalizersRemaining",
        "NamespaceContentRemaining",
    ];
    let text = |condition: &Value, key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let conditions = namespace.list_at("/status/conditions");
    let holds = |type_: &str| conditions.iter().find(|c| text(c, "type") == type_ && text(c, "status") == "True");
    if let Some(condition) = TOLD_BY.into_iter().find_map(holds) {
        return Some(format!("{} {}", text(condition, "reason"), text(condition, "message")));
    }
    let finalizers = namespace.list_at("/metadata/finalizers").iter().filter_map(Value::as_str);
    let others: Vec<&str> = finalizers.filter(|finalizer| *finalizer != TEARDOWN).collect();
    // Nobody but who has set it may take it away.
    (!others.is_empty()).then(|| format!("FinalizersRemain the namespace is kept by {}", others.join(", ")))
}
