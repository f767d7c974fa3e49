//! What a seed stands for: stores, what people and others do to them and when, and what goes wrong meanwhile.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use urumi_core::monitor::leader::Timing;
use urumi_core::store::idempotency::Idempotency;
use urumi_core::{CreateStore, StoreId};

use crate::changes;
use crate::engine::StallEngine;
use crate::look::Look;

/// Everything that will happen, drawn from a seed.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The number it was drawn from.
    pub seed: u64,
    /// How many processes there are.
    pub replicas: usize,
    /// How long things take in the election.
    pub election: Timing,
    /// By how much the processes' clocks are wrong at most, either way.
    pub skew: Duration,
    /// The stores that people want.
    pub stores: Vec<Wanted>,
    /// What happens, in the order of time.
    pub actions: Vec<(Duration, Action)>,
    /// Processes that die at one of their requests.
    pub crashes: Vec<CrashPoint>,
    /// How bad requests and watches are until everything heals; `None` is a cluster that answers at once.
    pub weather: Option<Weather>,
    /// When everything is well again.
    pub heals_at: Duration,
    /// How long pods take to become ready.
    pub readiness_delay: Duration,
    /// How long namespaces take to go.
    pub termination_delay: Duration,
    /// How long the garbage collector takes.
    pub collection_delay: Duration,
}

/// A store that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The request that makes it.
    pub request: CreateStore,
    /// The id that it will have.
    pub id: StoreId,
    /// Whether it should be there in the end.
    pub stays: bool,
}

/// Something that happens at a moment.
#[derive(Clone, Debug)]
pub enum Action {
    /// Somebody asks for the store of this number, and repeats it until there is an answer.
    Create(usize),
    /// Somebody asks for its deletion, and repeats it until there is an answer.
    Delete(usize),
    /// Somebody wants a store to look otherwise, and repeats it until there is an answer.
    Change(usize, Look),
    /// Somebody wants a store to look as it did before the last change, and repeats it until there is an answer.
    RollBack(usize),
    /// Somebody else changes something of the store's.
    Drift(usize, Drift),
    /// A process dies, and is started again after this long.
    Crash(usize, Duration),
    /// A process stands still for this long; none is whoever leads.
    Pause(Option<usize>, Duration),
    /// A process is told to stop, and another is started in its place after this long; none is whoever leads.
    Stop(Option<usize>, Duration),
    /// Every open watch loses its connection.
    DropWatches,
    /// Every open watch must list again.
    ExpireWatches,
    /// The store's web workload cannot start, for this long.
    Break(usize, Duration),
}

/// What somebody else does to an object. The numbers choose among those that are there.
#[derive(Clone, Copy, Debug)]
pub enum Drift {
    /// A field that urumi owns is changed.
    Field(usize),
    /// The object is deleted.
    Removed(usize),
    /// An annotation of somebody else's is added.
    Foreign(usize),
    /// An annotation of somebody else's is added to the record.
    Record,
}

/// The moment of a request at which a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing was sent.
    Before,
    /// The cluster has done it, and the process never hears of it.
    Committed,
    /// The process has the answer, and has done nothing with it yet.
    Answered,
}

impl Moment {
    /// All moments.
    pub const ALL: [Moment; 3] = [Moment::Before, Moment::Committed, Moment::Answered];
}

/// Which writes are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Those of the stores.
    Stores,
    /// Those of the Lease.
    Lease,
}

/// A death at the n-th write, counted over all processes from 0.
#[derive(Clone, Copy, Debug)]
pub struct CrashPoint {
    /// Of which writes.
    pub of: Of,
    /// Which write.
    pub write: u64,
    /// When.
    pub moment: Moment,
    /// After how long the process is started again.
    pub back_after: Duration,
}

/// How bad requests and watches are.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The most milliseconds that a request takes on its way there, and again on its way back.
    pub latency: u64,
    /// How many in a thousand requests are stuck on their way there for many seconds.
    pub stuck: u32,
    /// The most milliseconds by which an event is late.
    pub lateness: u64,
    /// How many in a thousand requests are not carried out.
    pub refused: u32,
    /// How many in a thousand requests are carried out and their answer is lost.
    pub lost: u32,
    /// How many in a thousand events come only with the next listing, after this many milliseconds at most.
    pub gaps: u32,
    /// How many in a thousand events come twice.
    pub repeated: u32,
}

const HOUR: Duration = Duration::from_secs(3600);

const IDS: [&str; 4] = ["shop", "shop-1", "shop1", "stall"];

impl Scenario {
    /// What the seed stands for.
    pub fn of(seed: u64) -> Scenario {
        let mut scenario = Scenario::without_changes(seed);
        changes::draw(&mut scenario);
        scenario
    }

