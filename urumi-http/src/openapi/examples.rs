//! Examples of requests and answers.

use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;

const EVENTS: &str = "\
id: 5d2c0b1e7f8a4c7f9d1e2a3b4c5d6e7f-12
event: listed
data: []

id: 5d2c0b1e7f8a4c7f9d1e2a3b4c5d6e7f-13
event: gone
data: {\"id\":\"my-shop\"}

";

const LOG: &str = "\
[api medusa-api-6c9f7d5b8-x2x7q] Server is ready on port: 9000
[postgres postgres-0] database system is ready to accept connections
";

/// Adds the examples of an operation: of its request, and of its answers that are no errors.
pub(super) fn add(operation: &mut Operation) {
    let Some(id) = operation.operation_id.clone() else { return };
    let id = id.as_str();
    let request = request(id);
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content {
                content.example = request.clone();
            }
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with('2')
            && let Some(RefOr::T(content)) = response.content.values_mut().next()
        {
            // Only a dry run of a change is answered with 200.
            let dry_run = matches!(id, "updateStore" | "rollBackStore") && status == "200";
            content.example = answer(if dry_run { "previewUpdate" } else { id });
        }
    }
}

fn request(operation: &str) -> Option<Value> {
    if operation == "updateStore" {
        return Some(
            json!({"name": "My Shop", "options": {"storefront": {"replicas": 2}}, "reason": "the sale begins"}),
        );
    }
    matches!(operation, "createStore" | "previewStore").then(|| {
        json!({
            "name": "My Shop",
            "engine": "medusa",
            "id": "my-shop",
            "owner": "team:web",
            "labels": {"team": "web"},
            "options": {"api": {"replicas": 2}},
        })
    })
}

fn answer(operation: &str) -> Option<Value> {
    Some(match operation {
        "listStores" => json!([store("ready")]),
        "getStore" | "restartStore" | "updateStore" | "rollBackStore" => store("ready"),
        "listStoreRevisions" => json!([
            {"number": 1, "at": "2026-11-28T09:30:00Z", "current": false, "name": "My Shop", "requested": {}, "renderer": 1, "changes": []},
            {
                "number": 2,
                "at": "2026-11-29T08:00:00Z",
                "by": "alice",
                "reason": "the sale begins",
                "current": true,
                "name": "My Shop",
                "requested": {"storefront": {"replicas": 2}},
                "renderer": 1,
                "changes": [{"option": "storefront.replicas", "from": 1, "to": 2}],
            },
        ]),
        "createStore" | "retryStore" => store("provisioning"),
        "deleteStore" => store("deleting"),
        "previewStore" => json!({
            "id": "my-shop",
            "name": "My Shop",
            "engine": "medusa",
            "namespace": "store-my-shop",
            "urls": urls(),
            "options": {"api": {"replicas": 2}, "domain": "stores.example.com"},
            "objects": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "store-my-shop"}}],
        }),
        "previewUpdate" => json!({
            "revision": 2,
            "name": "My Shop",
            "options": [{"option": "storefront.replicas", "from": 1, "to": 2}],
            "restarts": [],
            "objects": [{
                "action": "repair",
                "object": "Deployment store-my-shop/medusa-storefront",
                "fields": [{"path": "spec.replicas", "desired": 2, "actual": 1}],
            }],
        }),
        "getStoreEvents" => json!([{
            "time": "2026-11-28T09:30:42Z",
            "source": "urumi",
            "type": "Normal",
            "reason": "Ready",
            "message": "provisioning -> ready",
            "count": 1,
        }]),
        "getStoreManifests" => {
            json!([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "store-my-shop"}}])
        }
        "getStoreOptions" => json!({
            "requested": {"api": {"replicas": 2, "secretEnv": {"STRIPE_API_KEY": "REDACTED"}}},
            "effective": {
                "api": {"replicas": 2, "secretEnv": {"STRIPE_API_KEY": "REDACTED"}},
                "domain": "stores.example.com",
            },
        }),
        "getStoreDiff" => json!([{
            "action": "repair",
            "object": "Deployment store-my-shop/medusa-api",
            "fields": [{"path": "spec.replicas", "desired": 2, "actual": 1}],
        }]),
        "getStoreCredentials" => json!({
            "address": "https://api-my-shop.stores.example.com/app",
            "username": "admin@store-my-shop.stores.example.com",
        }),
        "getStoreLogs" => LOG.into(),
        "smokeStore" => json!({
            "steps": [
                {"name": "find a product", "milliseconds": 180},
                {"name": "add to cart", "milliseconds": 95},
                {"name": "complete the cart", "milliseconds": 410},
            ],
            "order": "order_01J",
        }),
        "watchStores" => EVENTS.into(),
        "listEngines" => json!([engine()]),
        "getEngine" => engine(),
        "whoAmI" => json!({"subject": "alice", "teams": ["web"], "role": "operator", "how": "oidc"}),
        "authentication" => json!({"methods": ["static-token"]}),
        "getHealth" => "ok\n".into(),
        "getVersion" => json!({"version": env!("CARGO_PKG_VERSION"), "cluster": "kubernetes", "notices": []}),
        "getReadiness" => json!({"ready": true, "problems": [], "warnings": []}),
        _ => return None,
    })
}

