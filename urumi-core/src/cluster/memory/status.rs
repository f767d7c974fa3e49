//! Conditions in statuses, with the transition times that the real controllers set.

use serde_json::{Value, json};

/// The present content of a condition.
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    pub(super) holds: bool,
    pub(super) reason: Option<&'a str>,
    pub(super) message: Option<String>,
}

impl Condition<'_> {
    /// The condition as JSON. It keeps the transition time from `earlier` if its status has not changed.
    pub(super) fn render(&self, earlier: &[Value], now: &str) -> Value {
        let status = if self.holds { "True" } else { "False" };
        let since = earlier
            .iter()
            .find(|c| c.get("type").and_then(Value::as_str) == Some(self.kind))
            .filter(|c| c.get("status").and_then(Value::as_str) == Some(status))
            .and_then(|c| c.get("lastTransitionTime")?.as_str());
        let mut rendered = json!({"type": self.kind, "status": status, "lastTransitionTime": since.unwrap_or(now)});
        if let Some(map) = rendered.as_object_mut() {
            if let Some(reason) = self.reason {
                map.insert("reason".into(), reason.into());
            }
            if let Some(message) = &self.message {
                map.insert("message".into(), message.clone().into());
            }
        }
        rendered
    }
}
