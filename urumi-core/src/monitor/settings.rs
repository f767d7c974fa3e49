//! How a monitor is configured.

use std::time::Duration;

use crate::monitor::leader::Leadership;
use crate::orchestrator::local::Orchestrator;
use crate::store::StoreId;

/// The configuration of a monitor.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) orchestrator: Orchestrator,
    /// The interval at which every store is decided on again, from memory.
    pub(super) resync: Duration,
    pub(super) limits: Limits,
    /// The one store to monitor; `None` for all stores.
    pub(super) only: Option<StoreId>,
    /// Write only while this process leads; `None` to always write.
    pub(super) leadership: Option<Leadership>,
}

/// How long the monitor waits before it acts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long a store may be provisioning.
    pub(super) deadline: Duration,
    /// How long a provisioning store may have a problem that needs somebody to act.
    pub(super) grace: Duration,
    /// How long a store must have been unchanged before its objects are created or repaired.
    pub(super) quiet_period: Duration,
}
