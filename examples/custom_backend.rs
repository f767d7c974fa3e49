//! A custom backend: a decorator that records every write and passes the whole conformance suite.
#![allow(clippy::print_stdout, reason = "an example prints its results")]
// Without this lint, a decorator that lacks a method would silently use the trait's default.
#![deny(clippy::missing_trait_methods)]

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use urumi_core::cluster::{ClusterBackend, InMemoryCluster, LogStream, WatchStream};
use urumi_core::kubernetes::{Access, ClusterError, LogOptions, MetadataPatch, Preconditions, Query, TokenReview};
use urumi_core::kubernetes::{Object, ObjectRef};
use urumi_core::secret::SecretString;
use urumi_core::testing::cluster as conformance;
use urumi_core::{CreateStore, Orchestrator, StoreOrchestrator};

/// Records every write before it forwards it.
struct Recorded<B> {
    inner: B,
    writes: Arc<Mutex<Vec<String>>>,
}

impl<B> Recorded<B> {
    fn record(&self, write: String) {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).push(write);
    }
}

#[async_trait]
impl<B: ClusterBackend> ClusterBackend for Recorded<B> {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        self.record(format!("create {}", object.reference()));
        self.inner.create(object).await
    }

    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        self.record(format!("apply {}", object.reference()));
        self.inner.apply(object).await
    }

    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        self.inner.own_created(object, released).await
    }

    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        self.record(format!("replace {}", object.reference()));
        self.inner.replace(object).await
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        self.inner.get(object).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        self.inner.list(query).await
    }

    fn watch(&self, query: &Query) -> WatchStream {
        self.inner.watch(query)
    }

    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        self.record(format!("patch the metadata of {object}"));
        self.inner.patch_metadata(object, patch).await
    }

    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
        self.record(format!("delete {object}"));
        self.inner.delete(object, expected).await
    }

    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        self.inner.logs(pod, options).await
    }

    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        self.inner.may(access).await
    }

    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        self.inner.review_token(token, audiences).await
    }

    async fn version(&self) -> Result<String, ClusterError> {
        self.inner.version().await
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let backend = || Recorded { inner: InMemoryCluster::default(), writes: Arc::default() };

    let report = conformance::run(Arc::new(backend()), conformance::Options::default()).await;
    println!("{report}");
    report.into_result()?;

    let recorded = backend();
    let writes = recorded.writes.clone();
    let urumi = Orchestrator::builder(recorded).build();
    let store = urumi.create(CreateStore::new("Recorded", "medusa")).await?.into_store();
    println!("writes of the creation of store {}:", store.id);
    for write in writes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("  {write}");
    }
    Ok(())
}
