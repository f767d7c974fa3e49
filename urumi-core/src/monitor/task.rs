//! The monitor's loop: it takes in what the watches deliver, decides, and has actions taken.
//!
//! One task owns all state. Everything that sends requests is a future beside the loop, at most one for each store, so
//! that a slow store delays no other.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::action::{Action, Done, Outcome};
use super::alarms::Alarms;
use super::cache::{Cache, Touched};
use super::clock::Clock;
use super::contents::Unpacked;
use super::decision::decide;
use super::decision::rule::Decision;
use super::health::{MonitorError, MonitorHealth};
use super::meter::Meter;
use super::settings::{Limits, Settings};
use super::tracked::Tracked;
use super::turns::Turns;
use super::view::View;
use super::watches::{Delivery, Seen, Watches};
use crate::kubernetes::{ClusterErrorKind, Kind};
use crate::monitor::leader::Leadership;
use crate::orchestrator::local::{Ended, Orchestrator};
use crate::record::namespace_kind;

/// How long actions under way may take to end after the monitor was told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// How many stores are decided on before other tasks of the process get their turn. A decision takes about a millisecond, and
/// a resync decides on every store.
const BATCH: usize = 8;

/// A crowded store rests for this many times the time that its last decision took, so that it uses a small part of the loop's time.
const REST: u32 = 20;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// How long a new monitor waits for all lists before it decides on stores with those that it has. Deciding on every store after
/// each list would take most of the time of a start.
const SETTLE: Duration = Duration::from_secs(5);

