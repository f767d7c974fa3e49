//! Requests on the authority of the caller's role, and secret values that nobody sees again.

use serde_json::{Value, json};
use urumi_core::cluster::{ClusterBackend, InMemoryCluster};
use urumi_core::kubernetes::{Kind, Query};
use urumi_core::store::HANDED_SECRET;

use crate::test_server::TestServer;

/// What an attacker with an operator's token asks for.
fn evil() -> Value {
    json!({"name": "x", "engine": "medusa", "id": "evil", "options": {
        "networkPolicy": {"enabled": false},
        "proofOfLife": {"enabled": false},
        "api": {"image": "attacker.example/anything:1", "replicas": 20, "envSecrets": ["wildcard-tls"]},
        "domain": "corp.example.org",
        "ingress": {"annotations": {"nginx.ingress.kubernetes.io/server-alias": "*.stores.example.com"}},
    }})
}

#[tokio::test(start_paused = true)]
async fn the_role_of_the_caller_decides_what_they_may_choose() {
    let server = TestServer::new(InMemoryCluster::default());
    let expected = [
        "options.api.envSecrets",
        "options.api.envSecrets[0]",
        "options.api.image",
        "options.api.replicas",
        "options.domain",
        "options.ingress.annotations",
        "options.networkPolicy.enabled",
        "options.proofOfLife.enabled",
    ];
    for path in ["/stores", "/stores/preview"] {
        let answer = server.ask("POST", path).as_("ann-operator").json(evil()).send().await;
        assert_eq!(answer.verdict(), (422, "invalid".to_owned()));
        let mut fields = answer.fields();
        fields.sort();
        assert_eq!(fields, expected);
        let errors = answer.json()["errors"].to_string();
        assert!(errors.contains("an administrator may choose another value"), "{errors}");
    }
    // An administrator is trusted with all of it but others' Secrets.
    let answer = server.ask("POST", "/stores").as_("root").json(evil()).send().await;
    assert_eq!(answer.fields(), ["options.api.envSecrets[0]"]);
    let modest = json!({"name": "x", "engine": "medusa", "options": {"api": {"replicas": 2}}});
    let answer = server.ask("POST", "/stores").as_("ann-operator").json(modest).send().await;
    assert_eq!(answer.verdict(), (202, String::new()));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_engine_is_answered_with_the_known_ones() {
    let server = TestServer::new(InMemoryCluster::default());
    for name in ["medus", "MEDUSA", "%F0%9F%9B%8D", &"a".repeat(1000)] {
        let answer = server.ask("GET", &format!("/engines/{name}")).as_("ann-viewer").send().await;
        assert_eq!(answer.verdict(), (404, "no-such-engine".to_owned()), "{name}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.ends_with("is not known; there is medusa") && detail.len() < 200, "{detail}");
    }
    assert_eq!(server.ask("GET", "/engines/%FF").send().await.verdict(), (400, "malformed".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_schema_of_an_engine_is_that_of_the_callers_role() {
    let server = TestServer::new(InMemoryCluster::default());
    let image = "/0/options/properties/api/properties/image";
    for (caller, locked) in [("ann-viewer", true), ("ann-operator", true), ("root", false)] {
        let engines = server.ask("GET", "/engines").as_(caller).send().await.json();
        assert_eq!(engines.pointer(image).unwrap().get("readOnly").is_some(), locked, "{caller}");
        assert_eq!(engines[0].get("policy"), None);
        let engine = server.ask("GET", "/engines/medusa").as_(caller).send().await.json();
        assert_eq!(engine, engines[0], "{caller}");
        let secrets = engines.pointer("/0/options/properties/api/properties/secretEnv").unwrap();
        assert_eq!(secrets["writeOnly"], true);
    }
}

/// A value that a request hands over is in one Secret, and in nothing else that there is or that the server answers.
#[tokio::test(start_paused = true)]
async fn a_secret_value_is_in_its_secret_and_nowhere_else() {
    let canary = "canary-9f1c47d2a0b6";
    let encoded = "Y2FuYXJ5LTlmMWM0N2QyYTBiNg==";
    let server = TestServer::new(InMemoryCluster::default());
    let request = json!({"name": "Shop", "engine": "medusa", "id": "shop", "options": {
        "api": {"secretEnv": {"STRIPE_API_KEY": canary}}}});
    let mut seen = Vec::new();
    let keyed =
        || server.ask("POST", "/stores").as_("ann-operator").header("idempotency-key", "k").json(request.clone());
    seen.push(server.ask("POST", "/stores/preview").json(request.clone()).send().await);
    let created = keyed().send().await;
    assert_eq!(created.verdict(), (202, String::new()));
    seen.push(created);
    seen.push(keyed().send().await);
    // What is wrong is named without its value.
    for wrong in [json!([canary]), json!({"A": [canary]}), json!({"1": canary}), json!(canary)] {
        let body = json!({"name": "Shop", "engine": "medusa", "options": {"api": {"secretEnv": wrong}}});
        let answer = server.ask("POST", "/stores").json(body).send().await;
        assert_eq!(answer.verdict().0, 422);
        seen.push(answer);
    }
    for path in [
        "/stores",
        "/stores/shop",
        "/stores/shop/manifests",
        "/stores/shop/options",
        "/stores/shop/diff",
        "/stores/shop/events",
        "/engines",
    ] {
        let answer = server.ask("GET", path).send().await;
        assert_eq!(answer.verdict(), (200, String::new()), "{path}");
        seen.push(answer);
    }
    for answer in &seen {
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains(canary) && !text.contains(encoded), "{text}");
    }
    let mut found = 0;
    for kind in ["Namespace", "Deployment", "StatefulSet", "ConfigMap", "Job", "Event"] {
        let kind = match kind {
            "Namespace" => Kind::of::<k8s_openapi::api::core::v1::Namespace>(),
            "Deployment" => Kind::of::<k8s_openapi::api::apps::v1::Deployment>(),
            "StatefulSet" => Kind::of::<k8s_openapi::api::apps::v1::StatefulSet>(),
            "ConfigMap" => Kind::of::<k8s_openapi::api::core::v1::ConfigMap>(),
            "Job" => Kind::of::<k8s_openapi::api::batch::v1::Job>(),
            _ => Kind::of::<k8s_openapi::api::core::v1::Event>(),
        };
        for object in server.cluster.list(&Query::all(kind)).await.unwrap() {
            let text = object.as_value().to_string();
            assert!(!text.contains(canary) && !text.contains(encoded), "{text}");
            found += 1;
        }
    }
    assert!(found > 3, "{found}");
    let secret = urumi_core::kubernetes::ObjectRef::namespaced(
        Kind::of::<k8s_openapi::api::core::v1::Secret>(),
        "store-shop",
        HANDED_SECRET,
    );
    let secret = server.cluster.get(&secret).await.unwrap().unwrap();
    assert_eq!(secret.as_value()["data"], json!({"api.secretEnv.STRIPE_API_KEY": encoded}));
}
