//! [`KubeCluster`]: a real Kubernetes API server, reached through `kube::Client`.
//!
//! This is the only module that uses `kube`, and only for finding a cluster and for authentication (kubeconfig, a pod's
//! service account, login commands, TLS). Requests, retries and watches are implemented here, because `kube`'s typed
//! calls have disadvantages:
//! - they log an answer that cannot be decoded at WARN, including Secrets. Here answers are parsed from bytes to JSON, and
//!   neither bodies nor queries are logged;
//! - they have no deadline, and `kube`'s retries can take minutes. Here every call ends within
//!   [`ConnectOptions::request_timeout`];
//! - the watcher also lists and reconnects without a deadline, and decodes every object twice.
//!
//! Each attempt is one `tracing` event at DEBUG: method, path, status, milliseconds. (`kube-client` logs the API
//! server's error messages at DEBUG, but only in calls that are not used here.)

mod connect;
mod errors;
mod item;
mod limit;
mod list;
mod logs;
mod options;
mod ownership;
mod request;
#[cfg(test)]
mod tests;
mod transport;
mod watch;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

pub use self::connect::ConnectError;
use self::errors::Failure;
pub use self::options::ConnectOptions;
use self::request::Call;
use self::transport::Transport;
use super::backend::{ClusterBackend, LogStream, WatchStream};
use crate::kubernetes::{
    Access, ClusterError, ClusterErrorKind, LogOptions, MetadataPatch, Preconditions, Query, TokenReview, Verb,
};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::secret::SecretString;

/// A real Kubernetes cluster.
///
/// Clones are cheap and share the connections. HTTP/1.1 carries one request per connection, so there is one connection
/// for each request in flight (at most [`ConnectOptions::max_in_flight`]) and for each watch. Idle connections are kept
/// for later requests.
///
/// # Retries
/// Temporary failures are retried until the request's deadline, with exponential back-off and jitter, and according to
/// `Retry-After`: overload (429), an API server that restarts (502, 503, 504), a ResourceQuota that was changed or is
/// not yet counted. Refused or lost connections and internal errors (500) are retried for about 2 s, then returned to
/// the caller. Nothing else is retried.
#[derive(Clone)]
pub struct KubeCluster {
    transport: Transport,
}

impl KubeCluster {
    /// Installs ring as the process's cryptography for TLS, unless another provider is installed. Call this or
    /// `rustls::crypto::CryptoProvider::install_default` at the start of `main`: the library does not choose for the
    /// whole process by itself.
    pub fn install_crypto_provider() {
        // An error means that a provider is already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }

    /// Finds the cluster and prepares the client. Sends no request, so a service can start before its cluster; call
    /// [`version`](ClusterBackend::version) to check whether the cluster answers.
    ///
    /// Must be called within a tokio runtime, on which the connections then run.
    ///
    /// # Errors
    /// When no cluster is configured, or the configuration cannot be used. The message says what to do.
    pub async fn connect(options: ConnectOptions) -> Result<KubeCluster, ConnectError> {
        Ok(KubeCluster { transport: connect::connect(options).await? })
    }

    /// Uses an existing client, with the defaults of [`ConnectOptions`]. Create it from a `kube::Config` with
    /// `default_retry: false`; otherwise the retries of both layers multiply.
    pub fn from_client(client: ::kube::Client) -> KubeCluster {
        KubeCluster { transport: Transport::new(client, &ConnectOptions::default()) }
    }

    /// The same cluster with another deadline for each call.
    #[must_use]
    pub fn with_request_timeout(mut self, timeout: Duration) -> KubeCluster {
        self.transport.timeout = timeout;
        self
    }

    /// Opens this many connections by concurrent requests for the version, so that the first requests for a store need
    /// no TLS handshakes. Ignores failures; later calls report them.
    pub async fn warm(&self, connections: usize) {
        let call = Call::version();
        let calls = (0..connections).map(|_| self.transport.call(&call));
        futures::future::join_all(calls).await;
    }

    async fn send(&self, verb: Verb, target: &impl fmt::Display, kind: &Kind, call: &Call) -> Result<Object, Failed> {
        let answer = async {
            let bytes = self.transport.call(call).await?;
            item::object(kind, item::json(&bytes)?)
        };
        answer.await.map_err(|failure| Failed { verb, target: target.to_string(), failure })
    }

    async fn write(&self, verb: Verb, object: &Object) -> Result<Object, ClusterError> {
        let target = object.reference();
        let call = match verb {
            Verb::Create => Call::create(object),
            Verb::Replace => Call::replace(object),
            _ => Call::apply(object),
        };
        let call = call.map_err(|failure| failure.into_error(verb, &target))?;
        self.send(verb, &target, object.kind(), &call).await.map_err(|mut failed| {
            failed.failure.redact(object);
            failed.into()
        })
    }

    /// Whether the expected object is already being deleted; then a conflict is no error.
    async fn already_deleting(&self, object: &ObjectRef, expected: &Preconditions) -> Result<bool, ClusterError> {
        let found = self.get(object).await?;
        Ok(found.is_some_and(|found| found.is_terminating() && found.uid() == Some(&expected.uid)))
    }
}

impl fmt::Debug for KubeCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubeCluster").field("request_timeout", &self.transport.timeout).finish_non_exhaustive()
    }
}

