//! The request that creates a store and the monitors, in its process and in others, do not create the same objects.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{join_all, pending};
use k8s_openapi::api::core::v1::Secret;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use urumi_core::cluster::{ClusterBackend, InMemoryCluster, LogStream, WatchStream};
use urumi_core::kubernetes::{
    Access, ClusterError, ClusterErrorKind, Kind, LogOptions, MetadataPatch, Object, ObjectRef, Preconditions, Query,
    TokenReview, Verb,
};
use urumi_core::secret::SecretString;
use urumi_core::store::wait::Ready;
use urumi_core::{CreateStore, Orchestrator, ReadinessMonitor, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use crate::support::{PATIENCE, Running};

/// How soon a creation whose process has died is complete: from its last change, or from the start of a new process.
const RESUMED_WITHIN: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);

/// A request of a process, and its outcome.
#[derive(Clone, Debug)]
struct Sent {
    verb: Verb,
    kind: String,
    failed: Option<ClusterErrorKind>,
    carried_out: Instant,
}

/// The cluster as one process sees it. A write takes between half of `takes` and all of it, and is carried out in the middle of
/// that time. After `lives` requests the process is dead: nothing more that it sends is carried out or answered.
#[derive(Clone)]
struct Process {
    cluster: InMemoryCluster,
    takes: Duration,
    lives: usize,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Process {
    fn new(cluster: &InMemoryCluster, takes: Duration) -> Process {
        Process { cluster: cluster.clone(), takes, lives: usize::MAX, sent: Arc::default() }
    }

    fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    fn count(&self, verb: Verb) -> usize {
        self.sent().iter().filter(|sent| sent.verb == verb).count()
    }

    /// The creations that were refused because their object existed.
    fn refused(&self) -> Vec<String> {
        let there = |sent: &Sent| sent.failed == Some(ClusterErrorKind::AlreadyExists);
        self.sent().into_iter().filter(there).map(|sent| sent.kind).collect()
    }

    async fn write<T>(
        &self,
        (verb, kind): (Verb, &Kind),
        then: impl Future<Output = Result<T, ClusterError>> + Send,
    ) -> Result<T, ClusterError> {
        let number = self.sent().len() as u32;
        let half = self.takes * (2 + number % 3) / 8;
        sleep(half).await;
        if self.sent().len() >= self.lives {
            return pending().await;
        }
        let result = then.await;
        let failed = result.as_ref().err().map(ClusterError::kind);
        self.sent.lock().unwrap().push(Sent { verb, kind: kind.kind.to_string(), failed, carried_out: Instant::now() });
        sleep(half).await;
        if self.sent().len() >= self.lives {
            return pending().await;
        }
        result
    }

    fn read(&self, verb: Verb, kind: &Kind) {
        self.sent.lock().unwrap().push(Sent {
            verb,
            kind: kind.kind.to_string(),
            failed: None,
            carried_out: Instant::now(),
        });
    }
}

#[async_trait]
impl ClusterBackend for Process {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        self.write((Verb::Create, object.kind()), self.cluster.create(object)).await
    }
    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        self.write((Verb::Apply, object.kind()), self.cluster.apply(object)).await
    }
    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        self.cluster.own_created(object, released).await
    }
    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        self.write((Verb::Replace, object.kind()), self.cluster.replace(object)).await
    }
    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        self.write((Verb::PatchMetadata, &object.kind), self.cluster.patch_metadata(object, patch)).await
    }
    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
        self.write((Verb::Delete, &object.kind), self.cluster.delete(object, expected)).await
    }
    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        self.read(Verb::Get, &object.kind);
        self.cluster.get(object).await
    }
    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        self.read(Verb::List, &query.kind);
        self.cluster.list(query).await
    }
    fn watch(&self, query: &Query) -> WatchStream {
        self.cluster.watch(query)
    }
    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        self.cluster.logs(pod, options).await
    }
    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        self.cluster.may(access).await
    }
    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        self.cluster.review_token(token, audiences).await
    }
    async fn version(&self) -> Result<String, ClusterError> {
        self.cluster.version().await
    }
}

fn memory() -> InMemoryCluster {
    InMemoryCluster::builder().readiness_delay(Duration::from_millis(500)).build()
}

fn orchestrator(cluster: impl ClusterBackend) -> Orchestrator {
    Orchestrator::builder(cluster).build()
}

fn monitor(orchestrator: &Orchestrator) -> Running {
    Running::start(ReadinessMonitor::new(orchestrator.clone()))
}

/// Creates stores at once and waits until all are ready.
async fn create(urumi: &Orchestrator, stores: usize) {
    join_all((0..stores).map(async |n| {
        let store = urumi.create(CreateStore::new(format!("Shop {n}"), "medusa")).await.unwrap().into_store();
        urumi.wait_until(&store.id, Ready.or_failed(), 10 * PATIENCE).await.unwrap();
    }))
    .await;
}

