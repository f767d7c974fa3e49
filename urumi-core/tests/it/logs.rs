//! The logs of a store on the in-memory cluster, whose containers write when they start, are ready and exit.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::cluster::InMemoryCluster;
use urumi_core::error::Error;
use urumi_core::kubernetes::{Kind, ObjectRef};
use urumi_core::orchestrator::LogLines;
use urumi_core::store::logs::{LogLine, LogQuery};
use urumi_core::store::wait::Ready;
use urumi_core::{CreateStore, Orchestrator, ReadinessMonitor, StoreId, StoreOrchestrator, StoreOrchestratorExt};

/// How long pods take to start and to end.
const DELAY: Duration = Duration::from_secs(10);
const START: &str = "starting postgres from postgres:15-alpine";
const READY: &str = "ready, listening on port 5432";
const FATAL: &str = "fatal: exiting with code 1";

async fn shop() -> (InMemoryCluster, Orchestrator, StoreId) {
    let cluster = InMemoryCluster::builder().readiness_delay(DELAY).termination_delay(DELAY).build();
    let urumi = Orchestrator::builder(cluster.clone()).build();
    let store = urumi.create(CreateStore::new("Shop", "medusa").id("shop")).await.unwrap().into_store();
    (cluster, urumi, store.id)
}

fn database() -> LogQuery {
    LogQuery::default().component("database")
}

fn object(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef::namespaced(kind, "store-shop", name)
}

async fn next(lines: &mut LogLines) -> Option<LogLine> {
    let line = timeout(DELAY * 100, lines.next()).await.expect("neither a line nor the end comes");
    line.map(Result::unwrap)
}

async fn texts(lines: &mut LogLines, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(next(lines).await.expect("the logs have ended").text);
    }
    texts
}

#[tokio::test(start_paused = true)]
async fn followed_logs_show_pods_that_come_later_and_restart_until_the_store_is_gone() {
    let (cluster, urumi, id) = shop().await;
    let mut lines = urumi.logs(&id, &database().follow(true).tail(1)).await.unwrap();
    assert_eq!(texts(&mut lines, 2).await, [START, READY], "a container that starts later is read from its beginning");
    cluster.crash(&object(Kind::of::<StatefulSet>(), "postgres"));
    assert_eq!(texts(&mut lines, 3).await, [FATAL, START, READY]);
    assert!(cluster.remove(&object(Kind::of::<Pod>(), "postgres-0")));
    assert_eq!(texts(&mut lines, 2).await, [START, READY], "a pod of the same name is another one");
    urumi.delete(&id).await.unwrap();
    assert_eq!(next(&mut lines).await, None);
    assert_eq!(cluster.open_watches(), 0);
}

#[tokio::test(start_paused = true)]
async fn followed_logs_begin_with_the_end_of_what_is_there() {
    let (cluster, urumi, id) = shop().await;
    sleep(DELAY * 2).await;
    for (tail, shown) in [(1, vec![READY]), (0, vec![])] {
        let mut lines = urumi.logs(&id, &database().follow(true).tail(tail)).await.unwrap();
        assert_eq!(texts(&mut lines, shown.len()).await, shown);
        assert!(timeout(DELAY, lines.next()).await.is_err(), "there is more than was asked for");
        cluster.crash(&object(Kind::of::<StatefulSet>(), "postgres"));
        assert_eq!(texts(&mut lines, 3).await, [FATAL, START, READY], "after a tail of {tail}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_components_are_followed_and_no_line_comes_twice() {
    let (cluster, urumi, id) = shop().await;
    let lines = urumi.logs(&id, &LogQuery::default().follow(true)).await.unwrap();
    let reading = tokio::spawn(lines.map(Result::unwrap).collect::<Vec<_>>());
    for workload in ["medusa-api", "medusa-storefront"] {
        sleep(DELAY * 3).await;
        cluster.crash(&object(Kind::of::<Deployment>(), workload));
        sleep(DELAY * 3).await;
    }
    urumi.delete(&id).await.unwrap();
    let seen = timeout(DELAY * 100, reading).await.expect("the logs do not end").unwrap();
    // In the cluster in memory, no two lines have the same time.
    let mut times: Vec<_> = seen.iter().map(|line| line.timestamp.unwrap()).collect();
    times.sort_unstable();
    times.dedup();
    assert_eq!(times.len(), seen.len(), "{seen:#?}");
    for component in ["database", "api", "storefront"] {
        assert!(seen.iter().any(|line| line.component == component), "{component} is missing: {seen:#?}");
    }
    let fatal = |component: &str| seen.iter().filter(|l| l.component == component && l.text == FATAL).count();
    assert_eq!((fatal("api"), fatal("storefront"), fatal("database")), (1, 1, 0), "{seen:#?}");
}

#[tokio::test(start_paused = true)]
async fn earlier_runs_and_recent_lines_can_be_asked_for() {
    let (cluster, urumi, id) = shop().await;
    sleep(DELAY * 2).await;
    let read = async |query: LogQuery| -> Vec<String> {
        urumi.logs(&id, &query).await.unwrap().map(|line| line.unwrap().text).collect().await
    };
    assert_eq!(read(database().previous(true)).await, Vec::<String>::new(), "there was no earlier run");
    cluster.crash(&object(Kind::of::<StatefulSet>(), "postgres"));
    sleep(DELAY * 3).await;
    assert_eq!(read(database().previous(true)).await, [START, READY, FATAL]);
    assert_eq!(read(database()).await, [START, READY]);
    assert_eq!(read(database().since(DELAY)).await, Vec::<String>::new());
    assert_eq!(read(database().since(DELAY * 10)).await, [START, READY]);
    let refused = urumi.logs(&id, &database().previous(true).follow(true)).await.err().unwrap();
    assert!(matches!(&refused, Error::Invalid(errors) if errors[0].field == "previous"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn the_jobs_of_a_store_are_components_too() {
    let (_cluster, urumi, id) = shop().await;
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let _stop = stop.clone().drop_guard();
    ReadinessMonitor::new(urumi.clone()).spawn(&tasks, stop);
    let read = async |query: LogQuery| -> Vec<LogLine> {
        urumi.logs(&id, &query).await.unwrap().map(Result::unwrap).collect().await
    };
    let of = |component: &str| LogQuery::default().component(component);
    assert!(read(of("smoke")).await.is_empty(), "no order was placed");
    urumi.wait_until(&id, Ready.or_failed(), DELAY * 100).await.unwrap();
    urumi.smoke(&id).await.unwrap();
    for component in ["proof-of-life", "smoke"] {
        let lines = read(of(component)).await;
        assert_eq!(lines.last().map(|line| line.text.as_str()), Some("done"), "{component}");
        assert!(lines.iter().all(|line| line.component == component && line.pod.starts_with(component)), "{lines:?}");
    }
    let all: BTreeSet<String> = read(LogQuery::default()).await.into_iter().map(|line| line.component).collect();
    assert_eq!(Vec::from_iter(all), ["api", "database", "proof-of-life", "smoke", "storefront"]);
    let unknown = urumi.logs(&id, &of("cache")).await.err().unwrap().to_string();
    assert!(unknown.contains("it has database, api, storefront, proof-of-life, smoke"), "{unknown}");
}
