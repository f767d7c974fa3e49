//! How requests and defaults become complete options.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DOMAIN, MedusaEngine, options, resolve, strategies};
use crate::engine::Engine;
use crate::engine::medusa::MedusaOptions;

fn at(options: &crate::store::Options, pointer: &str) -> Option<Value> {
    Value::Object(options.clone()).pointer(pointer).cloned()
}

fn engine(defaults: Value) -> MedusaEngine {
    MedusaEngine::with_defaults(options(defaults)).unwrap()
}

#[test]
fn an_empty_request_takes_every_default() {
    let resolved = resolve(&MedusaEngine::default(), json!({})).unwrap();
    insta::assert_yaml_snapshot!(resolved);
}

#[test]
fn requests_are_merged_over_the_installations_defaults() {
    let engine = engine(json!({
        "domain": "shops.example",
        "api": { "env": { "LOG_LEVEL": "warn", "REGION": "eu" }, "resources": { "limits": { "memory": "2048Mi" } } },
        "ingress": { "controllerNamespaces": ["gateway"] },
    }));
    let resolved = resolve(
        &engine,
        json!({
            "api": { "env": { "LOG_LEVEL": "debug" }, "resources": { "limits": { "cpu": 2 } } },
            "ingress": { "controllerNamespaces": ["traefik", "haproxy"] },
        }),
    )
    .unwrap();
    assert_eq!(at(&resolved, "/domain"), Some(json!("shops.example")));
    assert_eq!(at(&resolved, "/api/env"), Some(json!({ "LOG_LEVEL": "debug", "REGION": "eu" })));
    assert_eq!(at(&resolved, "/api/resources/limits"), Some(json!({ "cpu": "2", "memory": "2Gi" })));
    assert_eq!(at(&resolved, "/ingress/controllerNamespaces"), Some(json!(["traefik", "haproxy"])));
    assert_eq!(at(&resolve(&MedusaEngine::default(), json!({})).unwrap(), "/domain"), Some(json!(DOMAIN)));
}

#[test]
fn null_removes_an_optional_default_for_good() {
    let engine = engine(json!({
        "tls": { "clusterIssuer": "letsencrypt" },
        "quota": { "pods": 20, "limits.memory": "8Gi" },
        "api": { "env": { "REGION": "eu" } },
    }));
    let request =
        json!({ "tls": null, "quota": { "pods": null }, "api": { "env": { "REGION": null, "NOT_THERE": null } } });
    let resolved = resolve(&engine, request).unwrap();
    assert_eq!(at(&resolved, "/quota"), Some(json!({ "limits.memory": "8Gi", "pods": null })));
    assert_eq!(at(&resolved, "/api/env"), Some(json!({ "REGION": null })));
    let spec = super::spec_of(resolved.clone());
    assert_eq!(engine.urls(&spec).unwrap().storefront.unwrap(), "http://store-abc123.localtest.me");
    assert_eq!(resolve(&engine, Value::Object(resolved.clone())).unwrap(), resolved);
}

#[test]
fn a_choice_of_tls_replaces_the_default_one() {
    let engine = engine(json!({ "tls": { "clusterIssuer": "letsencrypt" } }));
    let resolved = resolve(&engine, json!({ "tls": { "secretName": "wildcard" } })).unwrap();
    assert_eq!(at(&resolved, "/tls"), Some(json!({ "secretName": "wildcard" })));
    assert_eq!(resolve(&engine, Value::Object(resolved.clone())).unwrap(), resolved);
    let kept = resolve(&engine, json!({ "tls": {} })).unwrap();
    assert_eq!(at(&kept, "/tls"), Some(json!({ "clusterIssuer": "letsencrypt" })));
}

#[test]
fn a_number_of_replicas_replaces_the_default_autoscaling() {
    let engine = engine(json!({ "api": { "replicas": 2, "autoscaling": { "max": 4 } } }));
    let scaled = |request: Value| {
        let resolved = resolve(&engine, request).unwrap();
        assert_eq!(resolve(&engine, Value::Object(resolved.clone())).unwrap(), resolved);
        at(&resolved, "/api/autoscaling")
    };
    let autoscaling = |min: u8, max: u8| Some(json!({ "min": min, "max": max, "cpu": 80 }));
    assert_eq!(scaled(json!({})), autoscaling(1, 4));
    assert_eq!(scaled(json!({ "api": { "autoscaling": { "min": 2 } } })), autoscaling(2, 4));
    assert_eq!(scaled(json!({ "api": { "replicas": 3 } })), None);
    assert_eq!(scaled(json!({ "api": { "replicas": 3, "autoscaling": { "max": 5 } } })), autoscaling(1, 5));
    assert_eq!(scaled(json!({ "api": { "autoscaling": null } })), Some(Value::Null));
}

