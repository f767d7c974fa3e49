//! A process of urumi: it answers requests and runs a monitor, until it dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use urumi_core::cluster::ClusterBackend;
use urumi_core::leader::{Appointment, Leadership};
use urumi_core::secret::{NoRandomness, SecretSource, SecretString};
use urumi_core::{Orchestrator, ReadinessMonitor};

use crate::engine::StallEngine;
use crate::faulty::{FaultyCluster, Role};
use crate::world::{Life, World};

/// When every simulation begins.
pub(crate) fn beginning() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A cluster as a process sees it.
pub type Backend = Arc<dyn ClusterBackend>;

/// A build of urumi: the real one, or one that was broken on purpose to see that this is noticed.
#[derive(Clone)]
pub struct Build {
    /// What stands between urumi and its cluster.
    pub wrap: fn(Backend, Arc<World>) -> Backend,
    /// Whether the monitor looks at whether it may write.
    pub heeds_leadership: bool,
}

impl Default for Build {
    /// The real one.
    fn default() -> Self {
        Build { wrap: |cluster, _| cluster, heeds_leadership: true }
    }
}

/// Secrets that are the same each time, and no two alike.
struct Numbered(AtomicU64);

impl SecretSource for Numbered {
    fn password(&self, length: usize) -> Result<SecretString, NoRandomness> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Ok(SecretString::new(format!("{number:0>length$}")))
    }
}

/// A process of urumi.
pub(crate) struct Replica {
    pub(crate) life: Life,
    pub(crate) orchestrator: Orchestrator,
    appointment: Appointment,
}

impl Replica {
    /// Starts a process.
    pub(crate) fn start(world: &Arc<World>, replica: usize, build: &Build) -> Replica {
        let life = Life { replica, dead: CancellationToken::new() };
        let (appointment, leadership) = Leadership::appointed(false);
        let orchestrator = |role: Role| {
            // No two of them draw the same.
            let part = if matches!(role, Role::Request) { 0 } else { 500 };
            let first = (world.writes() + 1) * 1_000_000 + replica as u64 * 1_000 + part;
            let cluster: Backend = Arc::new(FaultyCluster::new(world.clone(), life.clone(), role));
            let clock = world.clone();
            Orchestrator::builder((build.wrap)(cluster, world.clone()))
                .engine(StallEngine)
                .created_by("simulator")
                .secrets(Numbered(AtomicU64::new(first)))
                .clock(move || beginning() + SignedDuration::try_from(clock.elapsed()).unwrap_or_default())
                .build()
        };
        let monitor = ReadinessMonitor::new(orchestrator(Role::Monitor(leadership.clone())));
        let monitor = if build.heeds_leadership { monitor.led_by(leadership) } else { monitor };
        let monitor = monitor.resync(Duration::from_secs(10));
        let dead = life.dead.clone();
        tokio::spawn(async move {
            let running = monitor.run(CancellationToken::new());
            tokio::select! {
                biased;
                () = dead.cancelled() => {}
                _ = running => {}
            }
        });
        world.note(|| format!("{replica} starts"));
        Replica { orchestrator: orchestrator(Role::Request), life, appointment }
    }

    /// Whether it has not died.
    pub(crate) fn is_alive(&self) -> bool {
        !self.life.dead.is_cancelled()
    }

    /// Lets it lead, or not.
    pub(crate) fn lead(&self, may_write: bool) {
        self.appointment.set(may_write);
    }
}
