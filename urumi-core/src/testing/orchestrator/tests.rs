use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Namespace;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::*;
use crate::cluster::{ClusterBackend, InMemoryCluster};
use crate::engine::EngineInfo;
use crate::error::Result;
use crate::kubernetes::Kind;
use crate::kubernetes::{LabelRequirement, Query};
use crate::monitor::ReadinessMonitor;
use crate::orchestrator::LogLines;
use crate::orchestrator::local::Orchestrator;
use crate::orchestrator::{Action, Precondition, StoreStream};
use crate::store::credentials::Credentials;
use crate::store::logs::LogQuery;
use crate::store::preview::{Difference, Preview};
use crate::store::smoke::SmokeReport;
use crate::store::timeline::TimelineEntry;
use crate::store::{CreateStore, Creation, Store, StoreId, StoreOptions};

fn lively() -> InMemoryCluster {
    InMemoryCluster::builder()
        .readiness_delay(Duration::from_secs(2))
        .termination_delay(Duration::from_secs(1))
        .latency(Duration::from_millis(2))
        .build()
}

fn options() -> Options {
    let failing = json!({"api": {"image": "fail.example/image-pull/medusa:1"}});
    Options { failing: failing.as_object().cloned(), ..Options::default() }
}

/// An orchestrator with a monitor that runs until the guard is dropped.
fn monitored(cluster: InMemoryCluster) -> (Orchestrator, DropGuard) {
    // Deadlines pass with tokio's clock, which these tests pause.
    let (wall, start) = (Timestamp::now(), Instant::now());
    let clock = move || wall + SignedDuration::try_from(start.elapsed()).unwrap();
    let urumi = Orchestrator::builder(cluster).clock(clock).build();
    let stop = CancellationToken::new();
    ReadinessMonitor::new(urumi.clone()).deadline(Duration::from_secs(20)).spawn(&TaskTracker::new(), stop.clone());
    (urumi, stop.drop_guard())
}

#[tokio::test(start_paused = true)]
async fn the_orchestrator_conforms() {
    let cluster = lively();
    let (urumi, _monitor) = monitored(cluster.clone());
    let report = run(Arc::new(urumi), options()).await;
    assert_eq!(report.failed().chain(report.skipped()).count(), 0, "{report}");
    assert_eq!(report.checks().len(), CHECKS.len());

    tokio::time::sleep(Duration::from_secs(5)).await;
    let stores = LabelRequirement::Exists(crate::record::ENABLED.into());
    let left = Query::all(Kind::of::<Namespace>()).labelled(stores);
    assert_eq!(cluster.list(&left).await.unwrap(), [], "the suite cleans up after itself");
}

#[tokio::test(start_paused = true)]
async fn the_orchestrator_conforms_where_everything_happens_at_once() {
    let (urumi, _monitor) = monitored(InMemoryCluster::default());
    let report = run(Arc::new(urumi), options()).await;
    assert_eq!(report.failed().chain(report.skipped()).count(), 0, "{report}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_tried_is_said_to_be_skipped() {
    let (urumi, _monitor) = monitored(lively());
    let options = Options { logs: false, ..Options::default() };
    let report = run(Arc::new(urumi), options).await.into_result().unwrap();
    assert_eq!(report.skipped().count(), 5, "{report}");
    assert!(report.to_string().contains("no options with which a store fails are known here"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn an_orchestrator_that_breaks_the_contract_is_found_out() {
    let (urumi, _monitor) = monitored(lively());
    let careless = Careless(urumi);
    let report = run(Arc::new(careless), options()).await;
    let failed: Vec<&str> = report.failed().map(|check| check.name).collect();
    for expected in [
        "creating::a_new_store_is_provisioning_and_as_asked_for",
        "repeating::the_same_key_is_the_same_store",
        "changing::a_deletion_obeys_its_precondition",
        "explaining::a_ready_store_has_no_differences",
        "watching::the_watch_of_one_store_shows_no_other",
        "reading::a_list_is_oldest_first",
    ] {
        assert!(failed.contains(&expected), "{expected}: {report}");
    }
}

/// Forgets keys, owners and preconditions, watches everything, lists backwards and swallows errors.
struct Careless(Orchestrator);

#[async_trait]
impl StoreOrchestrator for Careless {
    async fn create(&self, request: CreateStore) -> Result<Creation> {
        self.0.create(CreateStore { idempotency_key: None, owner: None, ..request }).await
    }
    async fn preview(&self, request: CreateStore) -> Result<Preview> {
        self.0.preview(request).await
    }
    async fn get(&self, id: &StoreId) -> Result<Store> {
        self.0.get(id).await
    }
    async fn list(&self) -> Result<Vec<Store>> {
        let mut stores = self.0.list().await?;
        stores.reverse();
        Ok(stores)
    }
    fn watch(&self, _id: Option<&StoreId>) -> StoreStream {
        self.0.watch(None)
    }
    async fn delete_if(&self, id: &StoreId, _expected: &Precondition) -> Result<Store> {
        self.0.delete_if(id, &Precondition::NONE).await
    }
    async fn act_if(&self, id: &StoreId, action: Action, _expected: &Precondition) -> Result<Store> {
        self.0.act_if(id, action, &Precondition::NONE).await
    }
    async fn engines(&self) -> Result<Vec<EngineInfo>> {
        StoreOrchestrator::engines(&self.0).await
    }
    async fn manifests(&self, id: &StoreId) -> Result<Vec<Value>> {
        self.0.manifests(id).await
    }
    async fn options(&self, id: &StoreId) -> Result<StoreOptions> {
        self.0.options(id).await
    }
    async fn differences(&self, id: &StoreId) -> Result<Vec<Difference>> {
        let object = id.to_string();
        Ok(vec![Difference { action: crate::store::preview::Repair::Create, object, fields: Vec::new() }])
    }
    async fn timeline(&self, id: &StoreId) -> Result<Vec<TimelineEntry>> {
        self.0.timeline(id).await
    }
    async fn credentials(&self, id: &StoreId, reveal: bool) -> Result<Credentials> {
        self.0.credentials(id, !reveal).await
    }
    async fn smoke_if(&self, id: &StoreId, _expected: &Precondition) -> Result<SmokeReport> {
        self.0.smoke_if(id, &Precondition::NONE).await
    }
    async fn logs(&self, id: &StoreId, query: &LogQuery) -> Result<LogLines> {
        self.0.logs(id, query).await
    }
}
