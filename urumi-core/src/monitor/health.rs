//! The health of a monitor, as its handle reports it.

use tokio::sync::watch;

/// Why a monitor stopped by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// The cluster backend ended a watch, which its contract forbids.
    #[error("the cluster backend ended a watch, which it must not do")]
    WatchEnded,
}

/// The health of a monitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MonitorHealth {
    /// Whether it runs. `false` without a cancellation means that it failed: restart the process.
    pub running: bool,
    /// Whether every watch has delivered its first snapshot. Optional watches do not count.
    pub synced: bool,
    /// The number of stores that it monitors.
    pub stores: usize,
    /// The errors of the watches that are failing now.
    pub failing_watches: Vec<String>,
    /// The errors of the failing watches of StorageClasses and IngressClasses. The monitor works without them; it then
    /// cannot report that a class does not exist.
    pub failing_optional_watches: Vec<String>,
    /// The error of the latest write that failed. It is cleared when a later write for the same store succeeds, or the
    /// store is gone. In a monitor that has failed it is the reason.
    pub last_error: Option<String>,
}

/// A handle on a spawned monitor. Dropping it does not stop the monitor: its cancellation token does.
#[derive(Clone, Debug)]
pub struct MonitorHandle {
    health: watch::Receiver<MonitorHealth>,
}

impl MonitorHandle {
    pub(super) fn new(health: watch::Receiver<MonitorHealth>) -> Self {
        MonitorHandle { health }
    }

    /// The monitor's health now.
    pub fn health(&self) -> MonitorHealth {
        let mut health = self.health.borrow().clone();
        // A task that was aborted or panicked could not report it, but its channel is closed.
        health.running &= self.health.has_changed().is_ok();
        health
    }

    /// Waits until the monitor has [synced](MonitorHealth::synced) or stopped.
    pub async fn synced(&mut self) {
        // An error means that the monitor is gone, so there is nothing to wait for.
        let _ = self.health.wait_for(|health| health.synced || !health.running).await;
    }
}
