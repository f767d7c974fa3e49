//! The time until a change of a store is accepted, compared with the floor of its writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Map, json};
use tokio::sync::Mutex;
use urumi_core::cluster::KubeCluster;
use urumi_core::store::revision::KEPT_REVISIONS;
use urumi_core::store::update::UpdateStore;
use urumi_core::{Orchestrator, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use urumi_benches::cluster::{BenchCluster, request};
use urumi_benches::floor::{Call, Floor, Replay, plain_client};
use urumi_benches::stats::{Row, quantile};

/// The changes of each store: one that is not counted, eight, and eight that also delete the oldest revision.
const CHANGES: usize = 17;

/// The times of changes with the same number of writes.
#[derive(Default)]
struct Times {
    urumi: Vec<Duration>,
    floor: Vec<Duration>,
}

/// Urumi and the floor change each store in turns. No monitor carries out the changes.
pub(crate) async fn measure(cluster: &BenchCluster, stores: usize) -> Result<Vec<Row>> {
    let floor = Floor::connect(&cluster.config, 1)?;
    let dry_run = DryRun::on(&cluster.config)?;
    let mut ids = Vec::new();
    for _ in 0..stores {
        ids.push(cluster.urumi.create(request()).await?.into_store().id);
    }
    for id in &ids {
        cluster.settled(id).await?;
    }
    floor.warm(1).await;
    cluster.backend.warm(1).await;
    let (mut young, mut old) = (Times::default(), Times::default());
    for (store, id) in ids.iter().enumerate() {
        for change in 0..CHANGES {
            let replicas = json!({"replicas": 2 + change % 2});
            let update = UpdateStore::new().options(Map::from_iter([("storefront".to_owned(), replicas)]));
            // The present revision is `change + 1`.
            let deletes = change + 1 >= KEPT_REVISIONS;
            let times = if deletes { &mut old } else { &mut young };
            let (times, took) = if (store + change) % 2 == 0 {
                let writes = dry_run.writes(id, update).await?;
                ensure!(writes.len() == 2 + usize::from(deletes), "a change has {} writes", writes.len());
                let replay = Replay::in_order(writes);
                let started = Instant::now();
                floor.replay(&replay).await?;
                (&mut times.floor, started.elapsed())
            } else {
                let started = Instant::now();
                cluster.urumi.update(id, update).await?;
                (&mut times.urumi, started.elapsed())
            };
            if change > 0 {
                times.push(took);
            }
        }
    }
    cluster.remove(&ids).await?;
    let young = rows("change a store", &young);
    Ok(young.into_iter().chain(rows("change a store that has ten revisions", &old)).collect())
}

fn rows(what: &str, Times { urumi, floor }: &Times) -> [Row; 2] {
    let row = |name: &str, q: f64, goal: &str| {
        Row::compared(format!("{what} ({name})"), quantile(urumi, q), quantile(floor, q), goal)
    };
    [row("median", 0.5, "≤ 1.15"), row("p99", 0.99, "–")]
}

type Writes = Arc<Mutex<Vec<Call>>>;

/// An orchestrator that reads from the cluster, and whose writes are kept and not sent.
struct DryRun {
    urumi: Orchestrator,
    writes: Writes,
}

impl DryRun {
    fn on(config: &kube::Config) -> Result<DryRun> {
        let (client, writes) = (plain_client(config)?, Writes::default());
        let kept = writes.clone();
        let service = tower::service_fn(move |request| answer(client.clone(), kept.clone(), request));
        let client = kube::Client::new(service, config.default_namespace.clone());
        Ok(DryRun { urumi: Orchestrator::builder(KubeCluster::from_client(client)).build(), writes })
    }

    /// The writes of a change, in their order.
    async fn writes(&self, id: &StoreId, update: UpdateStore) -> Result<Vec<Call>> {
        self.urumi.update(id, update).await?;
        Ok(std::mem::take(&mut *self.writes.lock().await))
    }
}

/// Passes on a request that reads, and keeps one that writes. The answer to a patch is the object as it is, to another write its
/// body.
async fn answer(client: kube::Client, writes: Writes, request: Request<Body>) -> Result<Response<Body>> {
    if request.method() == Method::GET {
        return Ok(client.send(request).await?);
    }
    let (head, body) = request.into_parts();
    let body = body.collect_bytes().await?;
    let reply = match head.method {
        Method::PATCH => client.send(Request::get(head.uri.path()).body(Body::empty())?).await?,
        _ => Response::new(Body::from(body.clone())),
    };
    let content_type = head.headers.get(CONTENT_TYPE).context("a write has a content type")?.clone();
    let call = Call { method: head.method, path: head.uri.to_string(), content_type, body };
    writes.lock().await.push(call);
    Ok(reply)
}
