//! A stub orchestrator for tests of single events: its watch delivers the events that the test sends.

use std::sync::Mutex;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use urumi_core::engine::EngineInfo;
use urumi_core::orchestrator::LogLines;
use urumi_core::store::StoreOptions;
use urumi_core::store::credentials::Credentials;
use urumi_core::store::logs::LogQuery;
use urumi_core::store::preview::{Difference, Preview};
use urumi_core::store::smoke::SmokeReport;
use urumi_core::store::timeline::TimelineEntry;
use urumi_core::{
    Action, CreateStore, Creation, Error, Precondition, Result, Store, StoreEvent, StoreId, StoreOrchestrator,
    StoreStream,
};

/// Can be watched once; all other methods fail.
pub(crate) struct StubOrchestrator(Mutex<Option<mpsc::UnboundedReceiver<Result<StoreEvent>>>>);

impl StubOrchestrator {
    /// A stub, and the sender of the events of its watch.
    pub(crate) fn new() -> (StubOrchestrator, mpsc::UnboundedSender<Result<StoreEvent>>) {
        let (events, receiver) = mpsc::unbounded_channel();
        (StubOrchestrator(Mutex::new(Some(receiver))), events)
    }
}

/// A store of the user `ann`.
pub(crate) fn store(id: &str, created: i64, version: u64) -> Store {
    let id = StoreId::parse(id).unwrap();
    let created = Timestamp::from_second(created).unwrap();
    let mut store = Store::new(id.clone(), format!("Shop {id}"), "medusa", created);
    store.owner = Some("user:ann".to_owned());
    store.resource_version = version.to_string();
    store
}

fn unknown<T>() -> Result<T> {
    Err(Error::NoMatch { given: "anything".to_owned() })
}

#[async_trait]
impl StoreOrchestrator for StubOrchestrator {
    fn watch(&self, _id: Option<&StoreId>) -> StoreStream {
        let events = self.0.lock().unwrap().take().expect("the server watches once");
        stream::unfold(events, async |mut events| Some((events.recv().await?, events))).boxed()
    }
    async fn create(&self, _request: CreateStore) -> Result<Creation> {
        unknown()
    }
    async fn preview(&self, _request: CreateStore) -> Result<Preview> {
        unknown()
    }
    async fn get(&self, _id: &StoreId) -> Result<Store> {
        unknown()
    }
    async fn list(&self) -> Result<Vec<Store>> {
        unknown()
    }
    async fn delete_if(&self, _id: &StoreId, _expected: &Precondition) -> Result<Store> {
        unknown()
    }
    async fn act_if(&self, _id: &StoreId, _action: Action, _expected: &Precondition) -> Result<Store> {
        unknown()
    }
    async fn engines(&self) -> Result<Vec<EngineInfo>> {
        unknown()
    }
    async fn manifests(&self, _id: &StoreId) -> Result<Vec<Value>> {
        unknown()
    }
    async fn options(&self, _id: &StoreId) -> Result<StoreOptions> {
        unknown()
    }
    async fn differences(&self, _id: &StoreId) -> Result<Vec<Difference>> {
        unknown()
    }
    async fn timeline(&self, _id: &StoreId) -> Result<Vec<TimelineEntry>> {
        unknown()
    }
    async fn credentials(&self, _id: &StoreId, _reveal: bool) -> Result<Credentials> {
        unknown()
    }
    async fn smoke_if(&self, _id: &StoreId, _expected: &Precondition) -> Result<SmokeReport> {
        unknown()
    }
    async fn logs(&self, _id: &StoreId, _query: &LogQuery) -> Result<LogLines> {
        unknown()
    }
}
