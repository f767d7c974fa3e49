//! The options of a store that exists, and its labels.

use k8s_openapi::api::core::v1::Namespace;
use serde_json::{Value, json};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::error::Error;
use urumi_core::kubernetes::{Kind, ObjectRef};
use urumi_core::store::Options;
use urumi_core::{CreateStore, Orchestrator, StoreId, StoreOrchestrator, StoreOrchestratorExt, record};

fn map(value: Value) -> Options {
    value.as_object().cloned().unwrap()
}

#[tokio::test]
async fn options_can_be_read_again_without_secret_values() {
    let cluster = InMemoryCluster::default();
    let urumi = Orchestrator::builder(cluster.clone()).build();
    let options = json!({"api": {"secretEnv": {"STRIPE_API_KEY": "canary"}, "env": {"A": "b"}}});
    let request = CreateStore::new("Shop", "medusa").id("shop").options(map(options));
    let preview = urumi.preview(request.clone()).await.unwrap();
    let id = urumi.create(request).await.unwrap().into_store().id;

    let shown = urumi.options(&id).await.unwrap();
    let requested = json!({"api": {"secretEnv": {"STRIPE_API_KEY": "REDACTED"}, "env": {"A": "b"}}});
    assert_eq!(shown.requested, map(requested));
    assert_eq!(shown.effective["api"]["secretEnv"], json!({"STRIPE_API_KEY": "REDACTED"}));
    assert_eq!(shown.effective["api"]["replicas"], json!(1));
    assert_eq!(preview.options, shown.effective);
    assert!(!serde_json::to_string(&shown).unwrap().contains("canary"));

    // A store must not be created with the placeholder for a secret.
    let again = CreateStore::new("Again", "medusa").options(shown.requested);
    let Err(Error::Invalid(errors)) = urumi.create(again).await else { panic!("the placeholder is accepted") };
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].field, "options.api.secretEnv.STRIPE_API_KEY");

    // Records of early versions do not have the request.
    let namespace = ObjectRef::cluster(Kind::of::<Namespace>(), id.namespace());
    let forget = |namespace: &mut urumi_core::kubernetes::Object| {
        namespace.as_value_mut()["metadata"]["annotations"].as_object_mut().unwrap().remove(record::REQUEST);
    };
    cluster.modify(&namespace, forget).unwrap();
    let old = urumi.options(&id).await.unwrap();
    assert_eq!((&old.requested, &old.effective), (&shown.effective, &shown.effective));
}

#[tokio::test]
async fn labels_are_kept_on_record_and_belong_to_the_request() {
    let cluster = InMemoryCluster::default();
    let urumi = Orchestrator::builder(cluster.clone()).build();
    let request = || CreateStore::new("Shop", "medusa").label("team", "web").idempotency_key("key");
    let made = urumi.create(request()).await.unwrap().into_store();
    assert_eq!(made.labels, [("team".to_owned(), "web".to_owned())].into());
    assert!(urumi.create(request()).await.unwrap().is_repeated());
    let other = urumi.create(request().label("team", "api")).await;
    assert!(matches!(other, Err(Error::KeyReused { .. })), "{other:?}");
    let namespaces = cluster.dump().into_iter().filter(|object| object.kind().kind == "Namespace");
    assert!(
        namespaces.flat_map(|ns| ns.label("team").map(str::to_owned)).next().is_none(),
        "it is a label of Kubernetes"
    );

    let wrong = urumi.create(CreateStore::new("Shop", "medusa").label("app.kubernetes.io/name", "x")).await;
    let Err(Error::Invalid(errors)) = wrong else { panic!("a reserved label is accepted") };
    assert_eq!(errors[0].field, "labels.app.kubernetes.io/name");
}

/// The same script runs twice, e.g. to clean up.
#[tokio::test]
async fn a_repeated_deletion_deletes_no_store_with_a_similar_name() {
    let urumi = Orchestrator::builder(InMemoryCluster::default()).build();
    for id in ["shop", "shop2"] {
        urumi.create(CreateStore::new(id, "medusa").id(id)).await.unwrap();
    }
    let shop = urumi.find_exact("shop").await.unwrap();
    urumi.delete(&shop.id).await.unwrap();
    urumi.wait_until(&shop.id, urumi_core::store::wait::Deleted, std::time::Duration::from_secs(60)).await.unwrap();
    assert!(matches!(urumi.find_exact("shop").await, Err(Error::NoMatch { .. })));
    assert_eq!(urumi.find("shop").await.unwrap().id, StoreId::parse("shop2").unwrap());
}
