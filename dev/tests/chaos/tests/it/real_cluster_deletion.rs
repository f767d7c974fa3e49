//! Deletions that others hold up, and deletions and creations that meet.

use std::time::Duration;

use http::Request;
use serde_json::{Value, json};
use urumi_core::{CreateStore, ErrorKind, StoreOrchestrator, StoreOrchestratorExt};
use urumi_faultproxy::Plan;

use crate::cluster::{WELL, kubeconfig};
use crate::life::{Life, baseline};
use crate::oracle::Dump;

const FINALIZER: &str = "urumi.test/in-no-hurry";

impl Life {
    async fn patch(&self, path: &str, patch: Value) {
        let request = Request::patch(path).header("content-type", "application/merge-patch+json");
        self.admin.request::<Value>(request.body(patch.to_string().into_bytes()).unwrap()).await.unwrap();
    }

    /// Waits until the server tells why the store is still there.
    async fn kept_by(&self, reason: &str) {
        let told = async {
            loop {
                let store = self.api().get(&self.id).await.unwrap();
                assert_eq!(store.status.to_string(), "deleting");
                if store.reason.is_some_and(|told| told.contains(reason)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(300), told).await.unwrap_or_else(|_| panic!("never was {reason:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_up_a_deletion_is_told_and_never_forced() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let baseline = baseline(&kubeconfig).await;
    let mut life = Life::begin(&kubeconfig).await;
    life.create(Plan::default(), Some(&baseline.dump)).await;
    let namespace = format!("/api/v1/namespaces/{}", life.id.namespace());
    let service = format!("{namespace}/services/postgres");
    for path in [&namespace, &service] {
        life.patch(path, json!({"metadata": {"finalizers": [FINALIZER]}})).await;
    }
    life.api().delete(&life.id).await.unwrap();
    life.kept_by("SomeFinalizersRemain").await;
    // Deleting it again changes nothing, and its id is not free.
    life.api().delete(&life.id).await.unwrap();
    let again = CreateStore::new("Again", "medusa").id(life.id.as_str());
    let refused = life.api().create(again.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(refused.to_string().contains("being deleted"), "{refused}");
    // What is left is the namespace alone, whose finalizer is told by its name.
    life.patch(&service, json!({"metadata": {"finalizers": null}})).await;
    life.kept_by(FINALIZER).await;
    let found: Value = life.admin.request(Request::get(&namespace).body(Vec::new()).unwrap()).await.unwrap();
    assert_eq!(found["metadata"]["finalizers"], json!([FINALIZER]), "nobody forced it");
    life.patch(&namespace, json!({"metadata": {"finalizers": null}})).await;
    life.reach("", Some(&Dump::new())).await;

    // Now the id is free, and the new store is one of its own.
    life.forget_password();
    life.create(Plan::default(), Some(&baseline.dump)).await;
    life.delete(Plan::default()).await;
    let statuses = life.statuses.all();
    let once = ["provisioning", "ready", "deleting", ""];
    assert_eq!(statuses, [once, once].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_deleted_while_it_is_created_goes() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let mut life = Life::begin(&kubeconfig).await;
    let create = life.api().create(CreateStore::new("Brief", "medusa").id(life.id.as_str()));
    let delete = async {
        // As soon as it is on record.
        while life.api().delete(&life.id).await.is_err_and(|error| error.kind() == ErrorKind::NotFound) {}
    };
    let (created, ()) = tokio::join!(create, delete);
    if let Err(error) = created {
        assert!(error.to_string().contains("deleted") || error.to_string().contains("terminat"), "{error}");
    }
    life.reach("", Some(&Dump::new())).await;
    assert_eq!(life.statuses.all(), ["provisioning", "deleting", ""]);
}
