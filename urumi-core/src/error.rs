//! Errors of operations on stores: the operation, the store, and whether a repetition can help.

use std::fmt;

use crate::kubernetes::{ClusterError, ClusterErrorKind};
pub use crate::store::FieldError;
use crate::store::{Store, StoreId};

/// The result of an operation on stores.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation on stores, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the methods")]
pub enum Operation {
    Create,
    Get,
    List,
    Watch,
    Delete,
    Retry,
    Restart,
    Update,
    Rollback,
    History,
    Diff,
    Preview,
    Manifests,
    Timeline,
    Options,
    Logs,
    Credentials,
    Smoke,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Create => "create",
            Operation::Get => "get",
            Operation::List => "list",
            Operation::Watch => "watch",
            Operation::Delete => "delete",
            Operation::Retry => "retry",
            Operation::Restart => "restart",
            Operation::Update => "change",
            Operation::Rollback => "roll back",
            Operation::History => "show the history of",
            Operation::Diff => "compare",
            Operation::Preview => "preview",
            Operation::Manifests => "show the manifests of",
            Operation::Timeline => "show the events of",
            Operation::Options => "show the options of",
            Operation::Logs => "show the logs of",
            Operation::Credentials => "show the credentials of",
            Operation::Smoke => "try",
        })
    }
}

/// The kinds of error, which frontends map to exit codes and HTTP statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request itself is wrong.
    Invalid,
    /// There is no such store.
    NotFound,
    /// The store exists already, or its state does not allow the operation.
    Conflict,
    /// The store's record exists but its objects could not all be made; a monitor or a retry finishes it.
    Unfinished,
    /// The operation did not end in time.
    TimedOut,
    /// The store failed.
    StoreFailed,
    /// The cluster, the server or a limit does not permit it.
    NotPermitted,
    /// The cluster, or the server, gave no answer.
    Unreachable,
    /// Anything else.
    Internal,
}

/// An operation on stores that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request has fields that cannot be accepted.
    #[error("{}", crate::store::field::join(.0))]
    Invalid(Vec<FieldError>),

    /// No store has this id.
    #[error("there is no store {id}")]
    NotFound {
        /// The requested id.
        id: StoreId,
    },

    /// No store has this id or name; where a beginning of an id is enough, no id begins with this text.
    #[error("no store has the id or name {given:?}")]
    NoMatch {
        /// The id, its beginning, or the name.
        given: String,
    },

    /// Several stores have this name, or an id that begins with this text.
    #[error("{given:?} fits more than one store: {ids}; give the id of one")]
    Ambiguous {
        /// The name or the beginning of an id.
        given: String,
        /// The ids of these stores.
        ids: String,
    },

    /// A store or a foreign namespace has this id's name already.
    #[error("cannot create store {id}: {message}")]
    AlreadyExists {
        /// The requested id.
        id: StoreId,
        /// The reason, and what to do.
        message: String,
    },

    /// The idempotency key was used for a request that was different.
    #[error("the idempotency key was used for another request, which made store {id}; use a new key")]
    KeyReused {
        /// The store that the other request made.
        id: StoreId,
    },

    /// The store that was created with the idempotency key is being deleted.
    #[error("the idempotency key made store {id}, which is being deleted; use a new key")]
    KeyStoreDeleting {
        /// The store.
        id: StoreId,
    },

    /// The store has changed since the version in the caller's precondition.
    #[error("cannot {operation} store {id}: it has changed since version {expected}; look at it again")]
    PreconditionFailed {
        /// The operation.
        operation: Operation,
        /// The store.
        id: StoreId,
        /// The expected version.
        expected: String,
    },

    /// The owner has as many stores as the installation allows.
    #[error("{owner} has {has} of {limit} stores; delete one, or ask an administrator for more")]
    LimitReached {
        /// The owner.
        owner: String,
        /// How many stores the owner has, those that are being created included.
        has: usize,
        /// How many the owner may have.
        limit: usize,
    },

    /// As many stores of the owner are provisioning as the installation allows at once.
    #[error("{has} stores of {owner} are provisioning, {limit} may; wait until one is ready")]
    ProvisioningLimit {
        /// The owner.
        owner: String,
        /// How many of the owner's stores are provisioning.
        has: usize,
        /// How many may be.
        limit: usize,
    },

    /// A urumi server refused or did not answer.
    #[error("{detail}")]
    Server {
        /// The kind of error.
        kind: ErrorKind,
        /// The problem's stable name, e.g. `limit-reached`; `none` where the server gave none.
        code: String,
        /// The server's text: what happened, and what to do.
        detail: String,
        /// Whether the same request may succeed later.
        retryable: bool,
    },

    /// The owner has created as many stores within an hour as the installation allows.
    #[error(
        "{owner} has created {has} stores within an hour, {limit} are allowed; wait, or ask an administrator for more"
    )]
    CreationLimit {
        /// The owner.
        owner: String,
        /// How many stores the owner has created within the hour, those that are being created included.
        has: usize,
        /// How many the owner may create.
        limit: usize,
    },

    /// The owner's stores would request more of a resource than the installation allows.
    #[error(
        "with this store, the stores of {owner} would request {total} of {resource}, {limit} are allowed; ask for less, delete \
         stores, or ask an administrator for more"
    )]
    DemandLimit {
        /// The owner.
        owner: String,
        /// The resource: `CPUs`, `memory` or `storage`.
        resource: &'static str,
        /// What the stores would request, e.g. `12Gi`.
        total: String,
        /// What they may request.
        limit: String,
    },

    /// A smoke order in the store has not ended yet.
    #[error("a smoke order in store {id} has not ended yet; wait for it")]
    SmokeRunning {
        /// The store.
        id: StoreId,
    },

    /// The store's status does not allow the operation.
    #[error("cannot {operation} store {id}: {message}")]
    WrongState {
        /// The operation.
        operation: Operation,
        /// The store.
        id: StoreId,
        /// The store's status, and what to do.
        message: String,
    },

    /// The store is on record, but not all of its objects could be created. Nothing is lost: the cluster's monitor
    /// continues with it.
    #[error("store {} is on record but unfinished", store.id)]
    Unfinished {
        /// The store as it is on record.
        store: Box<Store>,
        /// The reason why the creation stopped.
        source: ClusterError,
    },

    /// The store was deleted while the caller waited for it.
    #[error("store {id} was deleted before it became {wanted}")]
    Deleted {
        /// The store.
        id: StoreId,
        /// The condition that was waited for.
        wanted: String,
    },

    /// The watch ended while the caller waited for a store. A watch never ends by itself, so this is a fault in the
    /// implementation of the orchestrator.
    #[error("the watch of store {id} ended before the store became {wanted}")]
    WatchEnded {
        /// The store.
        id: StoreId,
        /// The condition that was waited for.
        wanted: String,
    },

    /// The wait did not end in time.
    #[error("store {id} did not become {wanted} within {}s: {state}", seconds)]
    TimedOut {
        /// The store.
        id: StoreId,
        /// The condition that was waited for.
        wanted: String,
        /// How long, in seconds.
        seconds: u64,
        /// The state of the store at the end of the wait.
        state: String,
    },

    /// The store that was waited for failed.
    #[error("store {} failed: {}", store.id, store.reason.as_deref().unwrap_or("no reason was recorded"))]
    StoreFailed {
        /// The store as it is on record.
        store: Box<Store>,
    },

    /// The smoke order in a store ended without a report.
    #[error("nothing is known of the smoke order in store {id}: {message}")]
    NoReport {
        /// The store.
        id: StoreId,
        /// The reason.
        message: String,
    },

    /// The store's namespace carries a record that this version cannot read.
    #[error("cannot {operation} store {id}: its record is not readable: {message}")]
    Record {
        /// The operation.
        operation: Operation,
        /// The store.
        id: StoreId,
        /// What is wrong with the record.
        message: String,
    },

    /// The engine could not render the store's objects from its spec.
    #[error("engine {engine} cannot render store {id}: {message}")]
    Render {
        /// The engine.
        engine: String,
        /// The store.
        id: StoreId,
        /// What is wrong.
        message: String,
    },

    /// The cluster refused or did not answer.
    #[error("cannot {operation} {}", id.as_ref().map_or_else(|| "stores".to_owned(), |id| format!("store {id}")))]
    Cluster {
        /// The operation.
        operation: Operation,
        /// The store, if the operation is about one.
        id: Option<StoreId>,
        /// The cluster's error.
        source: ClusterError,
    },
}

