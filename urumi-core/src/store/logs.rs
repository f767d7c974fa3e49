//! What the containers of a store write: lines, each with where it comes from.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which lines of a store's logs are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogQuery {
    /// The component, e.g. `api`; all where there is none.
    pub component: Option<String>,
    /// How many lines from the end, of each container.
    pub tail: u32,
    /// Whether to go on with what is written from now on, also by pods and containers that start later, until the store is
    /// gone. Of these, every line is wanted.
    pub follow: bool,
    /// Only lines of at most this age; of any age where there is none. Kubernetes counts in whole seconds.
    pub since: Option<Duration>,
    /// Whether to show what containers wrote before they were last restarted, instead of what they have written since.
    pub previous: bool,
}

impl LogQuery {
    /// How many lines of each container are shown where nothing else is asked for.
    pub const TAIL: u32 = 100;
    /// The most lines of each container that can be asked for.
    pub const MAX_TAIL: u32 = 10_000;

    /// Only the lines of this component.
    #[must_use]
    pub fn component(mut self, name: impl Into<String>) -> Self {
        self.component = Some(name.into());
        self
    }

    /// Only so many lines from the end of each container.
    #[must_use]
    pub fn tail(mut self, lines: u32) -> Self {
        self.tail = lines;
        self
    }

    /// Whether to continue with new lines.
    #[must_use]
    pub fn follow(mut self, follow: bool) -> Self {
        self.follow = follow;
        self
    }

    /// Only lines of at most this age.
    #[must_use]
    pub fn since(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.since = age.into();
        self
    }

    /// Whether to show the lines from before the last restart of each container; they cannot be followed.
    #[must_use]
    pub fn previous(mut self, previous: bool) -> Self {
        self.previous = previous;
        self
    }
}

impl Default for LogQuery {
    fn default() -> Self {
        LogQuery { component: None, tail: Self::TAIL, follow: false, since: None, previous: false }
    }
}

/// A line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LogLine {
    /// The component, e.g. `api`.
    pub component: String,
    /// The pod.
    pub pod: String,
    /// The container within the pod.
    pub container: String,
    /// The line, without its end. What is no UTF-8 is replaced.
    pub text: String,
    /// When the container wrote it, as its node says; none for a line without a readable time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub timestamp: Option<Timestamp>,
}

impl LogLine {
    /// A line of a container.
    pub fn new(
        component: impl Into<String>,
        pod: impl Into<String>,
        container: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        let (component, pod, container) = (component.into(), pod.into(), container.into());
        LogLine { component, pod, container, text: text.into(), timestamp: None }
    }

    /// The line with its time.
    #[must_use]
    pub fn at(mut self, timestamp: impl Into<Option<Timestamp>>) -> Self {
        self.timestamp = timestamp.into();
        self
    }
}