/// Adds the verb and the target to a failure.
struct Failed {
    verb: Verb,
    target: String,
    failure: Failure,
}

impl From<Failed> for ClusterError {
    fn from(failed: Failed) -> Self {
        failed.failure.into_error(failed.verb, failed.target)
    }
}

/// How often the ownership of fields is written while others change the object.
const OWNING_TRIES: usize = 5;

#[async_trait]
impl ClusterBackend for KubeCluster {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        self.write(Verb::Create, object).await
    }

    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        self.write(Verb::Apply, object).await
    }

    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        let failed = |failure: Failure| failure.into_error(Verb::Apply, object);
        let read = Call::get(object).map_err(failed)?;
        for _ in 0..OWNING_TRIES {
            let found = match self.transport.call(&read).await {
                Ok(bytes) => item::json(&bytes).map_err(failed)?,
                Err(failure) if failure.kind == ClusterErrorKind::NotFound => return Ok(()),
                Err(failure) => return Err(failed(failure)),
            };
            let managed_fields = found.pointer("/metadata/managedFields").and_then(Value::as_array);
            let Some(entries) = managed_fields.and_then(|entries| ownership::as_applied(entries, released)) else {
                return Ok(());
            };
            let version = found.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
            let write = Call::set_managed_fields(object, version, &entries).map_err(failed)?;
            match self.transport.call(&write).await {
                // Its status, for example, has changed meanwhile.
                Err(failure) if failure.kind == ClusterErrorKind::Conflict => {}
                Err(failure) => return Err(failed(failure)),
                Ok(_) => return Ok(()),
            }
        }
        Err(ClusterError::new(Verb::Apply, object, ClusterErrorKind::Conflict, "others keep changing it"))
    }

    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        self.write(Verb::Replace, object).await
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        let call = Call::get(object).map_err(|failure| failure.into_error(Verb::Get, object))?;
        match self.send(Verb::Get, object, &object.kind, &call).await {
            Ok(found) => Ok(Some(found)),
            Err(failed) if failed.failure.kind == ClusterErrorKind::NotFound && !failed.failure.unknown_api => Ok(None),
            Err(failed) => Err(failed.into()),
        }
    }

    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        list::all(&self.transport, query).await.map_err(|failure| failure.into_error(Verb::List, query))
    }

    fn watch(&self, query: &Query) -> WatchStream {
        watch::watch(self.transport.clone(), query.clone())
    }

    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        let call = Call::patch_metadata(object, patch);
        let call = call.map_err(|failure| failure.into_error(Verb::PatchMetadata, object))?;
        Ok(self.send(Verb::PatchMetadata, object, &object.kind, &call).await?)
    }

    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
        let failed = |failure: Failure| failure.into_error(Verb::Delete, object);
        let call = Call::delete(object, expected).map_err(failed)?;
        match self.transport.call(&call).await {
            Ok(_) => Ok(()),
            // A deletion changes the resourceVersion, so a repeated one fails its own precondition.
            Err(f) if f.kind == ClusterErrorKind::Conflict && self.already_deleting(object, expected).await? => Ok(()),
            Err(failure) => Err(failed(failure)),
        }
    }

    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        logs::open(&self.transport, pod, options).await.map_err(|failure| failure.into_error(Verb::Logs, pod))
    }

    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        let answer = async {
            let bytes = self.transport.call(&Call::review(access)).await?;
            let review = item::json(&bytes)?;
            let allowed = review.pointer("/status/allowed").and_then(serde_json::Value::as_bool);
            allowed.ok_or_else(|| Failure::unreadable("it has no status.allowed"))
        };
        answer.await.map_err(|failure| {
            let place = access.namespace.as_deref().map(|ns| format!(" in {ns}")).unwrap_or_default();
            failure.into_error(Verb::Review, format!("{} {}{place}", access.verb, access.resource))
        })
    }

    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        let answer = async {
            let bytes = self.transport.call(&Call::review_token(token, audiences)).await?;
            list::token_review(&item::json(&bytes)?)
        };
        answer.await.map_err(|mut failure| {
            failure.redact_text(token.reveal());
            failure.into_error(Verb::ReviewToken, "a token")
        })
    }

    async fn version(&self) -> Result<String, ClusterError> {
        let answer = async {
            let bytes = self.transport.call(&Call::version()).await?;
            let version = item::json(&bytes)?;
            let version = version.get("gitVersion").and_then(serde_json::Value::as_str).map(str::to_owned);
            version.ok_or_else(|| Failure::unreadable("it has no gitVersion"))
        };
        answer.await.map_err(|failure| failure.into_error(Verb::Version, "the cluster's version"))
    }
}
