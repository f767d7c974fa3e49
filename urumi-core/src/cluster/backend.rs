//! The trait of a cluster, and its contract.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::kubernetes::{
    Access, ClusterError, LogOptions, MetadataPatch, Object, ObjectRef, Preconditions, Query, TokenReview, WatchEvent,
};
use crate::secret::SecretString;

/// A log, as the server sends it: whole lines or parts of them.
pub type LogStream = BoxStream<'static, Result<Bytes, ClusterError>>;

/// A stream of [`WatchEvent`]s. It never ends by itself; dropping it ends the watch.
pub type WatchStream = BoxStream<'static, Result<WatchEvent, ClusterError>>;

/// A Kubernetes cluster, as far as urumi needs one.
///
/// # Contract
/// - **Cancellation.** Dropping a future may leave its write done or not done; every caller can repeat it.
/// - **Retries.** An implementation may repeat a request that failed for a passing reason, within a deadline of its
///   own that ends every call. A repeated write may therefore meet its own first try: callers treat
///   [`ClusterErrorKind::AlreadyExists`](crate::kubernetes::ClusterErrorKind::AlreadyExists) as a question (is it ours?) and not as an answer.
/// - **Clone.** Backends are cheap handles; clones share the cluster and its connections.
/// - **Errors** name the verb and the object and say whether a repetition may help ([`ClusterError::is_retryable`]).
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
    /// When the cluster cannot be asked.
    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError>;

    /// Lists all objects that match, ordered by namespace and name. No match is an empty list.
    ///
    /// # Errors
    /// When the cluster cannot be asked.
    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError>;

    /// Watches all objects that match: first a [`WatchEvent::Snapshot`], then every change in the order of the
    /// server. After a gap (a dropped connection, an expired `resourceVersion`) the stream heals itself, with
    /// back-off, and reports a new snapshot. Errors are reported and the stream goes on.
    ///
    /// A change may be seen as one event where several came in quick succession, but the last state is always seen.
    fn watch(&self, query: &Query) -> WatchStream;

    /// Changes labels, annotations and finalizers of an object and returns it as stored. Keys that the patch does not
    /// name stay as they are.
    ///
    /// # Errors
    /// `Conflict` when the object has changed since the patch's `resourceVersion`, `NotFound` when it is gone, `Invalid`
    /// when the patch names no `resourceVersion`, or the API server refuses a value.
    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError>;

    /// Begins the deletion of an object and of what it owns; with a namespace goes all that is in it. Returns when the
    /// deletion is accepted, not when it is complete: finalizers may delay it. An object of that uid that is already
    /// being deleted is success.
    ///
    /// # Errors
    /// `NotFound` when there is none, which a repeated deletion meets after its own first try; `Conflict` when uid or
    /// `resourceVersion` are not those given.
    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError>;

    /// The log of one of a pod's containers: what it has written, in pieces whose boundaries mean nothing. Without
    /// [`LogOptions::follow`] the stream ends with the last line that there is now, with it when the container ends.
    /// Should the connection be lost before, then the last item is an error. Dropping the stream closes the connection.
    ///
    /// Only for the first sign of an answer there is a deadline: a container may be silent for as long as it likes.
    ///
    /// # Errors
    /// `NotFound` when there is no such pod or, with [`LogOptions::previous`], no earlier run of the container;
    /// `Invalid` when the pod has no such container, or has several and none is named; `Unavailable`, which a later
    /// try may not meet, while the pod has no node or the container has not started: the message says what it waits for.
    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError>;

    /// Whether the caller may do something (a SelfSubjectAccessReview).
    ///
    /// # Errors
    /// When the cluster cannot be asked.
    async fn may(&self, access: &Access) -> Result<bool, ClusterError>;

    /// Whose token this is (a TokenReview). One that is invalid, expired, or meant for none of the `audiences` is an
    /// answer, not an error. Without audiences it must be meant for the API server.
    ///
    /// The token is part of no error and no log.
    ///
    /// # Errors
    /// When the cluster cannot be asked; `Forbidden` when the caller may not create TokenReviews.
    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError>;

    /// The version of the cluster, e.g. `v1.37.2`.
    ///
    /// # Errors
    /// When the cluster cannot be asked.
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
