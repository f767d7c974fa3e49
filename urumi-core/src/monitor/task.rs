//! The monitor's loop: watch events in, judgements out, writes beside it.
//!
//! One task owns all state. Whatever talks to the cluster is a future beside the loop, at most one per store, so that
//! no store's trouble slows another's.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered, SelectAll};
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::cache::{Cache, Touched};
use super::inputs::{Moment, facts, ingress_classes, storage_classes};
use super::meter::Meter;
use super::rendered::Rendered;
use super::teardown::{Next, tear_down};
use super::tracked::Memory;
use super::{MonitorError, MonitorHealth, ReadinessMonitor};
use crate::assessment::assess;
use crate::kubernetes::{ClusterError, ClusterErrorKind, MetadataPatch, Query, WatchEvent};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::monitor::leader::Leadership;
use crate::orchestrator::local::{Failure, Orchestrator};
use crate::plan::{Observed, Plan, plan_for};
use crate::record::{self, namespace_kind};
use crate::store::StoreId;
use crate::store::status::StoreStatus;

/// How long writes under way may take to end after the monitor was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What a watch is of: a kind, in one namespace or in all.
type Scope = (Kind, Option<String>);
type Watches = SelectAll<BoxStream<'static, (Scope, Result<WatchEvent, ClusterError>)>>;

/// Runs the monitor until `stop` is cancelled.
pub(super) async fn run(
    monitor: ReadinessMonitor,
    stop: CancellationToken,
    report: &watch::Sender<MonitorHealth>,
) -> Result<(), MonitorError> {
    let leadership = monitor.leadership.clone();
    let mut leads = leadership.as_ref().is_none_or(Leadership::holds);
    let mut resync = tokio::time::interval(monitor.resync);
    resync.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut state = State::new(monitor);
    for kind in [
        namespace_kind(),
        Kind::of::<Pod>(),
        Kind::of::<PersistentVolumeClaim>(),
        Kind::of::<StorageClass>(),
        Kind::of::<IngressClass>(),
    ] {
        state.watch_kind(&kind);
    }
    loop {
        let wake = state.alarms.first().map(|(at, _)| *at);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(done) = state.under_way.next(), if !state.under_way.is_empty() => state.finish(done),
            event = state.watches.next() => match event {
                Some((scope, event)) => state.observe(&scope, event),
                None => return Err(MonitorError::WatchEnded),
            },
            () = sleep_until(wake) => state.ring(Instant::now()),
            _ = resync.tick() => state.resync(),
            () = turned(leadership.clone(), leads) => state.resync(),
        }
        leads = leadership.as_ref().is_none_or(Leadership::holds);
        state.judge_touched(leads);
        state.measure();
        state.report_to(report);
    }
    // What is under way is idempotent and would be repeated by the next monitor; letting it end spares the repetition.
    let ending = async { while state.under_way.next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ending).await;
    Ok(())
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Resolves when a leadership has ended, or begun; never, where none is needed.
async fn turned(leadership: Option<Leadership>, leads: bool) {
    match leadership {
        Some(mut leadership) if leads => leadership.ended().await,
        Some(mut leadership) => leadership.began().await,
        None => std::future::pending().await,
    }
}

/// What a future beside the loop has done.
struct Done {
    namespace: String,
    /// The namespace's.
    uid: String,
    outcome: Outcome,
}

enum Outcome {
    /// The second is since when the store was provisioned, where the record now says that it is ready.
    Recorded(Result<Object, ClusterError>, Option<Timestamp>),
    CarriedOut(Result<(), Failure>),
    Explained(Result<Vec<Object>, ClusterError>),
    /// The leadership ended before it was done.
    GivenUp,
}

/// One thing to do for a store.
enum Action {
    Record(MetadataPatch, Option<Timestamp>),
    /// The second is the uid of the store's namespace.
    CarryOut(Arc<Rendered>, String, Plan),
    Explain,
}

struct WatchState {
    synced: bool,
    error: Option<String>,
}