    /// What the seed stands for but the changes of stores.
    pub fn without_changes(seed: u64) -> Scenario {
        let mut rng = StdRng::seed_from_u64(seed);
        let rng = &mut rng;
        let heals_at = ms(rng, 2_000, 40_000);
        let replicas = rng.random_range(1..=3);
        let mut stores = Vec::new();
        let mut actions = Vec::new();
        for number in 0..rng.random_range(1..=2) {
            stores.push(wanted(rng, number));
            let stays = life(rng, number, heals_at, &mut actions);
            if let Some(store) = stores.last_mut() {
                store.stays = stays;
            }
        }
        for _ in 0..rng.random_range(0..=4) {
            let store = rng.random_range(0..stores.len());
            let drift = match rng.random_range(0..4) {
                0 => Drift::Field(rng.random_range(0..64)),
                1 => Drift::Removed(rng.random_range(0..64)),
                2 => Drift::Foreign(rng.random_range(0..64)),
                _ => Drift::Record,
            };
            actions.push((within(rng, heals_at), Action::Drift(store, drift)));
        }
        for _ in 0..rng.random_range(0..=4) {
            let someone = rng.random_bool(0.3).then(|| rng.random_range(0..replicas));
            let action = match rng.random_range(0..7) {
                0 => Action::Crash(rng.random_range(0..replicas), ms(rng, 1, 20_000)),
                1 | 5 => Action::Pause(someone, ms(rng, 1, 20_000)),
                6 => Action::Stop(someone, ms(rng, 1, 10_000)),
                2 => Action::DropWatches,
                3 => Action::ExpireWatches,
                _ => Action::Break(rng.random_range(0..stores.len()), ms(rng, 1, 30_000)),
            };
            actions.push((within(rng, heals_at), action));
        }
        actions.sort_by_key(|(at, _)| *at);
        let crashes = (0..rng.random_range(0..=2)).map(|_| crash(rng, 30)).collect();
        let weather = rng.random_bool(0.85).then(|| weather(rng));
        Scenario {
            seed,
            election: election(rng, weather),
            skew: if rng.random_bool(0.7) { HOUR } else { Duration::ZERO },
            crashes,
            replicas,
            stores,
            actions,
            weather,
            heals_at,
            readiness_delay: ms(rng, 0, 5_000),
            termination_delay: ms(rng, 0, 8_000),
            collection_delay: ms(rng, 0, 3_000),
        }
    }

    /// The same wishes, and what others do to the stores, where nothing else goes wrong.
    #[must_use]
    pub fn without_faults(&self) -> Scenario {
        let by_people = |action: &Action| {
            use Action::{Change, Create, Delete, Drift, RollBack};
            matches!(action, Create(_) | Delete(_) | Change(..) | RollBack(_) | Drift(..))
        };
        Scenario {
            replicas: 1,
            election: Timing::default(),
            skew: Duration::ZERO,
            actions: self.actions.iter().filter(|(_, action)| by_people(action)).cloned().collect(),
            crashes: Vec::new(),
            weather: None,
            ..self.clone()
        }
    }
}

pub(crate) fn ms(rng: &mut StdRng, least: u64, most: u64) -> Duration {
    Duration::from_millis(rng.random_range(least..=most))
}

pub(crate) fn within(rng: &mut StdRng, end: Duration) -> Duration {
    end.mul_f64(rng.random_range(0.0..1.0))
}

/// A death at one of the first writes.
pub(crate) fn crash(rng: &mut StdRng, writes: u64) -> CrashPoint {
    CrashPoint {
        of: if rng.random_bool(0.8) { Of::Stores } else { Of::Lease },
        write: rng.random_range(0..writes),
        moment: Moment::ALL.into_iter().nth(rng.random_range(0..3)).unwrap_or(Moment::Before),
        back_after: ms(rng, 1, 10_000),
    }
}

fn wanted(rng: &mut StdRng, number: usize) -> Wanted {
    let engine = if rng.random_bool(0.98) { StallEngine::NAME } else { "medusa" };
    let request = CreateStore::new(format!("Shop {number}"), engine);
    // One in two has a key only, and the id is derived from it.
    let (keyed, named) = (rng.random_bool(0.7), rng.random_bool(0.5));
    // No two stores of one scenario have the same.
    let name = IDS.get(number * 2 + rng.random_range(0..2)).copied().unwrap_or("shop");
    let mut request = if keyed { request.idempotency_key(format!("key {number}")) } else { request };
    let derived = Idempotency::of(&request).filter(|_| !named).map(|key| key.store_id());
    let id = match derived {
        Some(id) => id,
        None => {
            request = request.id(name);
            StoreId::parse(name).unwrap_or_else(|_| StoreId::random())
        }
    };
    Wanted { request, id, stays: true }
}

/// What people do with a store; says whether they want it in the end.
fn life(rng: &mut StdRng, number: usize, heals_at: Duration, actions: &mut Vec<(Duration, Action)>) -> bool {
    let mut at = within(rng, heals_at / 4);
    let mut stays = true;
    actions.push((at, Action::Create(number)));
    if rng.random_bool(0.3) {
        actions.push((at + ms(rng, 0, 2_000), Action::Create(number)));
    }
    for _ in 0..rng.random_range(0..=3) {
        at += if rng.random_bool(0.5) { ms(rng, 0, 300) } else { within(rng, heals_at / 3) };
        stays = !stays;
        actions.push((at, if stays { Action::Create(number) } else { Action::Delete(number) }));
        if rng.random_bool(0.2) {
            actions.push((at + ms(rng, 0, 500), if stays { Action::Create(number) } else { Action::Delete(number) }));
        }
    }
    stays
}

fn weather(rng: &mut StdRng) -> Weather {
    let mut upto = |most: u32| if rng.random_bool(0.5) { rng.random_range(0..=most) } else { 0 };
    Weather {
        latency: u64::from(upto(2_000)),
        stuck: upto(100),
        lateness: u64::from(upto(5_000)),
        refused: upto(500),
        lost: upto(300),
        gaps: upto(200),
        repeated: upto(200),
    }
}

/// Short leases, so that much happens in them; long ones where requests take as long as short ones last.
fn election(rng: &mut StdRng, weather: Option<Weather>) -> Timing {
    let slow = weather.is_some_and(|weather| weather.latency > 400);
    if slow || rng.random_bool(0.2) { Timing::default() } else { SHORT }
}

/// Short leases.
pub const SHORT: Timing = Timing::new(Duration::from_secs(3), Duration::from_secs(2), Duration::from_secs(1));
