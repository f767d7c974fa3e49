//! The settings of an in-memory cluster.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

/// Settings from the builder; some can be changed later.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) readiness_delay: Duration,
    /// By the name of the workload, in any namespace.
    pub(super) readiness_delays: HashMap<String, Duration>,
    pub(super) termination_delay: Duration,
    pub(super) collection_delay: Duration,
    pub(super) watch_history: usize,
    /// The time of day at which the cluster begins; `None` for the system's.
    pub(super) began: Option<Timestamp>,
    pub(super) version: String,
}
