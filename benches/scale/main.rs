//! Measures the server, its monitor and its clients together on a real API server, with more and more stores, and prints a table.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command that prints its results")]

mod churn;
mod crowd;
mod peers;
mod requests;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Namespace, Service};
use urumi_benches::cluster::BenchCluster;
use urumi_benches::floor::{Floor, Replay};
use urumi_benches::server_process::ServerProcess;
use urumi_benches::stats::{median, quantile};
use urumi_core::cluster::ClusterBackend;
use urumi_core::kubernetes::{Kind, MetadataPatch, ObjectRef, Preconditions, Query, WatchEvent};
use urumi_core::store::status::StoreStatus;
use urumi_core::{CreateStore, HttpOrchestrator, StoreEvent, StoreId, StoreOrchestrator};
use urumi_testing::audit;

use crate::crowd::Crowd;
use crate::peers::Peers;
use crate::requests::Requests;

/// How many stores the rates are measured with, urumi's and the floor's in turns.
const BATCH: usize = 40;
/// How often a change is measured, of one store after the other.
const CHANGES: usize = 1000;
/// How often a repair is measured.
const REPAIRS: usize = 20;
/// How long all stores may take to be ready.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Measures the server, its monitor and its clients together on a real API server, with more and more stores.
#[derive(Parser)]
struct Arguments {
    /// The kubeconfig of a cluster without stores. The stores of the measurement remain there.
    #[arg(long, env = "URUMI_TEST_KUBECONFIG")]
    kubeconfig: PathBuf,
    /// The API server's audit log, to count requests.
    #[arg(long, env = "URUMI_TEST_AUDIT_LOG")]
    audit_log: PathBuf,
    /// The numbers of stores at which to measure.
    #[arg(long, value_delimiter = ',', default_value = "10,100,500,1000")]
    stores: Vec<usize>,
    /// How many clients create stores at once.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// How many pods the namespace of one store gets at the end, to measure what that means for the others.
    #[arg(long, default_value_t = 5000)]
    crowd: usize,
    /// How many stores are created and deleted at the end, to see whether the server keeps anything of them.
    #[arg(long, default_value_t = 200)]
    churn: usize,
    #[command(flatten)]
    peers: Peers,
}

/// The figures at one number of stores.
struct Figures {
    stores: usize,
    /// Stores per second.
    rate: f64,
    floor: f64,
    requests: Requests,
    created: usize,
    resident: u64,
    /// The size of the cluster's database, in bytes.
    database: u64,
    list: Duration,
    change: (Duration, Duration),
    quiet: (f64, usize),
    restart: Duration,
    /// The most memory that the server had after that.
    peak: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Arguments::parse();
    ensure!(args.stores.is_sorted_by(|one, next| one < next), "the numbers of stores must rise");
    let cluster = BenchCluster::connect(args.kubeconfig.clone()).await?;
    let floor = Floor::connect(&cluster.config, 64)?;
    floor.warm(64).await;
    let mut server = ServerProcess::on_cluster(&args.kubeconfig).await?;
    let empty = server.resident()?;
    let mut all = Vec::new();
    let (mut ids, mut last): (Vec<StoreId>, usize) = (Vec::new(), 0);
    for wanted in args.stores {
        eprintln!("{wanted} stores");
        let client = server.client()?;
        let from = audit::length(&args.audit_log)?;
        // Up to the last batch without a measurement.
        let batch = BATCH.min(wanted.saturating_sub(last));
        ids.extend(create(&client, wanted.saturating_sub(last + batch), args.clients).await?);
        // In turns, because Kubernetes' controllers still work for the stores before.
        let mut replayed = replay(&cluster, &floor, batch - batch / 2, args.clients).await?;
        let began = Instant::now();
        ids.extend(create(&client, batch, args.clients).await?);
        let took = began.elapsed();
        replayed += replay(&cluster, &floor, batch / 2, args.clients).await?;
        all_ready(&client, wanted).await.with_context(|| format!("{wanted} stores"))?;
        // By then, the monitor has written the last messages.
        tokio::time::sleep(Duration::from_secs(15)).await;
        let requests = Requests::of(&args.audit_log, from)?;
        let list = list_time(&server).await?;
        let resident = server.resident()?;
        let quiet = quiet_minute(&server, &args.audit_log).await?;
        // After the quiet minute: Kubernetes' controllers have no work left that it would wait for.
        let change = changes(&cluster, &client, &ids).await?;
        drop(server);
        let began = Instant::now();
        server = ServerProcess::on_cluster(&args.kubeconfig).await?;
        let restart = began.elapsed();
        // By then, it has decided on all of them.
        tokio::time::sleep(Duration::from_secs(15)).await;
        all.push(Figures {
            stores: wanted,
            rate: batch as f64 / took.as_secs_f64(),
            floor: batch as f64 / replayed.as_secs_f64(),
            requests,
            created: wanted - last,
            resident,
            database: cluster.database_size().await?,
            list,
            change,
            quiet,
            restart,
            peak: server.peak()?,
        });
        last = wanted;
        println!("{}", table(empty, &all));
    }
    if args.churn > 0 {
        let churn::Churn { before, after } = churn::measure(&server, args.churn, args.clients).await?;
        let (before, after) = (mib(before), mib(after));
        println!(
            "{} stores that were created and deleted: RSS {before:.1} MiB before, {after:.1} MiB after",
            args.churn
        );
    }
    if args.crowd > 0 {
        let shown = |(median, slowest): (Duration, Duration)| format!("median {median:.1?}, p99 {slowest:.1?}");
        println!("a deleted Service is there again: {}", shown(repairs(&cluster, &ids).await?));
        let beside = repairs_beside(args.crowd, &cluster, &ids).await?;
        println!("the same beside a namespace of {} pods that come and go: {}", args.crowd, shown(beside));
        println!("RSS then: {:.1} MiB", mib(server.resident()?));
    }
    drop(server);
    if let Some(table) = args.peers.compare(&cluster, args.clients).await? {
        println!("{table}");
    }
    Ok(())
}