struct State {
    orchestrator: Orchestrator,
    leadership: Option<Leadership>,
    only: Option<StoreId>,
    deadline: Duration,
    settle: Duration,
    patience: Duration,
    cache: Cache,
    /// How many stores the cache has.
    stores: usize,
    memory: HashMap<String, Memory>,
    touched: BTreeSet<String>,
    alarms: BTreeSet<(Instant, String)>,
    watches: Watches,
    watched: HashMap<Scope, WatchState>,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    last_error: Option<String>,
    meter: Meter,
    /// Whether a record has changed since the stores were counted.
    recount: bool,
}

impl State {
    fn new(monitor: ReadinessMonitor) -> Self {
        State {
            meter: Meter::new(monitor.only.is_none()),
            recount: false,
            orchestrator: monitor.orchestrator,
            leadership: monitor.leadership,
            only: monitor.only,
            deadline: monitor.deadline,
            settle: monitor.settle,
            patience: monitor.patience,
            cache: Cache::default(),
            stores: 0,
            memory: HashMap::new(),
            touched: BTreeSet::new(),
            alarms: BTreeSet::new(),
            watches: SelectAll::new(),
            watched: HashMap::new(),
            under_way: FuturesUnordered::new(),
            last_error: None,
        }
    }

    /// Watches a kind: that of all stores, or in the namespace of the one store.
    fn watch_kind(&mut self, kind: &Kind) {
        let within = self.only.as_ref().filter(|_| kind.namespaced).map(StoreId::namespace);
        self.watch_scope((kind.clone(), within));
    }

    /// Watches what the one store has in another namespace than its own; where all stores are watched, that is seen anyhow.
    fn watch_outside(&mut self, kind: &Kind, namespace: &str) {
        if self.only.is_some() {
            self.watch_scope((kind.clone(), Some(namespace.to_owned())));
        }
    }

    fn watch_scope(&mut self, scope: Scope) {
        if self.watched.contains_key(&scope) {
            return;
        }
        self.watched.insert(scope.clone(), WatchState { synced: false, error: None });
        let (kind, within) = scope.clone();
        let query = if kind == namespace_kind() {
            record::query(self.only.as_ref())
        } else if kind.namespaced {
            record::owned_objects(kind, self.only.as_ref().zip(within))
        } else {
            Query::all(kind)
        };
        let events = self.orchestrator.cluster().watch(&query);
        self.watches.push(events.map(move |event| (scope.clone(), event)).boxed());
    }