#[test]
fn defaults_of_the_other_database_mode_are_dropped_and_not_refused() {
    let external = json!({ "database": { "mode": "external", "secret": { "name": "db" } } });
    let resolved = resolve(&MedusaEngine::default(), external.clone()).unwrap();
    assert_eq!(
        at(&resolved, "/database"),
        Some(json!({ "mode": "external", "secret": { "name": "db", "key": "DATABASE_URL" }, "port": 5432 }))
    );
    let resolved = resolve(&engine(external), json!({ "database": { "mode": "embedded" } })).unwrap();
    assert_eq!(at(&resolved, "/database/secret"), None);
    assert_eq!(at(&resolved, "/database/image"), Some(json!("postgres:15-alpine")));
    // An installation may leave the Secret's name to each store.
    let engine = engine(json!({ "database": { "mode": "external", "secret": { "key": "URL" } } }));
    assert!(resolve(&engine, json!({})).is_err());
    let resolved = resolve(&engine, json!({ "database": { "secret": { "name": "mine" } } })).unwrap();
    assert_eq!(at(&resolved, "/database/secret"), Some(json!({ "name": "mine", "key": "URL" })));
}

#[test]
fn limits_are_completed_once_they_are_asked_for() {
    let resolved =
        resolve(&MedusaEngine::default(), json!({ "limits": { "default": { "memory": "1024Mi" } } })).unwrap();
    assert_eq!(
        at(&resolved, "/limits"),
        Some(
            json!({ "default": { "cpu": "500m", "memory": "1Gi" }, "defaultRequest": { "cpu": "50m", "memory": "128Mi" } })
        )
    );
}

#[test]
fn the_schema_shows_this_installations_defaults() {
    let engine =
        engine(json!({ "api": { "replicas": 3 }, "tls": { "clusterIssuer": "letsencrypt" }, "quota": { "pods": 9 } }));
    let schema = engine.info().options;
    let default = |pointer: &str| schema.pointer(&format!("{pointer}/default")).cloned();
    assert_eq!(default("/properties/api/properties/replicas"), Some(json!(3)));
    assert_eq!(default("/properties/tls/properties/clusterIssuer"), Some(json!("letsencrypt")));
    assert_eq!(default("/properties/tls/properties/issuer"), None);
    assert_eq!(default("/properties/quota"), Some(json!({ "pods": 9 })));
    assert_eq!(default("/properties/database/properties/storage/properties/size"), Some(json!("5Gi")));
}

#[test]
fn the_schema_is_what_forms_were_made_for() {
    insta::assert_json_snapshot!(MedusaEngine::default().info());
}

proptest! {
    #[test]
    fn resolving_twice_is_resolving_once(request in strategies::request()) {
        let engine = MedusaEngine::default();
        let resolved = resolve(&engine, request).map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
        let again = resolve(&engine, Value::Object(resolved.clone())).map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
        prop_assert_eq!(again, resolved);
    }

    #[test]
    fn typed_options_in_force_make_an_equal_store(request in strategies::request()) {
        let engine = MedusaEngine::default();
        let mut effective = resolve(&engine, request).map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
        effective["api"]["secretEnv"] = json!({ "KEY": true });
        // As `StoreOptions` shows it.
        let mut shown = effective.clone();
        shown["api"]["secretEnv"]["KEY"] = json!("REDACTED");
        let typed = MedusaOptions::try_from(&shown)?;
        let again = resolve(&engine, Value::Object(typed.into()));
        prop_assert_eq!(again.map_err(|e| TestCaseError::fail(format!("{e:?}")))?, effective);
    }

    #[test]
    fn no_request_makes_it_panic(request in strategies::nonsense()) {
        let engine = MedusaEngine::default();
        if let Ok(resolved) = resolve(&engine, request) {
            engine.render(&super::spec_of(resolved), &super::Letters).unwrap();
        }
    }
}