/// Creates stores through the server.
async fn create(client: &HttpOrchestrator, count: usize, clients: usize) -> Result<Vec<StoreId>> {
    let creations = (0..count).map(|_| async {
        let creation = client.create(CreateStore::new("Scale", "medusa")).await?;
        anyhow::Ok(creation.into_store().id)
    });
    stream::iter(creations).buffer_unordered(clients).try_collect().await
}

/// The time in which the floor creates the objects of as many stores. Their namespaces lack the label of a store, so that no
/// monitor looks after them.
async fn replay(cluster: &BenchCluster, floor: &Floor, count: usize, clients: usize) -> Result<Duration> {
    let mut replays = Vec::new();
    for _ in 0..count {
        let (_, mut objects) = cluster.objects()?;
        let namespace = objects.first_mut().context("a store has a namespace")?.as_value_mut();
        let labels = namespace.pointer_mut("/metadata/labels").and_then(|labels| labels.as_object_mut());
        ensure!(labels.is_some_and(|labels| labels.remove(urumi_core::record::ENABLED).is_some()), "the store's label");
        replays.push(Replay::of(&objects)?);
    }
    let began = Instant::now();
    stream::iter(replays.iter().map(|replay| floor.replay(replay)))
        .buffer_unordered(clients)
        .try_collect::<()>()
        .await?;
    Ok(began.elapsed())
}

