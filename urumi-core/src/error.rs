//! What can go wrong with a store: which operation, on which store, and whether trying again can help.

use std::fmt;

use crate::kubernetes::{ClusterError, ClusterErrorKind};
pub use crate::store::FieldError;
use crate::store::{Store, StoreId};

/// The result of an operation on stores.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What was being done when an error occurred.
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
    Wait,
    Diff,
    Monitor,
    Preview,
    Manifests,
    Timeline,
    Logs,
    Credentials,
    Smoke,
    Engines,
    Ask,
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
            Operation::Wait => "wait for",
            Operation::Diff => "compare",
            Operation::Monitor => "monitor",
            Operation::Preview => "preview",
            Operation::Manifests => "show the manifests of",
            Operation::Timeline => "show the events of",
            Operation::Logs => "show the logs of",
            Operation::Credentials => "show the credentials of",
            Operation::Smoke => "try",
            Operation::Engines => "list the engines for",
            Operation::Ask => "ask for",
        })
    }
}

/// The kinds of error that frontends map to exit codes and HTTP statuses.
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
    /// The time given was up.
    TimedOut,
    /// The store failed.
    StoreFailed,
    /// The cluster, or the server, does not permit it.
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
    #[error("{}", join(.0))]
    Invalid(Vec<FieldError>),

    /// No store has this id.
    #[error("there is no store {id}")]
    NotFound {
        /// The id that was asked for.
        id: StoreId,
    },

    /// No store has an id that begins so, or this name.
    #[error("no store has the id or name {given:?}")]
    NoMatch {
        /// What was asked for.
        given: String,
    },

    /// Several stores fit what was asked for.
    #[error("{given:?} fits more than one store: {ids}; give more of the id")]
    Ambiguous {
        /// What was asked for.
        given: String,
        /// The ids of those that fit.
        ids: String,
    },

    /// A store or a foreign namespace has this id's name already.
    #[error("cannot create store {id}: {message}")]
    AlreadyExists {
        /// The id that was asked for.
        id: StoreId,
        /// What is in the way.
        message: String,
    },

    /// The idempotency key was used for a request that was different.
    #[error("the idempotency key was used for another request, which made store {id}; use a new key")]
    KeyReused {
        /// The store that the other request made.
        id: StoreId,
    },

    /// The store that the idempotency key made is being deleted.
    #[error("the idempotency key made store {id}, which is being deleted; use a new key")]
    KeyInUse {
        /// The store.
        id: StoreId,
    },

    /// The store has changed since the version that the caller wanted it to have.
    #[error("cannot {operation} store {id}: it has changed since version {expected}; look at it again")]
    Changed {
        /// What was asked for.
        operation: Operation,
        /// The store.
        id: StoreId,
        /// The version that was expected.
        expected: String,
    },

    /// A urumi server refused or did not answer.
    #[error("{detail}")]
    Server {
        /// Which kind of error.
        kind: ErrorKind,
        /// The problem's stable name, e.g. `limit-reached`; `none` where the server gave none.
        code: String,
        /// What happened and what to do, as the server says.
        detail: String,
        /// Whether the same request may succeed later.
        retryable: bool,
    },

    /// The store's status does not allow the operation.
    #[error("cannot {operation} store {id}: {message}")]
    WrongState {
        /// What was asked for.
        operation: Operation,
        /// The store.
        id: StoreId,
        /// Which state it is in and what to do.
        message: String,
    },

    /// The store is on record, but not all of its objects could be made. Nothing is lost: whoever monitors the
    /// cluster goes on with it.
    #[error("store {} is on record but unfinished", store.id)]
    Unfinished {
        /// The store as it is on record.
        store: Box<Store>,
        /// What stopped its creation.
        source: ClusterError,
    },

    /// The time given to wait was up.
    #[error("store {id} did not become {wanted} within {}s: {state}", seconds)]
    TimedOut {
        /// The store.
        id: StoreId,
        /// What was waited for.
        wanted: String,
        /// How long, in seconds.
        seconds: u64,
        /// How the store was when time was up.
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
        /// Why there is none.
        message: String,
    },

    /// The store's namespace carries a record that this version cannot read.
    #[error("cannot {operation} store {id}: its record is not readable: {message}")]
    Record {
        /// What was asked for.
        operation: Operation,
        /// The store.
        id: StoreId,
        /// What is wrong with the record.
        message: String,
    },

    /// The engine could not make the store's objects out of its spec.
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
        /// What was asked for.
        operation: Operation,
        /// The store, where it is about one.
        id: Option<StoreId>,
        /// What the cluster said.
        source: ClusterError,
    },
}

fn join(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// Which kind of error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Invalid(_) => ErrorKind::Invalid,
            Error::NotFound { .. } | Error::NoMatch { .. } => ErrorKind::NotFound,
            Error::Ambiguous { .. } => ErrorKind::Invalid,
            Error::KeyReused { .. } => ErrorKind::Invalid,
            Error::AlreadyExists { .. } | Error::WrongState { .. } | Error::KeyInUse { .. } | Error::Changed { .. } => {
                ErrorKind::Conflict
            }
            Error::Server { kind, .. } => *kind,
            Error::Unfinished { .. } => ErrorKind::Unfinished,
            Error::TimedOut { .. } => ErrorKind::TimedOut,
            Error::StoreFailed { .. } | Error::NoReport { .. } => ErrorKind::StoreFailed,
            Error::Record { .. } | Error::Render { .. } => ErrorKind::Internal,
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

    /// Whether the same request may succeed later without anything being changed by a person.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Unfinished { source, .. } | Error::Cluster { source, .. } => source.is_retryable(),
            Error::TimedOut { .. } => true,
            Error::Server { retryable, .. } => *retryable,
            _ => false,
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
