//! Reads are answered from memory: the API server's audit log knows nothing of them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::Value;
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator, StoreOrchestratorExt};

use crate::process::{ALONE, Server, kubeconfig};

const READS: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_reads_ask_the_api_server_nothing() {
    let (Some(kubeconfig), Some(log)) = (kubeconfig(), std::env::var_os("URUMI_TEST_AUDIT_LOG")) else { return };
    let _alone = ALONE.lock().await;
    let unlimited = ["--rate-limit", "1000000", "--rate-burst", "1000000", "--log", "warn"];
    let args = ["--cluster", "kube", "--kubeconfig", &kubeconfig];
    let server = Server::start(&[&args[..], &unlimited[..]].concat()).await;
    let client = HttpOrchestrator::connect(&server.url, &Default::default()).unwrap();
    let store = client.create(CreateStore::new("Much read", "medusa")).await.unwrap().into_store();
    client.wait_until(&store.id, Ready.or_failed(), PATIENCE).await.unwrap();

    let before = requests(&log);
    let reads = (0..READS).map(|n| {
        let (client, id) = (client.clone(), store.id.clone());
        async move {
            match n % 2 {
                0 => assert!(client.list().await.unwrap().iter().any(|s| s.id == id)),
                _ => assert_eq!(client.get(&id).await.unwrap().id, id),
            }
        }
    });
    stream::iter(reads).buffer_unordered(32).collect::<Vec<()>>().await;
    let after = requests(&log);
    assert_eq!(after, before, "reads of stores in the API server's audit log");

    client.delete(&store.id).await.unwrap();
    client.wait_until(&store.id, Deleted, PATIENCE).await.unwrap();
}

/// What servers have read of namespaces, which are the stores' records; watches, which go on anyway, are left out.
fn requests(log: &std::ffi::OsStr) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in std::fs::read_to_string(log).unwrap().lines() {
        // The last line may still be being written.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let by_server = text("/userAgent").starts_with("urumi-http/") && text("/stage") == "ResponseComplete";
        if by_server && text("/objectRef/resource") == "namespaces" && matches!(text("/verb"), "get" | "list") {
            *counts.entry(text("/verb").to_owned()).or_insert(0) += 1;
        }
    }
    counts
}
