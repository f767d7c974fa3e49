//! What stores that are created at once through a server cost the API server, by its audit log.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator, StoreOrchestratorExt};
use urumi_testing::audit::{self, Request};

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

    let made = requests(log.as_ref(), &run);
    assert_eq!(made.len(), STORES, "stores in the audit log");
    for (store, requests) in &made {
        let of = |verb: &str, code: RangeInclusive<u16>| {
            requests.iter().filter(|made| made.verb == verb && code.contains(&made.code)).count()
        };
        let all =
            || requests.iter().map(|r| format!("{} {} {} {}\n", r.at, r.verb, r.resource, r.code)).collect::<String>();
        // An apply creates what is missing where a creation came to a standstill. A creation whose answer was lost is sent again,
        // and may have had its effect.
        let (created, exist) = (of("create", 201..=201) + of("patch", 201..=201), of("create", 409..=409));
        let unanswered = requests.iter().filter(|made| made.code == 0 || made.code >= 429).count();
        assert_eq!(created + exist, objects, "objects created for {store}:\n{}", all());
        assert!(exist <= unanswered, "objects of {store} were created that exist:\n{}", all());
        assert!(of("get", 200..=404) <= 2 + unanswered, "{store} was read too often:\n{}", all());
        // While it starts, its reasons are written every 2 s at most, and so is the heartbeat of its creation.
        let times = || requests.iter().map(|made| made.at);
        let time = times().max().unwrap().duration_since(times().min().unwrap());
        let patches = of("patch", 200..=200);
        assert!(
            patches as f64 <= 4.0 + time.as_secs_f64(),
            "{store} was patched {patches} times in {time}:\n{}",
            all()
        );
    }

    futures::future::try_join_all(ids.iter().map(|id| client.delete(id))).await.unwrap();
    for id in &ids {
        client.wait_until(id, Deleted, PATIENCE).await.unwrap();
    }
}

/// The requests about the stores of a run that the server of the run has made, by store.
fn requests(log: &Path, run: &str) -> HashMap<String, Vec<Request>> {
    let mut found: HashMap<String, Vec<Request>> = HashMap::new();
    for made in audit::requests(log, 0).unwrap() {
        if made.caller == run && made.namespace.starts_with(&format!("store-{run}-")) {
            found.entry(made.namespace.clone()).or_default().push(made);
        }
    }
    found
}
