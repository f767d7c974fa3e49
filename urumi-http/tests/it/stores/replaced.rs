//! Requests act only on the store for which they were authorised: if the id becomes another owner's store during a
//! request, the caller gets no access to that store.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::StatusCode;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Namespace;
use urumi_core::cluster::{ClusterBackend, InMemoryCluster, LogStream, WatchStream};
use urumi_core::kubernetes::{
    Access, ClusterError, Kind, LogOptions, MetadataPatch, Object, ObjectRef, Preconditions, Query, TokenReview,
};
use urumi_core::record::STATUS;
use urumi_core::secret::SecretString;
use urumi_core::{CreateStore, Orchestrator, StoreOrchestrator};

use crate::test_server::{Ask, serve};

const ID: &str = "shop";

/// Every request that acts on a store or shows something of it, and the status that the store must have.
const REQUESTS: [(&str, &str, &str); 10] = [
    ("DELETE", "", "ready"),
    ("POST", "/retry", "failed"),
    ("POST", "/restart", "ready"),
    ("POST", "/smoke", "ready"),
    ("GET", "/credentials?reveal=true", "ready"),
    ("GET", "/logs", "ready"),
    ("GET", "/manifests", "ready"),
    ("GET", "/options", "ready"),
    ("GET", "/diff", "ready"),
    ("GET", "/events", "ready"),
];

fn record() -> ObjectRef {
    ObjectRef::cluster(Kind::of::<Namespace>(), format!("store-{ID}"))
}

/// Creates the store for an owner, and gives it a status without any monitor.
async fn create(cluster: &InMemoryCluster, owner: &str, status: &str) {
    let urumi = Orchestrator::builder(cluster.clone()).build();
    urumi.create(CreateStore::new("Shop", "medusa").id(ID).owner(owner)).await.unwrap();
    let with_status =
        |namespace: &mut Object| namespace.as_value_mut()["metadata"]["annotations"][STATUS] = status.into();
    cluster.modify(&record(), with_status).unwrap();
}

/// A cluster on which the store is deleted, and created again by `bob`, after its record was read a number of times.
struct Replaced {
    inner: InMemoryCluster,
    status: &'static str,
    reads_left: Mutex<Option<usize>>,
}

impl Replaced {
    /// Whether the store is to be replaced now, after one more read of its record.
    fn is_due(&self) -> bool {
        let mut left = self.reads_left.lock().unwrap();
        *left = left.and_then(|left| left.checked_sub(1));
        left.take_if(|left| *left == 0).is_some()
    }
}

#[async_trait]
impl ClusterBackend for Replaced {
    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        let found = self.inner.get(object).await;
        if *object == record() && self.is_due() {
            assert!(self.inner.remove(object));
            create(&self.inner, "user:bob", self.status).await;
        }
        found
    }
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        self.inner.create(object).await
    }
    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        self.inner.apply(object).await
    }
    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        self.inner.own_created(object, released).await
    }
    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        self.inner.replace(object).await
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

#[tokio::test(start_paused = true)]
async fn an_id_that_becomes_anothers_store_within_a_request_gives_access_to_nothing() {
    for (method, path, status) in REQUESTS {
        // Never; between the authorisation and the act; and between the act's first look at the store and its work.
        for reads in [None, Some(1), Some(2)] {
            let what = format!("{method} {path}, replaced after {reads:?} reads");
            let cluster = InMemoryCluster::default();
            create(&cluster, "user:ann", status).await;
            let replaced = Replaced { inner: cluster.clone(), status, reads_left: Mutex::new(reads) };
            let urumi = Orchestrator::builder(replaced).build();
            let (app, _tasks, stop) = serve(Arc::new(urumi), |builder| builder);
            let _stop = stop.drop_guard();
            let answer = Ask::new(app, method, &format!("/stores/{ID}{path}")).as_("ann-operator").send().await;
            if reads.is_none() {
                assert!(matches!(answer.status, StatusCode::OK | StatusCode::ACCEPTED), "{what}: {answer:?}");
                continue;
            }
            assert_eq!(answer.verdict(), (404, "not-found".to_owned()), "{what}: {answer:?}");
            let bobs = cluster.get(&record()).await.unwrap().unwrap();
            assert_eq!(bobs.annotation("store.urumi.ai/owner"), Some("user:bob"), "{what}");
            assert!(!bobs.is_terminating(), "{what}: bob's store is being deleted");
            assert_eq!(bobs.annotation(STATUS), Some(status), "{what}: bob's store has another status");
            let jobs = cluster.list(&Query::all(Kind::of::<Job>()).in_namespace(bobs.name())).await.unwrap();
            assert!(!jobs.iter().any(|job| job.name().starts_with("smoke-")), "{what}: bob's store was tried");
        }
    }
}
