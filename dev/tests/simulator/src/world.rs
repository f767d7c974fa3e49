//! The state that all processes of a simulation share: the cluster, the random faults, and the audit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use urumi_core::cluster::InMemoryCluster;
use urumi_core::kubernetes::ClusterErrorKind;

use crate::audit::Audit;
use crate::life::Life;
use crate::scenario::{CrashPoint, Moment, Of, Scenario, Weather};

/// How many milliseconds longer a request may take that is stuck on its way.
const STUCK: u64 = 20_000;

/// When every simulation begins.
pub(crate) fn beginning() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What happened, one line each.
pub type Trace = Vec<String>;

/// The state that all processes of a simulation share.
pub struct World {
    /// The cluster itself, where everything works.
    pub cluster: InMemoryCluster,
    began: Instant,
    /// Cancelled when everything heals: what is under way then arrives.
    healed: CancellationToken,
    inner: Mutex<Inner>,
}

struct Inner {
    rng: StdRng,
    /// By how much clocks may be wrong.
    skew: Duration,
    weather: Option<Weather>,
    crashes: Vec<CrashPoint>,
    writes: u64,
    /// Those of the Lease, which are counted apart.
    lease_writes: u64,
    starts: u64,
    trace: Trace,
    audit: Audit,
    /// How long until each process that has died at a request is started again.
    died: Vec<(usize, Duration)>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fate {
    pub(crate) there: Duration,
    pub(crate) back: Duration,
    /// It is not carried out.
    pub(crate) refused: Option<ClusterErrorKind>,
    /// Its answer is lost.
    pub(crate) lost: Option<ClusterErrorKind>,
    /// The process dies of it.
    pub(crate) death: Option<(Moment, Duration)>,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EventFate {
    pub(crate) late: Duration,
    pub(crate) repeated: bool,
    /// The connection is lost before it; listed again after this long.
    pub(crate) gap: Option<Duration>,
}

impl World {
    /// A world in which a scenario can happen.
    pub(crate) fn new(scenario: &Scenario, cluster: InMemoryCluster, audit: Audit) -> Arc<World> {
        Arc::new(World {
            cluster,
            began: Instant::now(),
            healed: CancellationToken::new(),
            inner: Mutex::new(Inner {
                // Not the numbers that the scenario was drawn from.
                rng: StdRng::seed_from_u64(!scenario.seed),
                skew: scenario.skew,
                weather: scenario.weather,
                crashes: scenario.crashes.clone(),
                writes: 0,
                lease_writes: 0,
                starts: 0,
                trace: Trace::new(),
                audit,
                died: Vec::new(),
            }),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Notes what happened.
    pub fn note(&self, what: impl FnOnce() -> String) {
        let line = format!("{:>9.3} {}", self.elapsed().as_secs_f64(), what());
        self.inner().trace.push(line);
    }

    /// Has the invariants looked at.
    pub(crate) fn audit<T>(&self, look: impl FnOnce(&mut Audit) -> T) -> T {
        look(&mut self.inner().audit)
    }

    /// Everything that happened.
    pub(crate) fn trace(&self) -> Trace {
        self.inner().trace.clone()
    }

    /// A new process, and by how much its clock is wrong.
    pub(crate) fn start(&self, replica: usize) -> (Life, SignedDuration) {
        let mut inner = self.inner();
        inner.starts += 1;
        let most = SignedDuration::try_from(inner.skew).unwrap_or_default();
        let shift = match inner.rng.random_range(0..3) {
            0 => SignedDuration::ZERO,
            _ => {
                SignedDuration::from_millis(inner.rng.random_range(-most.as_millis() as i64..=most.as_millis() as i64))
            }
        };
        (Life::new(replica, inner.starts), shift)
    }

    /// How many writes were begun, but those of the Lease.
    pub(crate) fn writes(&self) -> u64 {
        self.inner().writes
    }

    /// Ends everything that goes wrong with requests, watches and processes.
    pub(crate) fn heal(&self) {
        let mut inner = self.inner();
        inner.weather = None;
        inner.crashes.clear();
        self.healed.cancel();
    }

    /// Whether everything has healed.
    pub(crate) fn is_healed(&self) -> bool {
        self.healed.is_cancelled()
    }

    /// The time that something is on its way.
    pub(crate) async fn takes(&self, time: Duration) {
        if time.is_zero() {
            return;
        }
        tokio::select! {
            biased;
            () = self.healed.cancelled() => {}
            () = sleep(time) => {}
        }
    }

    /// Draws what becomes of a request.
    pub(crate) fn fate(&self, write: Option<Of>) -> Fate {
        let mut inner = self.inner();
        let mut fate = Fate::default();
        if let Some(of) = write {
            let counted = match of {
                Of::Stores => &mut inner.writes,
                Of::Lease => &mut inner.lease_writes,
            };
            let number = *counted;
            *counted += 1;
            let point = inner.crashes.iter().find(|point| (point.of, point.write) == (of, number));
            fate.death = point.map(|point| (point.moment, point.back_after));
        }
        let Some(weather) = inner.weather else { return fate };
        let rng = &mut inner.rng;
        fate.there = Duration::from_millis(rng.random_range(0..=weather.latency));
        fate.back = Duration::from_millis(rng.random_range(0..=weather.latency));
        if rng.random_ratio(weather.stuck, 1000) {
            fate.there += Duration::from_millis(rng.random_range(0..=STUCK));
        }
        let mut kind = |per_mille: u32, kinds: &[ClusterErrorKind]| {
            rng.random_ratio(per_mille, 1000).then(|| kinds.get(rng.random_range(0..kinds.len())).copied()).flatten()
        };
        let refusals = [
            ClusterErrorKind::Unavailable,
            ClusterErrorKind::Timeout,
            ClusterErrorKind::Unreachable,
            ClusterErrorKind::Conflict,
        ];
        let (refusals, losses) = (if write.is_some() { &refusals[..] } else { &refusals[..3] }, &refusals[..3]);
        fate.refused = kind(weather.refused, refusals);
        fate.lost = kind(weather.lost, losses);
        fate
    }

    /// Draws what becomes of an event.
    pub(crate) fn event_fate(&self) -> EventFate {
        let mut inner = self.inner();
        let Some(weather) = inner.weather else { return EventFate::default() };
        let rng = &mut inner.rng;
        let mut chance = |per_mille: u32| rng.random_ratio(per_mille, 1000);
        let (gap, repeated) = (chance(weather.gaps), chance(weather.repeated));
        let mut late = || Duration::from_millis(rng.random_range(0..=weather.lateness));
        EventFate { late: late(), repeated, gap: gap.then(late) }
    }

    /// A process dies at a request, unless everything has healed meanwhile.
    pub(crate) fn die(&self, life: &Life, back_after: Duration) {
        let mut inner = self.inner();
        if !self.healed.is_cancelled() && !life.dead.is_cancelled() {
            life.dead.cancel();
            inner.died.push((life.replica, back_after));
        }
    }

    /// The processes that have died at a request since this was asked last.
    pub(crate) fn take_died(&self) -> Vec<(usize, Duration)> {
        std::mem::take(&mut self.inner().died)
    }
}
