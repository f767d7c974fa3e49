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
    /// How long a store must have been unchanged before its objects are repaired.
    pub(super) quiet_period: Duration,
    /// How long the cluster took for this monitor's last write of a record.
    pub(super) answer_time: Duration,
}

/// How many quiet periods the creation of a store's objects must have made no progress before it is taken over.
const PATIENCE: u32 = 4;

impl Limits {
    /// How long the creation of a store's objects must have made no progress before it is taken over. It is longer on a cluster
    /// that takes long for a write, because that may be all that the creation waits for.
    pub(super) fn patience(&self) -> Duration {
        let patience = self.quiet_period * PATIENCE;
        patience + self.answer_time.min(patience)
    }
}
