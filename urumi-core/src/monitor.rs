//! The readiness monitor: a reusable task that keeps each store's status true.
//!
//! It watches what the engines made and writes what it sees to the stores' records: `provisioning` becomes `ready`
//! or, after a deadline, `failed` with the reason; `ready` becomes `degraded` and back. It finishes stores whose
//! creation was interrupted, and repairs objects that are missing or were changed. Watches drive it, so that a steady
//! cluster costs no requests; a resync looks at everything again from memory.

mod cache;
mod inputs;
pub mod leader;
mod meter;
mod rendered;
mod task;
mod teardown;
mod tracked;

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::monitor::leader::Leadership;
use crate::orchestrator::local::Orchestrator;
use crate::store::StoreId;

/// Keeps the statuses of all stores, or of one, true. Configure it, then [`spawn`](Self::spawn) or
/// [`run`](Self::run) it.
///
/// Any number may run over one cluster: what a monitor writes is guarded by `resourceVersion`, or is the same whoever
/// writes it, so that they only waste each other's requests. [`led_by`](Self::led_by) keeps all but one from writing.
#[derive(Clone)]
pub struct ReadinessMonitor {
    orchestrator: Orchestrator,
    resync: Duration,
    deadline: Duration,
    settle: Duration,
    patience: Duration,
    only: Option<StoreId>,
    leadership: Option<Leadership>,
}

impl std::fmt::Debug for ReadinessMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadinessMonitor")
            .field("resync", &self.resync)
            .field("deadline", &self.deadline)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

impl ReadinessMonitor {
    /// How often everything is looked at again (from memory), by default.
    pub const RESYNC: Duration = Duration::from_secs(10);
    /// How long a store may be provisioning before it is `failed`, by default.
    pub const DEADLINE: Duration = Duration::from_secs(15 * 60);
    /// How long a store must have been left alone before the monitor makes or repairs its objects, by default: whoever
    /// is creating it is not disturbed.
    pub const SETTLE: Duration = Duration::from_secs(1);
    /// How long something that does not mend itself may last, by default, until a store that is provisioning has failed.
    pub const PATIENCE: Duration = Duration::from_secs(20);

    /// A monitor of all stores that the orchestrator's cluster has.
    pub fn new(orchestrator: Orchestrator) -> Self {
        ReadinessMonitor {
            orchestrator,
            resync: Self::RESYNC,
            deadline: Self::DEADLINE,
            settle: Self::SETTLE,
            patience: Self::PATIENCE,
            only: None,
            leadership: None,
        }
    }

    /// How often everything is looked at again; [`RESYNC`](Self::RESYNC) by default.
    #[must_use]
    pub fn resync(mut self, every: Duration) -> Self {
        self.resync = every.max(Duration::from_millis(10));
        self
    }

    /// How long a store may be provisioning; [`DEADLINE`](Self::DEADLINE) by default. It counts from when this monitor first
    /// sees it provisioned: no clock but its own matters, and a store has its whole time after nobody was there.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long a store must have been left alone before its objects are made or repaired;
    /// [`SETTLE`](Self::SETTLE) by default.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// How long something that does not mend itself, such as an image that does not exist, may last until a store that is
    /// provisioning has failed; [`PATIENCE`](Self::PATIENCE) by default. It becomes ready all the same once it is mended.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Looks at one store only, and needs no permission beyond that store's namespace.
    #[must_use]
    pub fn only(mut self, id: StoreId) -> Self {
        self.only = Some(id);
        self
    }

    /// Writes only while this process leads, and watches all the time, so that it can go on at once. What was begun when
    /// the leadership ends is given up, and is for the next leader to do.
    #[must_use]
    pub fn led_by(mut self, leadership: Leadership) -> Self {
        self.leadership = Some(leadership);
        self
    }

    /// Spawns the monitor onto `tasks`; it ends when `stop` is cancelled. The handle tells how it is.
    pub fn spawn(self, tasks: &TaskTracker, stop: CancellationToken) -> MonitorHandle {
        let (report, health) = watch::channel(MonitorHealth { running: true, ..MonitorHealth::default() });
        tasks.spawn(async move {
            if let Err(error) = task::run(self, stop, &report).await {
                tracing::error!(%error, "the readiness monitor stopped");
                report.send_modify(|health| health.last_error = Some(error.to_string()));
            }
            report.send_modify(|health| health.running = false);
        });
        MonitorHandle { health }
    }

    /// Runs the monitor until `stop` is cancelled: for callers who own their tasks themselves.
    ///
    /// # Errors
    /// When it cannot go on, which is a fault of the cluster backend.
    pub async fn run(self, stop: CancellationToken) -> Result<(), MonitorError> {
        let (report, _) = watch::channel(MonitorHealth { running: true, ..MonitorHealth::default() });
        task::run(self, stop, &report).await
    }
}

/// Why a monitor stopped by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// A watch ended, which by contract it never does.
    #[error("the cluster backend ended a watch, which it must not do")]
    WatchEnded,
}

/// How a monitor is.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MonitorHealth {
    /// Whether it runs. `false` without a cancellation means that it failed: restart the process.
    pub running: bool,
    /// Whether it has seen all that it watches at least once, so that what it writes is founded.
    pub synced: bool,
    /// How many stores it looks after.
    pub stores: usize,
    /// The watches that report errors now: the resource and the error.
    pub failing_watches: Vec<String>,
    /// The same of watches that the monitor works without: they only help to explain. A permission may be missing.
    pub failing_optional_watches: Vec<String>,
    /// The last error of any write.
    pub last_error: Option<String>,
}

/// A handle on a spawned monitor. Dropping it does not stop the monitor: its cancellation token does.
#[derive(Clone, Debug)]
pub struct MonitorHandle {
    health: watch::Receiver<MonitorHealth>,
}

impl MonitorHandle {
    /// How the monitor is now.
    pub fn health(&self) -> MonitorHealth {
        let mut health = self.health.borrow().clone();
        // A task that was aborted or panicked had no chance to say so: its channel is closed.
        health.running &= self.health.has_changed().is_ok();
        health
    }

    /// Waits until the monitor has seen all that it watches, or has stopped.
    pub async fn synced(&mut self) {
        // An error means that the monitor is gone, and there is nothing to wait for.
        let _ = self.health.wait_for(|health| health.synced || !health.running).await;
    }
}
