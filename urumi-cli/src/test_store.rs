//! Stores for unit tests.

use serde_json::{Value, json};
use urumi_core::Store;

/// A store made from JSON, so that a new field of `Store` does not change the tests. `fields` overrides the defaults.
pub(crate) fn test_store(id: &str, fields: Value) -> Store {
    let mut store = json!({
        "id": id, "name": "Shop", "engine": "medusa", "status": "ready", "namespace": format!("store-{id}"),
        "urls": {}, "createdAt": "1970-01-01T00:00:00Z", "conditions": [], "resourceVersion": "1",
    });
    for (name, value) in fields.as_object().unwrap() {
        store[name] = value.clone();
    }
    serde_json::from_value(store).unwrap()
}
