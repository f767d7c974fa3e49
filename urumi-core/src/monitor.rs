//! The readiness monitor: a reusable task that keeps the status of each store up to date.
//!
//! It watches the objects of all stores and writes their statuses to the stores' records: `provisioning` becomes `ready`,
//! or `failed` with the reason after a deadline; `ready` becomes `degraded` and back. It finishes stores whose creation was
//! interrupted, and repairs objects that are missing or were changed. Watches drive it, so a steady cluster costs no
//! requests; a resync decides on every store again from memory.
//!
//! The watches fill a cache (`cache.rs`); what it shows of one store (`view.rs`), and what the monitor tracks of the store
//! (`tracked.rs`), are the input of a pure decision (`decision.rs`); the loop (`task.rs`) has its action taken
//! (`action.rs`) and tracks the outcome.

mod action;
mod alarms;
mod cache;
mod clock;
mod contents;
mod counts;
mod creation;
mod decision;
mod health;
mod inputs;
pub mod leader;
mod meter;
mod packed;
mod rendered;
mod settings;
mod task;
mod tracked;
mod turns;
mod view;
mod watches;

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::health::{MonitorError, MonitorHandle, MonitorHealth};
use self::settings::{Limits, Settings};
use crate::monitor::leader::Leadership;
use crate::orchestrator::local::Orchestrator;
use crate::store::StoreId;

/// Keeps the statuses of all stores, or of one, up to date. Configure it, then [`spawn`](Self::spawn) or
/// [`run`](Self::run) it.
///
/// Any number of monitors may run on one cluster. Their writes are guarded by `resourceVersion`, or are the same no matter
/// which of them writes, so several waste requests, and may repeat a restart. With [`led_by`](Self::led_by), one of them writes.
#[derive(Clone)]
pub struct ReadinessMonitor {
    settings: Settings,
}

impl std::fmt::Debug for ReadinessMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadinessMonitor")
            .field("resync", &self.settings.resync)
            .field("limits", &self.settings.limits)
            .field("only", &self.settings.only)
            .finish_non_exhaustive()
    }
}

impl ReadinessMonitor {
    /// The default of [`resync`](Self::resync).
    pub const RESYNC: Duration = Duration::from_secs(30 * 60);
    /// The default of [`deadline`](Self::deadline).
    pub const DEADLINE: Duration = Duration::from_secs(15 * 60);
    /// The default of [`grace`](Self::grace).
    pub const GRACE: Duration = Duration::from_secs(20);
    /// The default of [`quiet_period`](Self::quiet_period).
    pub const QUIET_PERIOD: Duration = Duration::from_secs(1);

    /// A monitor of all stores on the orchestrator's cluster.
    pub fn new(orchestrator: Orchestrator) -> Self {
        let limits = Limits {
            deadline: Self::DEADLINE,
            grace: Self::GRACE,
            quiet_period: Self::QUIET_PERIOD,
            answer_time: Duration::ZERO,
        };
        let settings = Settings { orchestrator, resync: Self::RESYNC, limits, only: None, leadership: None };
        ReadinessMonitor { settings }
    }

    /// Sets the interval at which the monitor decides on every store again, from memory.
    #[must_use]
    pub fn resync(mut self, every: Duration) -> Self {
        self.settings.resync = every.max(Duration::from_millis(10));
        self
    }

    /// Sets how long a store may be provisioning before it is `failed`. The time counts from when this monitor first sees
    /// the store, on its own monotonic clock. Time in which no monitor ran does not count.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.limits.deadline = deadline;
        self
    }

    /// Sets how long a provisioning store may have a problem that does not resolve itself, such as an image that does not
    /// exist, before it is `failed`. It still becomes ready once the problem is solved.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.limits.grace = grace;
        self
    }

    /// Sets how long the monitor waits after its repair of a store before it repairs the store again, or takes over a creation
    /// that was interrupted in this process. It takes over the creation of another process after that has made no progress for four
    /// times as long, plus the time that the cluster takes for a write.
    #[must_use]
    pub fn quiet_period(mut self, quiet_period: Duration) -> Self {
        self.settings.limits.quiet_period = quiet_period;
        self
    }

    /// Monitors one store only, which needs no permissions outside of that store's namespace.
    #[must_use]
    pub fn only(mut self, id: StoreId) -> Self {
        self.settings.only = Some(id);
        self
    }

    /// Writes only while this process leads. It always watches, so that it can take over at once. When its leadership ends,
    /// it abandons actions under way; the next leader takes them.
    #[must_use]
    pub fn led_by(mut self, leadership: Leadership) -> Self {
        self.settings.leadership = Some(leadership);
        self
    }

    /// Spawns the monitor onto `tasks`; it ends when `stop` is cancelled. The handle reports its health.
    pub fn spawn(self, tasks: &TaskTracker, stop: CancellationToken) -> MonitorHandle {
        let (report, health) = watch::channel(MonitorHealth { running: true, ..MonitorHealth::default() });
        tasks.spawn(async move {
            if let Err(error) = task::run(self.settings, stop, &report).await {
                tracing::error!(%error, "the readiness monitor stopped");
                report.send_modify(|health| health.last_error = Some(error.to_string()));
            }
            report.send_modify(|health| health.running = false);
        });
        MonitorHandle::new(health)
    }

    /// Runs the monitor until `stop` is cancelled, for callers that manage their own tasks.
    ///
    /// # Errors
    /// When the cluster backend breaks its contract, so that the monitor cannot go on.
    pub async fn run(self, stop: CancellationToken) -> Result<(), MonitorError> {
        let (report, _) = watch::channel(MonitorHealth { running: true, ..MonitorHealth::default() });
        task::run(self.settings, stop, &report).await
    }
}
