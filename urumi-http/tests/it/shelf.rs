//! An orchestrator whose stores are put on it by the test: for what depends on every single change.

use std::sync::Mutex;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use urumi_core::engine::EngineInfo;
use urumi_core::orchestrator::LogLines;
use urumi_core::store::credentials::Credentials;
use urumi_core::store::logs::LogQuery;
use urumi_core::store::preview::{Difference, Preview};
use urumi_core::store::smoke::SmokeReport;
use urumi_core::store::timeline::TimelineEntry;
use urumi_core::{
    Action, CreateStore, Creation, Error, Precondition, Result, Store, StoreEvent, StoreId, StoreOrchestrator,
    StoreStream,
};

/// Watched once; everything else it does not know.
pub(crate) struct Shelf(Mutex<Option<mpsc::UnboundedReceiver<Result<StoreEvent>>>>);

impl Shelf {
    /// A shelf, and where what is seen on it is put.
    pub(crate) fn new() -> (Shelf, mpsc::UnboundedSender<Result<StoreEvent>>) {
        let (put, seen) = mpsc::unbounded_channel();
        (Shelf(Mutex::new(Some(seen))), put)
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
impl StoreOrchestrator for Shelf {
    fn watch(&self, _id: Option<&StoreId>) -> StoreStream {
        let seen = self.0.lock().unwrap().take().expect("the server watches once");
        stream::unfold(seen, async |mut seen| Some((seen.recv().await?, seen))).boxed()
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
