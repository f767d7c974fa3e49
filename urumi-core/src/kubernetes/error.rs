//! What can go wrong between urumi and a cluster.

use std::error::Error as StdError;
use std::fmt;

/// What was asked of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the trait's methods")]
pub enum Verb {
    Create,
    Apply,
    Replace,
    Get,
    List,
    Watch,
    PatchMetadata,
    Delete,
    Logs,
    Review,
    ReviewToken,
    Version,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verb::Create => "create",
            Verb::Apply => "apply",
            Verb::Replace => "replace",
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::PatchMetadata => "patch the metadata of",
            Verb::Delete => "delete",
            Verb::Logs => "read the log of",
            Verb::Review => "ask for permission to",
            Verb::ReviewToken => "review",
            Verb::Version => "ask for",
        })
    }
}

/// The kinds of failure that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClusterErrorKind {
    /// The object, or the namespace it should be in, does not exist.
    NotFound,
    /// An object of that name exists.
    AlreadyExists,
    /// The object has changed since it was read.
    Conflict,
    /// The API server refuses the object as it is.
    Invalid,
    /// The caller may not do this, or an admission rule forbids it.
    Forbidden,
    /// A ResourceQuota is used up.
    QuotaExceeded,
    /// The API server does not know who the caller is.
    Unauthorized,
    /// The namespace is being deleted.
    Terminating,
    /// No answer could be had: no route, no TLS, connection refused or lost.
    Unreachable,
    /// The deadline passed without an answer.
    Timeout,
    /// The API server is overloaded or restarting (429, 500, 502, 503, 504), or what is asked of it is not there yet: the
    /// log of a container that has not started.
    Unavailable,
    /// Anything else.
    Other,
}

/// A request to the cluster that failed: what was asked, about which object, and why.
#[derive(Debug)]
pub struct ClusterError {
    verb: Verb,
    target: String,
    kind: ClusterErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ClusterError {
    /// A failure of `verb` on `target` (an object's address or a query's description).
    pub fn new(verb: Verb, target: impl fmt::Display, kind: ClusterErrorKind, message: impl Into<String>) -> Self {
        ClusterError { verb, target: target.to_string(), kind, message: message.into(), source: None }
    }

    /// Adds the error beneath; its text must not be repeated in the message.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Which kind of failure.
    pub fn kind(&self) -> ClusterErrorKind {
        self.kind
    }

    /// What was asked.
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// The object or query that was asked about.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The reason alone, without verb and target.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same request may succeed later without anything being changed by a person.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            ClusterErrorKind::Unreachable
                | ClusterErrorKind::Timeout
                | ClusterErrorKind::Unavailable
                | ClusterErrorKind::Conflict
                | ClusterErrorKind::Terminating
        )
    }
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.verb, self.target, self.message)
    }
}

impl StdError for ClusterError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}