/// Waits until as many stores are ready.
async fn all_ready(client: &HttpOrchestrator, wanted: usize) -> Result<()> {
    let mut events = client.watch(None);
    let mut ready = std::collections::HashSet::new();
    let waiting = async {
        while ready.len() < wanted {
            let seen = match events.next().await.context("a watch does not end")? {
                Ok(StoreEvent::Listed(stores)) => stores,
                Ok(StoreEvent::Changed(store)) => vec![store],
                _ => continue,
            };
            ready.extend(seen.into_iter().filter(|store| store.status == StoreStatus::Ready).map(|store| store.id));
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, waiting).await.context("waiting until all stores are ready")?
}

/// The median and the 99th percentile of the time from a request that changes a record until a watcher of all stores sees it. The
/// record gets another name, which changes nothing else.
async fn changes(cluster: &BenchCluster, client: &HttpOrchestrator, ids: &[StoreId]) -> Result<(Duration, Duration)> {
    let mut events = client.watch(None);
    events.next().await.context("a watch does not end")??;
    let mut times = Vec::new();
    for (n, id) in ids.iter().rev().cycle().take(CHANGES).enumerate() {
        let version = client.get(id).await?.resource_version;
        let record = ObjectRef::cluster(Kind::of::<Namespace>(), id.namespace());
        let patch = MetadataPatch::at(version).annotate(urumi_core::record::NAME, format!("Scale {n}"));
        let began = Instant::now();
        let written = cluster.backend.patch_metadata(&record, &patch).await?;
        let version = written.resource_version().context("a version")?;
        let seen = async {
            loop {
                match events.next().await.context("a watch does not end")? {
                    Ok(StoreEvent::Changed(store)) if store.resource_version == version => break,
                    _ => {}
                }
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, seen).await.context("waiting for a change")??;
        times.push(began.elapsed());
    }
    Ok((quantile(&times, 0.5), quantile(&times, 0.99)))
}

/// The median and the 99th percentile of the time from the deletion of a store's Service until the monitor has made it anew.
async fn repairs(cluster: &BenchCluster, ids: &[StoreId]) -> Result<(Duration, Duration)> {
    let mut times = Vec::new();
    for id in ids.iter().rev().take(REPAIRS) {
        let service = ObjectRef::namespaced(Kind::of::<Service>(), id.namespace(), "medusa-storefront");
        let found = cluster.backend.get(&service).await?.context("a Service")?;
        let uid = found.uid().context("a uid")?;
        let query = Query::all(service.kind.clone()).in_namespace(id.namespace()).named(&service.name);
        let mut events = cluster.backend.watch(&query);
        events.next().await.context("a watch does not end")??;
        let began = Instant::now();
        cluster.backend.delete(&service, &Preconditions::uid(uid)).await?;
        let made_anew = async {
            loop {
                match events.next().await.context("a watch does not end")?? {
                    WatchEvent::Applied(object) if object.uid() != Some(uid) => return anyhow::Ok(()),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, made_anew).await.context("waiting for a repair")??;
        times.push(began.elapsed());
    }
    Ok((quantile(&times, 0.5), quantile(&times, 0.99)))
}

/// The same while pods come and go in the namespace of one store, which has this many already.
async fn repairs_beside(pods: usize, cluster: &BenchCluster, ids: &[StoreId]) -> Result<(Duration, Duration)> {
    let (first, others) = ids.split_first().context("a store")?;
    let crowd = Crowd::gather(cluster, first, pods).await?;
    let repairs = async {
        let measured = repairs(cluster, others).await;
        crowd.leave();
        measured
    };
    let (measured, stirred) = tokio::join!(repairs, crowd.stir());
    stirred?;
    measured
}

/// The share of a core, and the requests besides watches, of a minute in which nothing happens.
async fn quiet_minute(server: &ServerProcess, log: &std::path::Path) -> Result<(f64, usize)> {
    let (before, from) = (server.processor_time()?, audit::length(log)?);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let used = server.processor_time()?.saturating_sub(before);
    let requests = Requests::of(log, from)?;
    Ok((used.as_secs_f64() / 60.0, requests.total()))
}

/// The median time of a list of 50 stores.
async fn list_time(server: &ServerProcess) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..50 {
        let began = Instant::now();
        let answer = server.get("/stores?limit=50").await?;
        times.push(began.elapsed());
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer:.200}");
    }
    Ok(median(&times))
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn table(empty: u64, all: &[Figures]) -> String {
    let mut out = format!(
        "RSS without stores: {:.1} MiB\n\n| stores | RSS, MiB | KiB a store | stores/s | floor's | ratio | creations a store | \
         refused creations | conflicts | reads a store | patches a store | `GET /stores?limit=50` | change seen, median / p99 | quiet minute | restart | \
         peak of its RSS, MiB | etcd, MiB |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        mib(empty)
    );
    for f in all {
        let per_store = |count: usize| count as f64 / f.created.max(1) as f64;
        out.push_str(&format!(
            "| {} | {:.1} | {:.0} | {:.1} | {:.1} | {:.2} | {:.1} | {} | {} | {:.2} | {:.1} | {:.1?} | {:.1?} / {:.1?} | {:.2} % of a \
             core, {} requests | {:.1?} | {:.1} | {:.0} |\n",
            f.stores,
            mib(f.resident),
            f.resident.saturating_sub(empty) as f64 / 1024.0 / f.stores.max(1) as f64,
            f.rate,
            f.floor,
            f.rate / f.floor,
            per_store(f.requests.created),
            f.requests.refused,
            f.requests.conflicts,
            per_store(f.requests.reads),
            per_store(f.requests.patches),
            f.list,
            f.change.0,
            f.change.1,
            f.quiet.0 * 100.0,
            f.quiet.1,
            f.restart,
            mib(f.peak),
            mib(f.database),
        ));
    }
    out
}