fn engine() -> Value {
    json!({
        "name": "medusa",
        "description": "Medusa with a storefront and PostgreSQL",
        "options": {
            "type": "object",
            "properties": {
                "api": {
                    "type": "object",
                    "properties": {"replicas": {"type": "integer", "minimum": 1, "maximum": 20, "default": 1}},
                },
            },
        },
    })
}

fn urls() -> Value {
    json!({
        "storefront": "https://store-my-shop.stores.example.com",
        "api": "https://api-my-shop.stores.example.com",
    })
}

fn store(status: &str) -> Value {
    let ready = status == "ready";
    let mut store = json!({
        "id": "my-shop",
        "name": "My Shop",
        "engine": "medusa",
        "status": status,
        "namespace": "store-my-shop",
        "urls": urls(),
        "createdAt": "2026-11-28T09:30:00Z",
        "owner": "team:web",
        "labels": {"team": "web"},
        "conditions": [],
        "revision": 1,
        "observedRevision": 1,
        "resourceVersion": "4711",
    });
    if ready && let Some(store) = store.as_object_mut() {
        store.insert("readyAt".to_owned(), json!("2026-11-28T09:30:42Z"));
        let condition = json!({
            "type": "Ready",
            "status": "True",
            "reason": "Available",
            "lastTransitionTime": "2026-11-28T09:30:42Z",
        });
        store.insert("conditions".to_owned(), json!([condition]));
    }
    store
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use urumi_core::engine::EngineInfo;
    use urumi_core::store::StoreOptions;
    use urumi_core::store::preview::{Difference, Preview};
    use urumi_core::store::revision::Revision;
    use urumi_core::store::smoke::SmokeReport;
    use urumi_core::store::timeline::TimelineEntry;
    use urumi_core::store::update::{UpdatePreview, UpdateStore};
    use urumi_core::{CreateStore, Store};

    use super::*;
    use crate::auth::{Principal, SignInMethods};
    use crate::routes::{Readiness, ServerInfo};

    /// Reads an example and writes it again: it has every required field, and none that does not exist.
    #[track_caller]
    fn is_a<T: DeserializeOwned + Serialize>(example: Option<Value>) {
        let example = example.unwrap();
        let read: T = serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{error}: {example}"));
        assert_eq!(serde_json::to_value(read).unwrap(), example);
    }

    #[test]
    fn examples_are_what_they_are_examples_of() {
        is_a::<CreateStore>(request("createStore"));
        is_a::<Vec<Store>>(answer("listStores"));
        is_a::<UpdateStore>(request("updateStore"));
        let acts =
            ["getStore", "createStore", "retryStore", "restartStore", "updateStore", "rollBackStore", "deleteStore"];
        for operation in acts {
            is_a::<Store>(answer(operation));
        }
        is_a::<Preview>(answer("previewStore"));
        is_a::<UpdatePreview>(answer("previewUpdate"));
        is_a::<Vec<Revision>>(answer("listStoreRevisions"));
        is_a::<Vec<TimelineEntry>>(answer("getStoreEvents"));
        is_a::<StoreOptions>(answer("getStoreOptions"));
        is_a::<Vec<Difference>>(answer("getStoreDiff"));
        is_a::<SmokeReport>(answer("smokeStore"));
        is_a::<Vec<EngineInfo>>(answer("listEngines"));
        is_a::<EngineInfo>(answer("getEngine"));
        is_a::<Readiness>(answer("getReadiness"));
        is_a::<ServerInfo>(answer("getVersion"));
        is_a::<SignInMethods>(answer("authentication"));
        let principal: Principal = serde_json::from_value(answer("whoAmI").unwrap()).unwrap();
        assert_eq!(principal.subject, "alice");
    }
}
