//! The trait of a cluster, and its contract.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::kubernetes::{
    Access, ClusterError, LogOptions, MetadataPatch, Object, ObjectRef, Preconditions, Query, TokenReview, WatchEvent,
};
use crate::secret::SecretString;

/// A log as the server sends it, in pieces that need not end with a line.
pub type LogStream = BoxStream<'static, Result<Bytes, ClusterError>>;

/// A stream of [`WatchEvent`]s. It never ends by itself. Dropping it ends the watch.
pub type WatchStream = BoxStream<'static, Result<WatchEvent, ClusterError>>;

/// The operations of a Kubernetes cluster that urumi needs.
///
/// # Contract
/// - **Cancellation.** If a future is dropped, its write may have happened or not; every caller can repeat it.
/// - **Retries.** An implementation may retry a request after a transient failure, within a deadline that ends every call.
///   A retried write may therefore find the result of its own first attempt: on
///   [`AlreadyExists`](crate::kubernetes::ClusterErrorKind::AlreadyExists), callers check whether the object is theirs.
/// - **Clone.** Backends are cheap handles; clones share the cluster and its connections.
/// - **Errors** name the verb and the object, and say whether a retry may help ([`ClusterError::is_retryable`]).
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use k8s_openapi::api::core::v1::Namespace;
/// use urumi_core::cluster::{ClusterBackend, InMemoryCluster};
/// use urumi_core::kubernetes::{ClusterErrorKind, Kind, Object, Preconditions, Query};
///
/// let cluster = InMemoryCluster::default();
/// let manifest = serde_json::json!({"metadata": {"name": "store-1"}});
/// let manifest = Object::from_value(Kind::of::<Namespace>(), manifest)?;
/// let namespace = cluster.create(&manifest).await?;
/// let error = cluster.create(&manifest).await.unwrap_err();
/// assert_eq!(error.kind(), ClusterErrorKind::AlreadyExists);
///
/// cluster.delete(&namespace.reference(), &Preconditions::of(&namespace)).await?;
/// assert!(cluster.list(&Query::all(Kind::of::<Namespace>()).named("store-1")).await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ClusterBackend: Send + Sync + 'static {
    /// Creates an object and returns it as stored.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken, `NotFound` when its namespace is missing, `Terminating` when its
    /// namespace is being deleted, `Invalid` when the API server refuses a field (unknown fields included).
    async fn create(&self, object: &Object) -> Result<Object, ClusterError>;

    /// Applies an object server-side with the field manager [`FIELD_MANAGER`](crate::kubernetes::FIELD_MANAGER), by force:
    /// the fields that `object` has become ours. Fields that an earlier apply has set and this one leaves out are removed,
    /// unless another manager owns them too; [`create`](Self::create) and [`replace`](Self::replace) count as another
    /// manager. All other fields stay as they are. Creates the object if it is missing. If `object` has a `metadata.uid`,
    /// it is applied to the object with this uid only, and never created.
    ///
    /// # Errors
    /// As [`create`](Self::create), without `AlreadyExists`; `Conflict` when the object with that uid is gone, whatever has
    /// its name now.
    async fn apply(&self, object: &Object) -> Result<Object, ClusterError>;

    /// Counts what [`create`](Self::create) has set of an object as set by an apply, as far as no other manager has changed it
    /// since: the next [`apply`](Self::apply) then removes what it leaves out. It leaves the fields at `released`, JSON pointers
    /// of names such as `/spec/replicas`, as they are: they are not ours any more. An object that is missing is no error.
    ///
    /// # Errors
    /// `Conflict` when others kept changing the object; when the request to the cluster fails.
    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError>;

    /// Replaces an object whole and returns it as stored, if it is still at the `resourceVersion` that `object` has. What
    /// `object` leaves out is removed.
    ///
    /// # Errors
    /// `Conflict` when it has changed since, or was deleted and made again; `NotFound` when it is gone; `Invalid` when it
    /// names no `resourceVersion`, or the API server refuses a field.
    async fn replace(&self, object: &Object) -> Result<Object, ClusterError>;

    /// Reads one object; `None` when it (or its namespace) does not exist.
    ///
    /// # Errors
    /// When the request to the cluster fails.
    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError>;

    /// Lists all objects that match, ordered by namespace and name. No match is an empty list.
    ///
    /// # Errors
    /// When the request to the cluster fails.
    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError>;

    /// Watches all objects that match: first a [`WatchEvent::Snapshot`], then every change in the order of the server.
    /// After a gap (a lost connection, an expired `resourceVersion`) the stream reconnects, with back-off, and reports a
    /// new snapshot. Errors are reported, and the stream continues.
    ///
    /// Several changes in quick succession may be reported as one event, but the last state is always reported.
    fn watch(&self, query: &Query) -> WatchStream;

    /// Changes labels, annotations and finalizers of an object and returns it as stored. Keys that the patch does not
    /// name stay as they are.
    ///
    /// # Errors
    /// `Conflict` when the object has changed since the patch's `resourceVersion`, `NotFound` when it is gone, `Invalid`
    /// when the patch names no `resourceVersion`, or the API server refuses a value.
    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError>;

    /// Begins the deletion of an object and of the objects that it owns; a namespace is deleted with its contents. Returns
    /// when the deletion is accepted, not when it is complete: finalizers may delay it. Succeeds if the object with this
    /// uid is already being deleted.
    ///
    /// # Errors
    /// `NotFound` when there is no such object, also for a retry whose first attempt succeeded; `Conflict` when the uid or
    /// the `resourceVersion` is another one.
    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError>;

    /// Reads the log of one container of a pod, in pieces that need not end with a line. Without [`LogOptions::follow`] the
    /// stream ends after the present last line; with it, the stream ends when the container does. If the connection is
    /// lost earlier, the last item is an error. Dropping the stream closes the connection.
    ///
    /// There is a deadline for the beginning of the answer only: a container may write nothing for any time.
    ///
    /// # Errors
    /// `NotFound` when there is no such pod or, with [`LogOptions::previous`], no earlier run of the container;
    /// `Invalid` when the pod has no such container, or has several and the options name none; `Unavailable` (retryable)
    /// while the pod has no node or the container has not started; the message says why.
    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError>;

    /// Whether the caller has a permission (a SelfSubjectAccessReview).
    ///
    /// # Errors
    /// When the request to the cluster fails.
    async fn may(&self, access: &Access) -> Result<bool, ClusterError>;

    /// Authenticates a token (a TokenReview). An invalid or expired token, or one for none of the `audiences`, is an answer
    /// and no error. Without `audiences` the token must be for the API server.
    ///
    /// No error and no log contains the token.
    ///
    /// # Errors
    /// When the request to the cluster fails; `Forbidden` when the caller may not create TokenReviews.
    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError>;

    /// The version of the cluster, e.g. `v1.37.2`.
    ///
    /// # Errors
    /// When the request to the cluster fails.
    async fn version(&self) -> Result<String, ClusterError>;
}

#[async_trait]
impl<T: ClusterBackend + ?Sized> ClusterBackend for std::sync::Arc<T> {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        (**self).create(object).await
    }
    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        (**self).apply(object).await
    }
    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        (**self).own_created(object, released).await
    }
    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        (**self).replace(object).await
    }
    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        (**self).get(object).await
    }
    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        (**self).list(query).await
    }
    fn watch(&self, query: &Query) -> WatchStream {
        (**self).watch(query)
    }
    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        (**self).patch_metadata(object, patch).await
    }
    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
        (**self).delete(object, expected).await
    }
    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        (**self).logs(pod, options).await
    }
    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        (**self).may(access).await
    }
    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        (**self).review_token(token, audiences).await
    }
    async fn version(&self) -> Result<String, ClusterError> {
        (**self).version().await
    }
}