    fn observe(&mut self, scope: &Scope, event: Result<WatchEvent, ClusterError>) {
        let Some(watched) = self.watched.get_mut(scope) else { return };
        let (kind, within) = scope;
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                // Said once; it is tried again until it is well.
                match watched.error.replace(error.to_string()) {
                    None => tracing::warn!(%error, "a watch failed and will be tried again"),
                    Some(_) => tracing::debug!(%error, "a watch fails still"),
                }
                return;
            }
        };
        watched.error = None;
        let first = !watched.synced && matches!(event, WatchEvent::Snapshot(_));
        watched.synced |= first;
        let is_record = *kind == namespace_kind();
        match self.cache.observe(kind, within.as_deref(), event) {
            Touched::Namespaces(namespaces) => {
                // The monitor's own writes of records are no sign that somebody is at work on the store.
                if !is_record && !first {
                    let now = Instant::now();
                    for namespace in &namespaces {
                        self.memory.entry(namespace.clone()).or_default().changed = Some(now);
                    }
                }
                self.touched.extend(namespaces);
            }
            Touched::All => self.touch_all(),
        }
        if is_record {
            self.stores = self.cache.stores().count();
            self.recount = true;
        }
        if first {
            self.touch_all();
        }
    }

    fn touch_all(&mut self) {
        self.touched.extend(self.cache.stores().map(str::to_owned));
    }

    fn resync(&mut self) {
        self.touch_all();
        for namespace in self.cache.stores() {
            self.memory.entry(namespace.to_owned()).or_default().resync = true;
        }
    }

    /// Looks again at the stores whose alarm has gone off.
    fn ring(&mut self, now: Instant) {
        while let Some((at, namespace)) = self.alarms.pop_first() {
            if at > now {
                self.alarms.insert((at, namespace));
                break;
            }
            if let Some(memory) = self.memory.get_mut(&namespace) {
                memory.alarm = None;
            }
            self.touched.insert(namespace);
        }
    }

    /// Looks at a store again at `at`, or earlier if that was asked for before.
    fn set_alarm(&mut self, namespace: &str, at: Instant) {
        let Some(memory) = self.memory.get_mut(namespace) else { return };
        if memory.alarm.is_some_and(|earlier| earlier <= at) {
            return;
        }
        if let Some(later) = memory.alarm.replace(at) {
            self.alarms.remove(&(later, namespace.to_owned()));
        }
        self.alarms.insert((at, namespace.to_owned()));
    }

    fn judge_touched(&mut self, may_write: bool) {
        for namespace in std::mem::take(&mut self.touched) {
            if self.cache.get(&namespace).is_none_or(|contents| contents.record.is_none()) {
                self.forget(&namespace);
                continue;
            }
            let (action, alarms) = self.judge(&namespace);
            for at in alarms {
                self.set_alarm(&namespace, at);
            }
            if let Some(action) = action.filter(|_| may_write) {
                self.begin(namespace, action);
            }
        }
    }

    fn forget(&mut self, namespace: &str) {
        if let Some(memory) = self.memory.remove(namespace)
            && let Some(at) = memory.alarm
        {
            self.alarms.remove(&(at, namespace.to_owned()));
        }
    }

    /// What is to be done for a store now, and when to look again.
    fn judge(&mut self, namespace: &str) -> (Option<Action>, Vec<Instant>) {
        let mut alarms = Vec::new();
        let Some(rendered) = self.render(namespace) else { return (None, alarms) };
        for kind in &rendered.kinds {
            self.watch_kind(kind);
        }
        for (kind, namespace) in &rendered.outside {
            self.watch_outside(kind, namespace);
        }
        let (Some(contents), Some(memory)) = (self.cache.get(namespace), self.memory.get_mut(namespace)) else {
            return (None, alarms);
        };
        let Some(record) = contents.record.as_ref() else { return (None, alarms) };
        let synced = |kind: &Kind| {
            let mut watches = self.watched.iter().filter(|((watched, _), _)| watched == kind).peekable();
            watches.peek().is_some() && watches.all(|(_, watch)| watch.synced)
        };
        if memory.busy || !rendered.components.iter().all(|c| synced(&c.workload.kind)) {
            return (None, alarms);
        }
        let now = Instant::now();
        let wall = self.orchestrator.now();
        let objects = contents.objects.iter().filter(|(_, o)| record::belongs(o, &record.id, &record.uid));
        let observed: Observed<'_> = objects.collect();
        if record.status == StoreStatus::Deleting {
            let known = rendered.kinds.iter().all(synced) && synced(&Kind::of::<Pod>());
            let next = (known && record.awaits_teardown()).then(|| {
                tear_down(record, &rendered.teardown, &observed, memory, (now, wall, self.settle), &mut alarms)
            });
            let action = next.flatten().map(|next| match next {
                Next::Record(patch) => Action::Record(patch, None),
                Next::CarryOut(plan) => Action::CarryOut(rendered.clone(), record.uid.clone(), plan),
            });
            return (action, alarms);
        }
        let provisioning_for = memory.provisioning_for(record.provisioning_since, now);
        let outstanding =
            rendered.kinds.iter().all(synced).then(|| plan_for(&rendered.manifests, &observed, record.was_ready()));
        if outstanding.as_ref().is_some_and(Plan::is_empty) {
            memory.outstanding_since = None;
        }
        let storage = synced(&Kind::of::<StorageClass>()).then(|| storage_classes(&self.cache));
        let ingress = synced(&Kind::of::<IngressClass>()).then(|| ingress_classes(&self.cache));
        let moment = Moment {
            outstanding: outstanding.as_ref(),
            storage: storage.as_ref(),
            ingress: ingress.as_ref(),
            contest: memory.contests.cause(&observed, now),
            now: wall,
            provisioning_for,
            deadline: self.deadline,
            patience: self.patience,
        };
        let assessment = assess(&facts(record, &observed, &rendered, memory, &moment));
        memory.note_trouble(assessment.trouble.as_deref(), wall);

        if record.status == StoreStatus::Provisioning {
            let given_up = memory.trouble.as_ref().map(|trouble| trouble.due(self.patience));
            let given_up = given_up.and_then(|due| Duration::try_from(due.duration_since(wall)).ok());
            let left = given_up.into_iter().chain(self.deadline.checked_sub(provisioning_for));
            // What is due at this moment has just been judged: whoever may not write would be woken by it for ever.
            alarms.extend(left.filter(|left| !left.is_zero()).map(|left| now + left));
        }
        if let Some(not_before) = memory.not_before.filter(|at| *at > now) {
            alarms.push(not_before);
            return (None, alarms);
        }
        if memory.wants_explanation(&assessment, record, now) {
            return (Some(Action::Explain), alarms);
        }
        if let Some(patch) = memory.record_change(&assessment, record, (now, wall), &mut alarms) {
            let provisioned = matches!(record.status, StoreStatus::Provisioning | StoreStatus::Failed);
            let ready = provisioned && assessment.status == StoreStatus::Ready;
            return (Some(Action::Record(patch, ready.then_some(record.provisioning_since))), alarms);
        }
        let at_work = matches!(record.status, StoreStatus::Provisioning | StoreStatus::Ready | StoreStatus::Degraded);
        let outstanding = outstanding.filter(|_| at_work).map(|plan| memory.contests.spare(plan, now, &mut alarms));
        if let Some(plan) = outstanding.filter(|plan| !plan.is_empty()) {
            let quiet_at = if record.status == StoreStatus::Provisioning {
                // Whoever is creating it is not disturbed.
                *memory.changed.get_or_insert(now) + self.settle
            } else {
                // What several changes do together is repaired at once, and what was written is first to be seen.
                let gathered = *memory.outstanding_since.get_or_insert(now) + self.settle / 4;
                memory.carried_out.map_or(gathered, |at| gathered.max(at + self.settle))
            };
            if quiet_at <= now {
                return (Some(Action::CarryOut(rendered, record.uid.clone(), plan)), alarms);
            }
            alarms.push(quiet_at);
        }
        (None, alarms)
    }

    /// The store's manifests, rendered once per spec. `None` when this urumi cannot read or render it: it is another's
    /// to look after, and its record is left as it is.
    fn render(&mut self, namespace: &str) -> Option<Arc<Rendered>> {
        let record = self.cache.get(namespace)?.record.as_ref()?;
        let spec = record.spec.as_ref().ok()?;
        let memory = self.memory.entry(namespace.to_owned()).or_default();
        memory.belong_to(&record.uid);
        if let Some(rendered) = memory.rendered.as_ref().filter(|r| r.spec == *spec) {
            return Some(rendered.clone());
        }
        match Rendered::of(&self.orchestrator, spec) {
            Ok(rendered) => {
                let rendered = Arc::new(rendered);
                memory.rendered = Some(rendered.clone());
                Some(rendered)
            }
            Err(error) => {
                if memory.resync {
                    tracing::warn!(%error, store = %spec.id, "a store cannot be looked after");
                }
                None
            }
        }
    }

    fn begin(&mut self, namespace: String, action: Action) {
        let mut uid = String::new();
        if let Some(memory) = self.memory.get_mut(&namespace) {
            memory.busy = true;
            uid.clone_from(&memory.uid);
            if let (Action::CarryOut(_, _, plan), Some(contents)) = (&action, self.cache.get(&namespace)) {
                memory.contests.repairing(plan, &contents.objects, Instant::now());
            }
        }
        let (orchestrator, leadership) = (self.orchestrator.clone(), self.leadership.clone());
        let within = namespace.clone();
        let work = async move {
            match action {
                Action::Record(patch, ready) => {
                    let record = ObjectRef::cluster(namespace_kind(), within);
                    Outcome::Recorded(orchestrator.cluster().patch_metadata(&record, &patch).await, ready)
                }
                Action::CarryOut(rendered, uid, plan) => {
                    for step in plan.steps() {
                        // Not the step itself: the values of fields may be the tenant's secrets.
                        tracing::info!(store = %rendered.spec.id, object = %step.target(), "making or repairing an object");
                    }
                    Outcome::CarriedOut(orchestrator.carry_out(&rendered.spec, &uid, &plan).await)
                }
                Action::Explain => {
                    let events = Query::all(Kind::of::<Event>()).in_namespace(within);
                    Outcome::Explained(orchestrator.cluster().list(&events).await)
                }
            }
        };
        let led = async move {
            let outcome = match leadership {
                Some(leadership) => leadership.while_held(work).await.unwrap_or(Outcome::GivenUp),
                None => work.await,
            };
            Done { namespace, uid, outcome }
        };
        self.under_way.push(led.boxed());
    }

    fn finish(&mut self, done: Done) {
        let Done { namespace, uid, outcome } = done;
        let now = Instant::now();
        self.touched.insert(namespace.clone());
        match &outcome {
            Outcome::Recorded(result, _) => self.meter.recorded(result),
            Outcome::CarriedOut(result) => self.meter.carried_out(result),
            Outcome::Explained(result) => self.meter.explained(result),
            Outcome::GivenUp => {}
        }
        if let Outcome::Recorded(Ok(written), ready) = &outcome {
            self.cache.written(written);
            self.recount = true;
            if let Some(since) = ready {
                self.meter.ready(*since, self.orchestrator.now());
            }
        }
        // What became of a namespace that is gone says nothing about the next of its name.
        let Some(memory) = self.memory.get_mut(&namespace).filter(|memory| memory.uid == uid) else { return };
        memory.busy = false;
        let failed = match outcome {
            Outcome::Recorded(Ok(_), _) => {
                memory.pending = None;
                memory.succeeded();
                return;
            }
            Outcome::GivenUp => return,
            // Somebody else wrote first, or the namespace is gone: the watch will tell.
            Outcome::Recorded(Err(error), _) => {
                memory.failed(now);
                let expected = matches!(error.kind(), ClusterErrorKind::Conflict | ClusterErrorKind::NotFound);
                (!expected).then(|| error.to_string())
            }
            Outcome::Explained(events) => {
                memory.events_at = Some(now);
                // Without events (not permitted, perhaps) the cause stays what it is.
                memory.events = events.unwrap_or_default();
                return;
            }
            Outcome::CarriedOut(Ok(())) => {
                // Until the watches have shown what was written, the same steps would be planned again.
                memory.changed = Some(now);
                memory.carried_out = Some(now);
                memory.outstanding_since = None;
                memory.plan_failure = None;
                memory.succeeded();
                return;
            }
            Outcome::CarriedOut(Err(failure)) => {
                memory.plan_failed(&failure, now);
                Some(failure.to_string())
            }
        };
        if let Some(error) = failed {
            tracing::debug!(%error, %namespace, "a write failed");
            self.last_error = Some(error);
        }
    }

    fn measure(&mut self) {
        if std::mem::take(&mut self.recount) {
            let records = self.cache.stores().filter_map(|namespace| self.cache.get(namespace)?.record.as_ref());
            self.meter.stores(records.map(|record| record.status));
        }
        self.meter.queue(self.under_way.len());
    }

    fn report_to(&self, report: &watch::Sender<MonitorHealth>) {
        let failing = |optional: bool| {
            let watches = self.watched.iter().filter(|((kind, _), _)| is_class(kind) == optional);
            let mut errors: Vec<String> = watches.filter_map(|(_, watch)| watch.error.clone()).collect();
            errors.sort();
            errors
        };
        let health = MonitorHealth {
            running: true,
            synced: self.watched.iter().all(|((kind, _), watch)| watch.synced || is_class(kind)),
            stores: self.stores,
            failing_watches: failing(false),
            failing_optional_watches: failing(true),
            last_error: self.last_error.clone(),
        };
        report.send_if_modified(|known| {
            let changed = *known != health;
            *known = health;
            changed
        });
    }
}

/// Classes only help to explain; a monitor that may not read them does its work without.
fn is_class(kind: &Kind) -> bool {
    !kind.namespaced && *kind != namespace_kind()
}
