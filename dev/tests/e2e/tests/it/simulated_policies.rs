//! Which traffic the NetworkPolicies of stores let through, as they are rendered.

use serde_json::{Value, json};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::engine::medusa::MedusaEngine;
use urumi_core::store::Authority;
use urumi_core::{CreateStore, Orchestrator, StoreOrchestrator as _};

use crate::policies::{Judge, addresses, assert_same, expected, world};

/// All objects of stores called `a` and `b`, and the world around them.
async fn two_stores(options: &Value) -> Vec<Value> {
    let urumi = Orchestrator::builder(InMemoryCluster::default()).engine(MedusaEngine::default()).build();
    let mut objects = world(&["store-a", "store-b"]);
    for id in ["a", "b"] {
        let mut request = CreateStore::new("Shop", "medusa").on_authority_of(Authority::Installation);
        request.id = Some(id.to_owned());
        request.options = options.as_object().unwrap().clone();
        let preview = urumi.preview(request).await.unwrap();
        objects.extend(preview.objects.iter().map(|object| serde_json::to_value(object).unwrap()));
    }
    objects
}

fn is_policy(object: &Value) -> bool {
    object["kind"] == "NetworkPolicy"
}

#[tokio::test]
async fn stores_have_just_the_traffic_that_they_need() {
    let Some(judge) = Judge::find() else { return };
    for (options, redis) in [(json!({}), false), (json!({"api": {"replicas": 2}}), true)] {
        let allowed = judge.allowed(&two_stores(&options).await, &addresses());
        assert_same(&allowed, &(&expected("store-a", redis) | &expected("store-b", redis)));
    }
}

#[tokio::test]
async fn no_policy_is_there_for_nothing() {
    let Some(judge) = Judge::find() else { return };
    let objects = two_stores(&json!({"api": {"replicas": 2}})).await;
    let right = judge.allowed(&objects, &addresses());
    let policies = objects.iter().filter(|o| is_policy(o) && o["metadata"]["namespace"] == "store-a");
    let names: Vec<&Value> = policies.map(|policy| &policy["metadata"]["name"]).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    for name in names {
        let is = |o: &Value| o["metadata"]["namespace"] == "store-a" && o["metadata"]["name"] == *name;
        let fewer: Vec<Value> = objects.iter().filter(|o| !(is_policy(o) && is(o))).cloned().collect();
        assert_ne!(judge.allowed(&fewer, &addresses()), right, "{name} changes nothing");
    }
}

#[tokio::test]
async fn a_list_of_peers_that_is_empty_lets_everybody_in() {
    let Some(judge) = Judge::find() else { return };
    let mut objects = two_stores(&json!({})).await;
    let database = |o: &&mut Value| is_policy(o) && o["metadata"]["name"] == "postgres";
    objects.iter_mut().find(database).unwrap()["spec"]["ingress"][0]["from"] = json!([]);
    let allowed = judge.allowed(&objects, &addresses());
    assert!(allowed.contains("elsewhere/stranger -> store-a/postgres 5432/TCP"), "{allowed:?}");
    assert!(allowed.contains("internet -> store-a/postgres 5432/TCP"), "{allowed:?}");
    assert!(!allowed.contains("store-b/medusa-storefront -> store-a/postgres 5432/TCP"), "its own egress is closed");
}

/// A database outside may be on any private network, where the databases of other stores are too.
#[tokio::test]
async fn a_way_to_an_outside_database_is_none_to_another_stores() {
    let Some(judge) = Judge::find() else { return };
    let mut objects = two_stores(&json!({})).await;
    objects.retain(|o| o["metadata"]["namespace"] != "store-a" && o["metadata"]["name"] != "store-a");
    let external = json!({"database": {"mode": "external", "secret": {"name": "db"}}});
    objects.extend(
        two_stores(&external)
            .await
            .into_iter()
            .filter(|o| o["metadata"]["namespace"] == "store-a" || o["metadata"]["name"] == "store-a"),
    );
    let allowed = judge.allowed(&objects, &addresses());
    assert!(allowed.contains("store-a/medusa-api -> node 5432/TCP"), "{allowed:?}");
    assert!(!allowed.contains("store-a/medusa-api -> metadata service 5432/TCP"), "{allowed:?}");
    let crossing: Vec<_> =
        allowed.iter().filter(|flow| flow.contains("store-a/") && flow.contains("store-b/")).collect();
    assert!(crossing.is_empty(), "{crossing:?}");
}
