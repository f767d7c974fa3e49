//! A process of urumi: it answers requests, stands in the election and runs a monitor, until it dies or is told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use urumi_core::cluster::ClusterBackend;
use urumi_core::monitor::leader::{LeaderElection, Timing, TimingError};
use urumi_core::secret::{NoRandomness, SecretSource, SecretString};
use urumi_core::{Orchestrator, ReadinessMonitor};

use crate::engine::StallEngine;
use crate::faulty::FaultyCluster;
use crate::life::Life;
use crate::request::{INSTALLATION, LEASE, Role};
use crate::world::{World, beginning};

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
}

impl Replica {
    /// Starts a process.
    ///
    /// # Errors
    /// When the times make no election.
    pub(crate) fn start(
        world: &Arc<World>,
        replica: usize,
        timing: Timing,
        build: &Build,
    ) -> Result<Replica, TimingError> {
        let (life, shift) = world.start(replica);
        let cluster = |role: Role| -> Backend {
            let cluster: Backend = Arc::new(FaultyCluster::new(world.clone(), life.clone(), role));
            (build.wrap)(cluster, world.clone())
        };
        let clock = || {
            let world = world.clone();
            move || beginning() + SignedDuration::try_from(world.elapsed()).unwrap_or_default() + shift
        };
        let election = LeaderElection::new(cluster(Role::Elector), INSTALLATION, LEASE, &life.identity);
        let (election, standing) = election.timing(timing)?.clock(clock()).run(life.stop.clone());
        let leadership = election.leadership();
        let orchestrator = |role: Role| {
            // No two of them draw the same.
            let part = if matches!(role, Role::Request) { 0 } else { 500 };
            let first = (world.writes() + 1) * 1_000_000 + replica as u64 * 1_000 + part;
            Orchestrator::builder(cluster(role))
                .engine(StallEngine)
                .created_by("simulator")
                .secrets(Numbered(AtomicU64::new(first)))
                .clock(clock())
                .build()
        };
        let monitor = ReadinessMonitor::new(orchestrator(Role::Monitor(leadership.clone())));
        let monitor = if build.heeds_leadership { monitor.led_by(leadership.clone()) } else { monitor };
        let monitor = monitor.resync(Duration::from_secs(10));
        world.note(|| format!("{replica} starts, its clock is wrong by {} s", shift.as_secs()));
        world.audit(|audit| audit.leaders.join(&life, &leadership));
        let (world, process) = (world.clone(), life.clone());
        let orchestrator = orchestrator(Role::Request);
        tokio::spawn(async move {
            let running = async { tokio::join!(standing, monitor.run(process.stop.clone())) };
            if process.does(running).await.is_some() {
                world.note(|| format!("{replica} has stopped"));
                process.dead.cancel();
            }
        });
        Ok(Replica { orchestrator, life })
    }
}