impl Error {
    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Invalid(_) => ErrorKind::Invalid,
            Error::NotFound { .. } | Error::NoMatch { .. } | Error::Deleted { .. } => ErrorKind::NotFound,
            Error::Ambiguous { .. } => ErrorKind::Invalid,
            Error::KeyReused { .. } => ErrorKind::Invalid,
            Error::AlreadyExists { .. }
            | Error::WrongState { .. }
            | Error::SmokeRunning { .. }
            | Error::KeyStoreDeleting { .. }
            | Error::PreconditionFailed { .. } => ErrorKind::Conflict,
            Error::LimitReached { .. }
            | Error::ProvisioningLimit { .. }
            | Error::CreationLimit { .. }
            | Error::DemandLimit { .. } => ErrorKind::NotPermitted,
            Error::Server { kind, .. } => *kind,
            Error::Unfinished { .. } => ErrorKind::Unfinished,
            Error::TimedOut { .. } => ErrorKind::TimedOut,
            Error::StoreFailed { .. } | Error::NoReport { .. } => ErrorKind::StoreFailed,
            Error::Record { .. } | Error::Render { .. } | Error::WatchEnded { .. } => ErrorKind::Internal,
            Error::Cluster { source, .. } => match source.kind() {
                ClusterErrorKind::Forbidden | ClusterErrorKind::Unauthorized => ErrorKind::NotPermitted,
                ClusterErrorKind::Unreachable | ClusterErrorKind::Timeout | ClusterErrorKind::Unavailable => {
                    ErrorKind::Unreachable
                }
                ClusterErrorKind::Conflict | ClusterErrorKind::Terminating => ErrorKind::Conflict,
                _ => ErrorKind::Internal,
            },
        }
    }

    /// Whether the same request may succeed later although nobody changes anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Unfinished { source, .. } | Error::Cluster { source, .. } => source.is_retryable(),
            Error::TimedOut { .. }
            | Error::ProvisioningLimit { .. }
            | Error::CreationLimit { .. }
            | Error::SmokeRunning { .. } => true,
            Error::Server { retryable, .. } => *retryable,
            _ => false,
        }
    }

    /// The store, if a monitor alone can finish what the operation began: the error is `Unfinished` and its cause passes
    /// by itself. Frontends whose cluster has a monitor treat such a creation or retry as done.
    ///
    /// # Errors
    /// Every other error is returned.
    pub fn into_begun(self) -> Result<Store> {
        match self {
            Error::Unfinished { store, source } if source.is_retryable() => Ok(*store),
            error => Err(error),
        }
    }

    /// A cluster's error in the course of an operation.
    pub(crate) fn cluster(operation: Operation, id: Option<&StoreId>, source: ClusterError) -> Self {
        Error::Cluster { operation, id: id.cloned(), source }
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Error::Invalid(vec![error])
    }
}
