//! What all processes of a simulation share: the cluster, the chance by which things go wrong, and who looks on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use urumi_core::cluster::{ClusterErrorKind, InMemoryCluster};

use crate::audit::Audit;
use crate::scenario::{CrashPoint, Moment, Scenario, Weather};

/// What happened, one line each.
pub type Trace = Vec<String>;

/// What all processes of a simulation share.
pub struct World {
    /// The cluster itself, where everything works.
    pub cluster: InMemoryCluster,
    began: Instant,
    inner: Mutex<Inner>,
}

struct Inner {
    rng: StdRng,
    weather: Option<Weather>,
    crashes: Vec<CrashPoint>,
    /// Whether everything has healed: nobody dies any more.
    healed: bool,
    writes: u64,
    trace: Trace,
    audit: Audit,
    /// How long until each process that has died at a request is started again.
    died: Vec<(usize, Duration)>,
}

/// A process between its start and its death.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// Which replica it is.
    pub replica: usize,
    /// Cancelled when it dies: everything in it is dropped where it stands.
    pub dead: CancellationToken,
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
            inner: Mutex::new(Inner {
                // Not the numbers that the scenario was drawn from.
                rng: StdRng::seed_from_u64(!scenario.seed),
                weather: scenario.weather,
                crashes: scenario.crashes.clone(),
                healed: false,
                writes: 0,
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

    /// How many writes were begun.
    pub(crate) fn writes(&self) -> u64 {
        self.inner().writes
    }

    /// Ends everything that goes wrong with requests, watches and processes.
    pub(crate) fn heal(&self) {
        let mut inner = self.inner();
        inner.weather = None;
        inner.crashes.clear();
        inner.healed = true;
    }

    /// Draws what becomes of a request.
    pub(crate) fn fate(&self, write: bool) -> Fate {
        let mut inner = self.inner();
        let mut fate = Fate::default();
        if write {
            let number = inner.writes;
            inner.writes += 1;
            let point = inner.crashes.iter().find(|point| point.write == number);
            fate.death = point.map(|point| (point.moment, point.back_after));
        }
        let Some(weather) = inner.weather else { return fate };
        let rng = &mut inner.rng;
        fate.there = Duration::from_millis(rng.random_range(0..=weather.latency));
        fate.back = Duration::from_millis(rng.random_range(0..=weather.latency));
        let mut kind = |per_mille: u32, kinds: &[ClusterErrorKind]| {
            rng.random_ratio(per_mille, 1000).then(|| kinds.get(rng.random_range(0..kinds.len())).copied()).flatten()
        };
        let refusals = [
            ClusterErrorKind::Unavailable,
            ClusterErrorKind::Timeout,
            ClusterErrorKind::Unreachable,
            ClusterErrorKind::Conflict,
        ];
        let (refusals, losses) = (if write { &refusals[..] } else { &refusals[..3] }, &refusals[..3]);
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
        if !inner.healed {
            life.dead.cancel();
            inner.died.push((life.replica, back_after));
        }
    }

    /// The processes that have died at a request since this was asked last.
    pub(crate) fn take_died(&self) -> Vec<(usize, Duration)> {
        std::mem::take(&mut self.inner().died)
    }
}
