use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::kinds::NAMESPACE;
use super::*;
use crate::cluster::{InMemoryCluster, LogStream, WatchStream};
use crate::kubernetes::{
    Access, ClusterError, LabelRequirement, LogOptions, MetadataPatch, Preconditions, Query, TokenReview,
};
use crate::kubernetes::{Object, ObjectRef};
use crate::secret::SecretString;

fn lively() -> InMemoryCluster {
    InMemoryCluster::builder()
        .readiness_delay(Duration::from_secs(2))
        .termination_delay(Duration::from_secs(1))
        .latency(Duration::from_millis(2))
        .build()
}

#[tokio::test(start_paused = true)]
async fn the_in_memory_cluster_conforms() {
    let cluster = lively();
    let report = run(Arc::new(cluster.clone()), Options::default()).await;
    assert_eq!(report.failed().chain(report.skipped()).count(), 0, "{report}");
    assert_eq!(report.checks().len(), CHECKS.len());

    tokio::time::sleep(Duration::from_secs(5)).await;
    let ours = Query::all(NAMESPACE).labelled(LabelRequirement::Exists(LABEL.into()));
    assert_eq!(cluster.list(&ours).await.unwrap(), [], "the suite cleans up after itself");
}

#[tokio::test]
async fn the_in_memory_cluster_conforms_where_everything_happens_at_once() {
    let report = run(Arc::new(InMemoryCluster::default()), Options::default()).await;
    assert_eq!(report.failed().count(), 0, "{report}");
    let skipped: Vec<&str> = report.skipped().map(|check| check.name).collect();
    assert_eq!(skipped, ["namespaces::nothing_is_created_in_a_terminating_namespace"], "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_decorator_conforms() {
    let counting = Counting { inner: lively(), writes: AtomicUsize::new(0), forgetful: false };
    let report = run(Arc::new(counting), Options::default()).await;
    assert_eq!(report.failed().chain(report.skipped()).count(), 0, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_breaks_the_contract_is_found_out() {
    let forgetful = Counting { inner: lively(), writes: AtomicUsize::new(0), forgetful: true };
    let report = run(Arc::new(forgetful), Options { deadline: Duration::from_secs(30), ..Options::default() }).await;
    let failed: Vec<&str> = report.failed().map(|check| check.name).collect();
    assert!(failed.contains(&"objects::apply_sets_ours_and_keeps_the_rest"), "{report}");
    assert!(failed.contains(&"watching::the_last_state_is_always_seen"), "{report}");
    let message = report.into_result().unwrap_err().to_string();
    assert!(message.contains("FAILED"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_tried_is_said_to_be_skipped() {
    let options = Options { workloads: false, ..Options::default() };
    let report = run(Arc::new(lively()), options).await.into_result().unwrap();
    assert_eq!(report.skipped().count(), 10);
    assert!(report.to_string().contains("no pods become ready on this cluster"), "{report}");
}

/// Counts writes and otherwise passes everything on; a forgetful one loses every apply.
struct Counting {
    inner: InMemoryCluster,
    writes: AtomicUsize,
    forgetful: bool,
}

#[async_trait]
impl ClusterBackend for Counting {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.create(object).await
    }
    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        if self.forgetful {
            return Ok(object.clone());
        }
        self.inner.apply(object).await
    }
    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        self.inner.own_created(object, released).await
    }
    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
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
        self.inner.patch_metadata(object, patch).await
    }
    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
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
