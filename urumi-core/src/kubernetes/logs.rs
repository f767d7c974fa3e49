//! What may be asked of a container's log, and how it is answered.

use jiff::Timestamp;

/// Which part of which log, and in what form. The default is all of the log of a pod's only container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogOptions {
    /// The container's name; it may be left out where the pod has only one (init containers are not counted).
    pub container: Option<String>,
    /// Only so many lines from the end; `Some(0)` is none, which makes sense with `follow`.
    pub tail: Option<u32>,
    /// Only lines since then.
    pub since: Option<LogsSince>,
    /// Goes on with what the container writes from now on.
    pub follow: bool,
    /// Each line begins with its time (RFC 3339, UTC) and a space.
    pub timestamps: bool,
    /// The log of the container's run before the present one: what it wrote before it crashed.
    pub previous: bool,
}

/// The beginning of a part of a log, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogsSince {
    /// At most so many seconds ago, at least 1, by the clock of the node.
    Seconds(u32),
    /// This second, by the clock of the node.
    Time(Timestamp),
}
