//! What stores that are created at once through a server cost the API server, by its audit log.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator, StoreOrchestratorExt};

use crate::process::{ALONE, Server, kubeconfig};

const STORES: usize = 30;
const CLIENTS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn stores_cost_the_writes_of_their_objects_and_records() {
    let (Some(kubeconfig), Some(log)) = (kubeconfig(), std::env::var_os("URUMI_TEST_AUDIT_LOG")) else { return };
    let _alone = ALONE.lock().await;
    let run = format!("scale-{}", std::process::id());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    std::fs::write(&file, urumi_testing::impersonating(&kubeconfig, &run)).unwrap();
    let args = ["--cluster", "kube", "--kubeconfig", file.to_str().unwrap(), "--log", "warn"];
    let unlimited = ["--rate-limit", "1000000", "--rate-burst", "1000000"];
    let server = Server::start(&[&args[..], &unlimited[..]].concat()).await;
    let client = HttpOrchestrator::connect(&server.url, &Default::default()).unwrap();

    let objects = client.preview(CreateStore::new("Many", "medusa")).await.unwrap().objects.len();
    let create = async |n: usize| {
        let request = CreateStore::new(format!("Many {n}"), "medusa").id(format!("{run}-{n}"));
        let store = client.create(request).await?.into_store();
        client.wait_until(&store.id, Ready.or_failed(), PATIENCE).await?;
        Ok::<_, urumi_core::Error>(store.id)
    };
    let ids: Vec<_> =
        stream::iter(0..STORES).map(create).buffer_unordered(CLIENTS).try_collect().await.expect("all are ready");

    let mut refused: BTreeMap<(String, i64), usize> = BTreeMap::new();
    let made = requests(&log, &run);
    assert_eq!(made.len(), STORES, "stores in the audit log");
    for (store, requests) in made {
        let of = |verb: &str| requests.iter().filter(|made| made.verb == verb && made.code < 300).count();
        assert_eq!(of("create"), objects, "objects created for {store}");
        assert!(of("get") <= 2, "{store} was read {} times", of("get"));
        // While it starts, its reasons are written every 2 s at most, and so is the heartbeat of its creation.
        let times = || requests.iter().map(|made| made.at);
        let seconds = times().fold(f64::NEG_INFINITY, f64::max) - times().fold(f64::INFINITY, f64::min);
        assert!(of("patch") as f64 <= 4.0 + seconds, "{store} was patched {} times in {seconds} s", of("patch"));
        for made in requests.iter().filter(|made| made.code >= 400) {
            *refused.entry((made.verb.clone(), made.code)).or_insert(0) += 1;
        }
    }
    println!("{STORES} stores of {objects} objects, refused: {refused:?}");
    assert_eq!(refused.get(&("create".to_owned(), 409)), None, "objects were created that exist");

    futures::future::try_join_all(ids.iter().map(|id| client.delete(id))).await.unwrap();
    for id in &ids {
        client.wait_until(id, Deleted, PATIENCE).await.unwrap();
    }
}

/// A request to the API server.
struct Request {
    verb: String,
    code: i64,
    /// Seconds since the epoch.
    at: f64,
}

/// The requests about the stores of a run that the server of the run has made, by store.
fn requests(log: &std::ffi::OsStr, run: &str) -> HashMap<String, Vec<Request>> {
    let mut found: HashMap<String, Vec<Request>> = HashMap::new();
    for line in std::fs::read_to_string(log).unwrap().lines() {
        // The API server may be writing the last line.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        // `dev/tests/chart/suites` gives the token of urumi to all, and the user agent says as whom it is used.
        let agent = text("/userAgent").rsplit_once(" as ").map(|(_, name)| name);
        if agent.unwrap_or_else(|| text("/impersonatedUser/username")) != run
            || text("/stage") != "ResponseComplete"
            || text("/verb") == "watch"
        {
            continue;
        }
        let object = |part: &str| text(&format!("/objectRef/{part}"));
        let store = if object("resource") == "namespaces" { object("name") } else { object("namespace") };
        let at: jiff::Timestamp = text("/stageTimestamp").parse().unwrap();
        let code = entry.pointer("/responseStatus/code").and_then(Value::as_i64).unwrap_or_default();
        let request = Request { verb: text("/verb").to_owned(), code, at: at.as_millisecond() as f64 / 1000.0 };
        found.entry(store.to_owned()).or_default().push(request);
    }
    found.retain(|store, _| store.starts_with(&format!("store-{run}-")));
    found
}