/// Runs the monitor until `stop` is cancelled.
pub(super) async fn run(
    settings: Settings,
    stop: CancellationToken,
    report: &watch::Sender<MonitorHealth>,
) -> Result<(), MonitorError> {
    let leadership = settings.leadership.clone();
    let mut leads = leadership.as_ref().is_none_or(Leadership::holds);
    let mut resync = tokio::time::interval(settings.resync);
    resync.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut state = State::new(settings);
    loop {
        let alarm = state.alarms.next();
        tokio::select! {
            // The branches are tried in this order. Outcomes come before events, so that a store is not decided on without
            // the result of its last action, or of the plan of a request.
            biased;
            () = stop.cancelled() => break,
            Some(done) = state.under_way.next(), if !state.under_way.is_empty() => state.finish(done),
            ended = state.ended.recv() => state.plan_ended(ended),
            delivery = state.watches.next() => match delivery {
                Some(delivery) => state.observe(delivery),
                None => return Err(MonitorError::WatchEnded),
            },
            () = sleep_until(alarm) => {}
            _ = resync.tick() => state.touch_all(),
            () = leadership_change(leadership.clone(), leads) => {}
            () = tokio::task::yield_now(), if !state.touched.is_empty() => {}
        }
        let led = std::mem::replace(&mut leads, leadership.as_ref().is_none_or(Leadership::holds));
        if led != leads {
            state.touch_all();
        }
        state.decide_touched(leads);
        state.meter.queue(state.under_way.len());
        state.report_to(report);
    }
    // Actions are idempotent, and the next monitor would repeat those that are cut short. Waiting saves it the work.
    let ending = async { while state.under_way.next().await.is_some() {} };
    let _ = tokio::time::timeout(STOP_TIMEOUT, ending).await;
    Ok(())
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Resolves when the leadership ends or begins; never without an election.
async fn leadership_change(leadership: Option<Leadership>, leads: bool) {
    match leadership {
        Some(mut leadership) if leads => leadership.ended().await,
        Some(mut leadership) => leadership.began().await,
        None => std::future::pending().await,
    }
}

/// Everything that the loop knows.
struct State {
    orchestrator: Orchestrator,
    leadership: Option<Leadership>,
    limits: Limits,
    cache: Cache,
    watches: Watches,
    tracked: HashMap<String, Tracked>,
    /// The namespaces to decide on.
    touched: Turns,
    alarms: Alarms,
    /// When the start is over, even if lists are missing.
    settled_at: Instant,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// The plans of this process that end, requests' and this monitor's.
    ended: broadcast::Receiver<Ended>,
    /// The namespace and the error of the latest write that failed.
    last_error: Option<(String, String)>,
    meter: Meter,
}

impl State {
    fn new(settings: Settings) -> Self {
        let Settings { orchestrator, limits, only, leadership, resync: _ } = settings;
        let meter = Meter::new(only.is_none());
        let mut watches = Watches::new(orchestrator.cluster().clone(), only);
        for kind in [
            namespace_kind(),
            Kind::of::<Pod>(),
            Kind::of::<PersistentVolumeClaim>(),
            Kind::of::<StorageClass>(),
            Kind::of::<IngressClass>(),
        ] {
            watches.add(&kind);
        }
        State {
            ended: orchestrator.plans_under_way().ends(),
            orchestrator,
            leadership,
            limits,
            cache: Cache::default(),
            watches,
            tracked: HashMap::new(),
            touched: Turns::default(),
            alarms: Alarms::default(),
            settled_at: Instant::now() + SETTLE,
            under_way: FuturesUnordered::new(),
            last_error: None,
            meter,
        }
    }

    /// Takes in what a watch delivered.
    fn observe(&mut self, delivery: Delivery) {
        let Some(((kind, namespace), Seen { event, first })) = self.watches.record(delivery) else { return };
        let is_record = kind == namespace_kind();
        match self.cache.observe(&kind, namespace.as_deref(), event) {
            Touched::Namespaces(namespaces) => {
                // A change of a record may be this monitor's own write, so it does not end the quiet period.
                if !is_record && !first {
                    let now = Instant::now();
                    for namespace in &namespaces {
                        self.tracked.entry(namespace.clone()).or_default().progress.changed = Some(now);
                    }
                }
                self.touched.extend(namespaces);
            }
            Touched::All => self.touch_all(),
        }
        if is_record {
            self.meter.stores(self.cache.counts());
        }
        let now = Instant::now();
        if first && self.settling(now) {
            // More stores take longer.
            self.settled_at = now + SETTLE;
        } else if first {
            self.touch_all();
        }
    }

    /// Whether the monitor has just started, and waits for lists.
    fn settling(&self, now: Instant) -> bool {
        now < self.settled_at && !self.watches.synced()
    }

    /// Takes in that a plan of this process has ended. Until then, no other was begun for its store.
    fn plan_ended(&mut self, ended: Result<Ended, RecvError>) {
        let Ok(Ended { namespace, end }) = ended else {
            // More have ended than are kept.
            return self.touch_all();
        };
        if let Some(tracked) = self.tracked.get_mut(&namespace) {
            tracked.progress.creation.ended(end, Instant::now());
            self.touched.insert(namespace);
        }
    }

    fn touch_all(&mut self) {
        self.touched.extend(self.cache.stores().map(str::to_owned));
    }

    /// Decides on the next touched namespaces, and begins the actions if this process may write.
    fn decide_touched(&mut self, may_write: bool) {
        self.touched.extend(self.alarms.take_due(Instant::now()));
        for _ in 0..BATCH {
            let Some(namespace) = self.touched.next() else { return };
            let began = Instant::now();
            if let Some(at) = self.waits_until(&namespace, began) {
                self.alarms.set(&namespace, at);
                continue;
            }
            let Some(contents) = self.cache.unpack(&namespace) else {
                self.forget(&namespace);
                continue;
            };
            let Some(Decision { action, look_again, progress }) = self.decide(&namespace, &contents) else {
                drop(contents);
                self.set_aside(&namespace);
                if self.settling(began) {
                    self.alarms.set(&namespace, self.settled_at);
                }
                continue;
            };
            let rests = action.is_none() && look_again.is_none();
            if let Some(tracked) = self.tracked.get_mut(&namespace) {
                tracked.progress = progress;
                if rests {
                    // It is rendered again when something changes.
                    tracked.rendered = None;
                }
            }
            self.alarms.remove(&namespace);
            let settled_at = self.settling(began).then_some(self.settled_at);
            for at in look_again.into_iter().chain(settled_at) {
                self.alarms.set(&namespace, at);
            }
            if let Some(action) = action.filter(|_| may_write) {
                self.begin(&namespace, &contents, action);
            }
            let crowded = contents.is_crowded();
            drop(contents);
            if rests {
                self.cache.pack(&namespace);
            }
            if let Some(tracked) = self.tracked.get_mut(&namespace) {
                tracked.rests_until = crowded.then(|| Instant::now() + (began.elapsed() * REST).min(LONGEST_REST));
            }
        }
    }

    /// Until when a namespace is not decided on.
    fn waits_until(&self, namespace: &str, now: Instant) -> Option<Instant> {
        let tracked = self.tracked.get(namespace)?;
        // The first decision on a store adds the watches of its kinds.
        let settled_at = (self.settling(now) && !tracked.uid.is_empty()).then_some(self.settled_at);
        settled_at.or(tracked.rests_until.filter(|at| *at > now))
    }

    /// Frees what a store that cannot be decided on yet takes, unless an action is under way for it.
    fn set_aside(&mut self, namespace: &str) {
        if let Some(tracked) = self.tracked.get_mut(namespace).filter(|tracked| !tracked.busy) {
            tracked.rendered = None;
            self.cache.pack(namespace);
        }
    }

    fn forget(&mut self, namespace: &str) {
        self.tracked.remove(namespace);
        self.alarms.remove(namespace);
        self.cache.pack(namespace);
        self.clear_error(namespace);
    }

    fn clear_error(&mut self, namespace: &str) {
        self.last_error.take_if(|(of, _)| of == namespace);
    }

    /// The decision on a store; `None` while an action for it is under way, or too little was seen of it.
    fn decide(&mut self, namespace: &str, contents: &Unpacked) -> Option<Decision> {
        let record = contents.record()?;
        let tracked = self.tracked.entry(namespace.to_owned()).or_default();
        tracked.belong_to(&record.uid);
        let rendered = tracked.render(&self.orchestrator, record)?;
        for kind in &rendered.kinds {
            self.watches.add(kind);
        }
        for (kind, namespace) in &rendered.outside {
            self.watches.add_outside(kind, namespace);
        }
        if tracked.busy {
            return None;
        }
        let view = View::of(record, contents, &rendered, &self.cache, &self.watches)?;
        let clock = Clock { now: Instant::now(), wall: self.orchestrator.now() };
        Some(decide(&view, tracked, self.limits, clock))
    }

    /// Begins an action beside the loop, unless it is a plan and another one of this process is under way for the store.
    fn begin(&mut self, namespace: &str, contents: &Unpacked, action: Action) {
        let mut plan = None;
        if let Action::CarryOut { .. } = &action {
            plan = self.orchestrator.plans_under_way().begin(namespace.to_owned());
            if plan.is_none() {
                return;
            }
        }
        let mut uid = String::new();
        if let Some(tracked) = self.tracked.get_mut(namespace) {
            tracked.busy = true;
            uid.clone_from(&tracked.uid);
            if let Action::CarryOut { plan, .. } = &action {
                tracked.conflicts.note_repairs(plan, &contents.objects, Instant::now());
            }
        }
        let (orchestrator, leadership) = (self.orchestrator.clone(), self.leadership.clone());
        let namespace = namespace.to_owned();
        let work = async move {
            let began = Instant::now();
            let taken = action.take(&orchestrator, &namespace);
            let outcome = match leadership {
                Some(leadership) => leadership.while_held(taken).await.unwrap_or(Outcome::Abandoned),
                None => taken.await,
            };
            if let (Some(plan), Outcome::CarriedOut(Ok(()))) = (plan, &outcome) {
                plan.finish();
            }
            Done { namespace, uid, took: began.elapsed(), outcome }
        };
        self.under_way.push(work.boxed());
    }

    /// Takes in the outcome of an action.
    fn finish(&mut self, Done { namespace, uid, took, outcome }: Done) {
        self.touched.insert(namespace.clone());
        self.meter.finished(&outcome);
        if let Outcome::Recorded(write, Ok(written)) = &outcome {
            self.limits.answer_time = took;
            self.cache.written(written);
            self.meter.stores(self.cache.counts());
            if let Some(since) = write.provisioned_since {
                self.meter.ready(since, self.orchestrator.now());
            }
            if let Some(ended) = &write.ended {
                self.meter.changed(ended, self.orchestrator.now());
            }
            let (from, to) = write.status;
            if from != to {
                tracing::info!(store = %write.store, %from, %to, "a store's status changed");
            }
        }
        if let Outcome::Pruned(Ok(written)) = &outcome {
            self.cache.written(written);
        }
        // An outcome for a namespace that is gone says nothing about the next one of the same name.
        let Some(tracked) = self.tracked.get_mut(&namespace).filter(|tracked| tracked.uid == uid) else { return };
        let error = match &outcome {
            Outcome::Recorded(_, Err(error)) => {
                // Another client wrote first, or the namespace is gone. The watch will show which.
                let expected = matches!(error.kind(), ClusterErrorKind::Conflict | ClusterErrorKind::NotFound);
                (!expected).then(|| error.to_string())
            }
            Outcome::CarriedOut(Err(failure)) => Some(failure.to_string()),
            Outcome::Proving(Err(error)) => Some(error.to_string()),
            Outcome::RolledBack(Err(error)) => Some(error.to_string()),
            Outcome::Pruned(Err(error)) => Some(error.to_string()),
            _ => None,
        };
        let succeeded = matches!(&outcome, Outcome::Recorded(_, Ok(_)) | Outcome::CarriedOut(Ok(())));
        tracked.rests_until = None;
        tracked.finished(outcome, Instant::now());
        if let Some(error) = error {
            tracing::debug!(%error, %namespace, "a write failed");
            self.last_error = Some((namespace, error));
        } else if succeeded {
            self.clear_error(&namespace);
        }
    }

    /// Reports the monitor's health, if it has changed.
    fn report_to(&mut self, report: &watch::Sender<MonitorHealth>) {
        let watches = self.watches.take_changes();
        let stores = self.cache.counts().total();
        let last_error = self.last_error.as_ref().map(|(_, error)| error);
        report.send_if_modified(|health| {
            let changed = watches.is_some() || health.stores != stores || health.last_error.as_ref() != last_error;
            if changed {
                health.stores = stores;
                health.last_error = last_error.cloned();
            }
            if let Some(watches) = watches {
                health.synced = watches.synced;
                health.failing_watches = watches.failing;
                health.failing_optional_watches = watches.optional;
            }
            changed
        });
    }
}