/// The number of objects of a store, its record included.
fn objects(urumi: &Orchestrator) -> usize {
    urumi.render(&urumi.prepare(&CreateStore::new("Shop", "medusa")).unwrap()).unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn a_slow_creation_is_not_repeated_by_the_monitor_of_its_process() {
    for (takes, stores) in [(SECOND / 10, 16), (2 * SECOND, 16), (2 * SECOND, 1), (12 * SECOND, 1)] {
        let cluster = memory();
        let process = Process::new(&cluster, takes);
        let urumi = orchestrator(process.clone());
        let _monitor = monitor(&urumi);
        create(&urumi, stores).await;
        assert_eq!(process.refused(), Vec::<String>::new(), "{takes:?}");
        assert_eq!(process.count(Verb::Create), stores * objects(&urumi), "{takes:?}");
        assert_eq!(process.count(Verb::Get) + process.count(Verb::List), 0, "{takes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_creation_is_not_repeated_by_the_monitor_of_another_process() {
    for (takes, stores) in [(SECOND / 10, 16), (2 * SECOND, 16), (2 * SECOND, 1), (6 * SECOND, 1)] {
        let cluster = memory();
        let (creating, leading) = (Process::new(&cluster, takes), Process::new(&cluster, takes));
        let urumi = orchestrator(creating.clone());
        let _monitor = monitor(&orchestrator(leading.clone()));
        create(&urumi, stores).await;
        assert_eq!(creating.refused(), Vec::<String>::new(), "{takes:?}");
        assert_eq!(leading.count(Verb::Create), 0, "{takes:?}");
        assert_eq!(leading.count(Verb::Apply), 0, "{takes:?}");
        for process in [&creating, &leading] {
            assert_eq!(process.count(Verb::Get) + process.count(Verb::List), 0, "{takes:?}");
        }
        // A single store waits for nothing but its own writes.
        if stores == 1 {
            assert!(creating.count(Verb::Apply) <= 2, "{} heartbeats", creating.count(Verb::Apply));
        }
    }
}

/// A creation by a process that dies after so many writes.
fn dying_creation(cluster: &InMemoryCluster, lives: usize, id: &StoreId) -> (Process, Orchestrator, JoinHandle<()>) {
    let process = Process { lives, ..Process::new(cluster, Duration::from_millis(100)) };
    let urumi = orchestrator(process.clone());
    let (creating, request) = (urumi.clone(), CreateStore::new("Shop", "medusa").id(id.as_str()));
    let request = tokio::spawn(async move { creating.create(request).await.map(drop).unwrap() });
    (process, urumi, request)
}

/// Waits until every object of the store exists, and says when that was.
async fn completed(cluster: &InMemoryCluster, id: &StoreId) -> Instant {
    let looking = orchestrator(cluster.clone());
    let began = Instant::now();
    while looking.diff(id).await.map_or(true, |plan| !plan.is_empty()) {
        assert!(began.elapsed() < PATIENCE, "{:?}", looking.diff(id).await);
        sleep(Duration::from_millis(250)).await;
    }
    Instant::now()
}

/// The Secret that no second process may create anew.
async fn password(cluster: &InMemoryCluster, id: &StoreId) -> Option<Object> {
    let secret = ObjectRef::namespaced(Kind::of::<Secret>(), id.namespace(), "postgres-credentials");
    cluster.get(&secret).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_process_dies_is_soon_finished_by_another_process() {
    let id = StoreId::parse("shop").unwrap();
    for lives in 1..objects(&orchestrator(memory())) {
        let cluster = memory();
        let survivor = orchestrator(Process::new(&cluster, Duration::ZERO));
        let _monitor = monitor(&survivor);
        let (process, _urumi, request) = dying_creation(&cluster, lives, &id);
        sleep(SECOND).await;
        let (drawn, last) = (password(&cluster, &id).await, process.sent().last().unwrap().carried_out);
        assert!(!request.is_finished(), "it is dead");
        let took = completed(&cluster, &id).await - last;
        assert!(took <= RESUMED_WITHIN, "{took:?} after {lives} writes");
        if let Some(drawn) = drawn {
            assert_eq!(password(&cluster, &id).await, Some(drawn), "{lives} writes");
        }
        survivor.wait_until(&id, Ready.or_failed(), PATIENCE).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_process_dies_is_soon_finished_after_its_restart() {
    let id = StoreId::parse("shop").unwrap();
    for lives in 1..objects(&orchestrator(memory())) {
        let cluster = memory();
        let (_process, urumi, request) = dying_creation(&cluster, lives, &id);
        let before = monitor(&urumi);
        sleep(SECOND).await;
        request.abort();
        drop(before);
        let restarted = orchestrator(Process::new(&cluster, Duration::ZERO));
        let (_monitor, started) = (monitor(&restarted), Instant::now());
        let took = completed(&cluster, &id).await - started;
        assert!(took <= RESUMED_WITHIN, "{took:?} after {lives} writes");
        restarted.wait_until(&id, Ready.or_failed(), PATIENCE).await.unwrap();
    }
}

/// The client of a server has gone away.
#[tokio::test(start_paused = true)]
async fn a_creation_that_is_cancelled_is_finished_by_its_process_at_once() {
    let id = StoreId::parse("shop").unwrap();
    let cluster = memory();
    let process = Process::new(&cluster, SECOND);
    let urumi = orchestrator(process.clone());
    let _monitor = monitor(&urumi);
    let request = CreateStore::new("Shop", "medusa").id(id.as_str());
    let cancelled = tokio::time::timeout(SECOND + SECOND / 2, urumi.create(request)).await;
    assert!(cancelled.is_err());
    let (at, sent) = (Instant::now(), process.count(Verb::Create));
    assert!(sent < objects(&urumi), "it was cancelled too late");
    let took = completed(&cluster, &id).await - at;
    // The quiet period, and two waves of writes.
    assert!(took <= 4 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_a_store_that_this_process_is_creating_costs_one_read() {
    let id = StoreId::parse("shop").unwrap();
    let process = Process::new(&memory(), 2 * SECOND);
    let urumi = orchestrator(process.clone());
    let request = CreateStore::new("Shop", "medusa").id(id.as_str());
    let (created, ()) = tokio::join!(urumi.create(request), async {
        sleep(2 * SECOND).await;
        urumi.retry(&id).await.unwrap();
    });
    created.unwrap();
    assert_eq!(process.refused(), Vec::<String>::new());
    assert_eq!((process.count(Verb::Get), process.count(Verb::Create)), (1, objects(&urumi)));
}
