//! Everything the in-memory cluster holds: objects, the clock, and the agenda of what is due later.
//!
//! Nothing runs in the background. [`controllers::settle`](super::controllers::settle) carries out what is due before
//! each request.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::config::Config;
use super::fault::{self, Fault, FaultTarget};
use super::fields::FieldSet;
use super::json::set;
use super::kinds::{
    AUTOSCALER, CLAIM, CONFIG_MAP, DEPLOYMENT, JOB, LIMIT_RANGE, NAMESPACE, POD, RESOURCE_QUOTA, SECRET, STATEFUL_SET,
    STORAGE_CLASS, has_generation, is_workload,
};
use super::log::{Change, Log};
use super::outage::Gate;
use super::output::Outputs;
use super::random::{mix, uuid_v4};
use super::runtime::{PodRuntime, Rollout};
use super::task::{Next, Task};
use super::tokens::Tokens;
use super::wake::{Sleeper, Wake};
use crate::kubernetes::{Kind, Object, ObjectRef, Query};

type Key = (Option<String>, String);

/// The objects of one kind, and what happened to them.
struct Shelf {
    objects: BTreeMap<Key, Arc<Object>>,
    /// The fields that server-side apply owns alone, of objects that it was used on.
    applied: BTreeMap<Key, FieldSet>,
    /// The fields that a creation has set and nobody has changed since.
    created: BTreeMap<Key, FieldSet>,
    log: Log,
}

pub(super) struct State {
    pub(super) config: Config,
    pub(super) gate: Gate,
    pub(super) faults: Vec<(FaultTarget, Fault)>,
    pub(super) tokens: Tokens,
    pub(super) pods: BTreeMap<(String, String), PodRuntime>,
    pub(super) outputs: Outputs,
    pub(super) rollouts: HashMap<ObjectRef, Rollout>,
    /// The StatefulSet for which a claim was created.
    pub(super) claimants: HashMap<(String, String), ObjectRef>,
    /// How often all watches were made to list again.
    pub(super) expiries: u64,
    /// How often all watches lost their connection.
    pub(super) drops: u64,
    shelves: BTreeMap<Kind, Shelf>,
    revision: u64,
    drawn: u64,
    now: Instant,
    began: (Instant, Timestamp),
    agenda: BTreeMap<(Instant, u64), Task>,
    agenda_wake: Wake,
    dirty: VecDeque<ObjectRef>,
    marked: HashSet<ObjectRef>,
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        let now = Instant::now();
        let began = (now, config.began.unwrap_or_else(Timestamp::now));
        State {
            config,
            gate: Gate::default(),
            faults: Vec::new(),
            tokens: Tokens::default(),
            pods: BTreeMap::new(),
            outputs: Outputs::new(),
            rollouts: HashMap::new(),
            claimants: HashMap::new(),
            expiries: 0,
            drops: 0,
            shelves: BTreeMap::new(),
            revision: 0,
            drawn: 0,
            now,
            began,
            agenda: BTreeMap::new(),
            agenda_wake: Wake::default(),
            dirty: VecDeque::new(),
            marked: HashSet::new(),
        }
    }

    // ---- objects -------------------------------------------------------------------------------------------------

    pub(super) fn find(&self, reference: &ObjectRef) -> Option<Arc<Object>> {
        let key = (reference.namespace.clone(), reference.name.clone());
        self.shelves.get(&reference.kind)?.objects.get(&key).cloned()
    }

    /// All objects that match, ordered by namespace and name.
    pub(super) fn select(&self, query: &Query) -> Vec<Arc<Object>> {
        let Some(shelf) = self.shelves.get(&query.kind) else { return Vec::new() };
        match &query.namespace {
            None => shelf.objects.values().filter(|o| query.matches(o)).cloned().collect(),
            Some(ns) => {
                let from = (Some(ns.clone()), query.name.clone().unwrap_or_default());
                let inside = shelf.objects.range(from..).take_while(|((n, _), _)| n.as_ref() == Some(ns));
                inside.map(|(_, o)| o).filter(|o| query.matches(o)).cloned().collect()
            }
        }
    }

    /// All objects, ordered by kind, namespace and name.
    pub(super) fn everything(&self) -> Vec<Arc<Object>> {
        self.shelves.values().flat_map(|shelf| shelf.objects.values().cloned()).collect()
    }

    /// The objects in a namespace, pods first: their network policies must be deleted after them.
    pub(super) fn contents(&self, namespace: &str) -> Vec<ObjectRef> {
        let mut kinds: Vec<&Kind> = self.shelves.keys().filter(|kind| kind.namespaced).collect();
        kinds.sort_by_key(|kind| **kind != POD);
        let in_namespace = |kind: &Kind| self.select(&Query::all(kind.clone()).in_namespace(namespace));
        kinds.into_iter().flat_map(in_namespace).map(|object| object.reference()).collect()
    }

    /// Stores an object as the next revision, and notifies watches and controllers.
    pub(super) fn put(&mut self, mut object: Object) -> Arc<Object> {
        self.revision += 1;
        set(object.as_value_mut(), &["metadata", "resourceVersion"], self.revision.to_string().into());
        let after = Arc::new(object);
        let shelf = self.shelf(after.kind());
        let key = (after.namespace().map(str::to_owned), after.name().to_owned());
        if let (Some(applied), Some(before)) = (shelf.applied.get_mut(&key), shelf.objects.get(&key)) {
            applied.retain_unchanged(before.as_value(), after.as_value());
        }
        if let (Some(created), Some(before)) = (shelf.created.get_mut(&key), shelf.objects.get(&key)) {
            created.retain_unchanged(before.as_value(), after.as_value());
        }
        let before = shelf.objects.insert(key, after.clone());
        shelf.log.push(Change { before, after: Some(after.clone()) });
        self.touched(&after);
        after
    }

    /// Gives an object its identity and stores it.
    pub(super) fn put_new(&mut self, mut object: Object) -> Arc<Object> {
        let (uid, now) = (self.draw_uid(), self.timestamp());
        let value = object.as_value_mut();
        set(value, &["metadata", "uid"], uid.into());
        set(value, &["metadata", "creationTimestamp"], now.into());
        if has_generation(object.kind()) {
            set(object.as_value_mut(), &["metadata", "generation"], 1.into());
        }
        if self.is_orphan(&object) {
            self.schedule(self.config.collection_delay, Task::Collect(object.reference()));
        }
        self.put(object)
    }

    /// Whether all owners of an object are namespaces that are gone. (Other owners are deleted with what they own.)
    pub(super) fn is_orphan(&self, object: &Object) -> bool {
        let owners = object.list_at("/metadata/ownerReferences");
        let is_gone = |owner: &Value| {
            let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
            let namespace = ObjectRef::cluster(NAMESPACE, text("name"));
            text("kind") == "Namespace" && self.find(&namespace).is_none_or(|found| found.uid() != Some(text("uid")))
        };
        !owners.is_empty() && owners.iter().all(is_gone)
    }

    /// Stores a changed object, unless it is equal. A changed spec increases the generation.
    pub(super) fn put_changed(&mut self, before: &Arc<Object>, mut after: Object) -> Arc<Object> {
        if **before == after {
            return before.clone();
        }
        if has_generation(after.kind()) && before.at("/spec") != after.at("/spec") {
            let generation = before.int_at("/metadata/generation").unwrap_or(0) + 1;
            set(after.as_value_mut(), &["metadata", "generation"], generation.into());
        }
        self.put(after)
    }

    /// Replaces an object's status, unless it is equal.
    pub(super) fn put_status(&mut self, object: &Arc<Object>, status: Value) -> Arc<Object> {
        if object.at("/status") == Some(&status) {
            return object.clone();
        }
        let mut changed = Object::clone(object);
        set(changed.as_value_mut(), &["status"], status);
        self.put(changed)
    }

    /// The fields of an object that server-side apply owns alone.
    pub(super) fn applied(&self, reference: &ObjectRef) -> FieldSet {
        let key = (reference.namespace.clone(), reference.name.clone());
        self.shelves.get(&reference.kind).and_then(|shelf| shelf.applied.get(&key)).cloned().unwrap_or_default()
    }

    pub(super) fn set_applied(&mut self, reference: &ObjectRef, fields: FieldSet) {
        let key = (reference.namespace.clone(), reference.name.clone());
        let shelf = self.shelf(&reference.kind);
        // An apply that removes the last finalizer of an object may have deleted it.
        if shelf.objects.contains_key(&key) {
            shelf.applied.insert(key, fields);
        }
    }

    pub(super) fn set_created(&mut self, reference: &ObjectRef, fields: FieldSet) {
        let key = (reference.namespace.clone(), reference.name.clone());
        self.shelf(&reference.kind).created.insert(key, fields);
    }

    /// Counts the fields that a creation has set as applied, and those at `released` as nobody's.
    pub(super) fn own_created(&mut self, reference: &ObjectRef, released: &[&str]) {
        let key = (reference.namespace.clone(), reference.name.clone());
        let shelf = self.shelf(&reference.kind);
        if let Some(created) = shelf.created.remove(&key) {
            shelf.applied.entry(key.clone()).or_default().extend(created);
        }
        if let Some(applied) = shelf.applied.get_mut(&key) {
            released.iter().for_each(|pointer| applied.remove(pointer));
        }
    }

    /// Removes an object at once.
    pub(super) fn delete(&mut self, reference: &ObjectRef) -> Option<Arc<Object>> {
        let key = (reference.namespace.clone(), reference.name.clone());
        let shelf = self.shelves.get_mut(&reference.kind)?;
        let object = shelf.objects.remove(&key)?;
        shelf.applied.remove(&key);
        shelf.created.remove(&key);
        // A deletion is a revision of its own, which the deleted object has.
        self.revision += 1;
        let mut last = Object::clone(&object);
        set(last.as_value_mut(), &["metadata", "resourceVersion"], self.revision.to_string().into());
        shelf.log.push(Change { before: Some(Arc::new(last)), after: None });
        self.touched(&object);
        let place = (reference.namespace.clone().unwrap_or_default(), reference.name.clone());
        if reference.kind == POD {
            self.pods.remove(&place);
            self.outputs.forget(&place.0, &place.1);
            // A quota may admit another pod now.
            let quotas = Query { namespace: reference.namespace.clone(), ..Query::all(RESOURCE_QUOTA) };
            if !self.select(&quotas).is_empty() {
                self.mark_all(reference.namespace.as_deref());
            }
        } else if reference.kind == CLAIM {
            self.claimants.remove(&place);
        } else if is_workload(&reference.kind) {
            self.rollouts.remove(reference);
        }
        Some(object)
    }

    fn shelf(&mut self, kind: &Kind) -> &mut Shelf {
        let capacity = self.config.watch_history;
        let new = || Shelf {
            objects: BTreeMap::new(),
            applied: BTreeMap::new(),
            created: BTreeMap::new(),
            log: Log::new(capacity),
        };
        self.shelves.entry(kind.clone()).or_insert_with(new)
    }

    pub(super) fn log(&mut self, kind: &Kind) -> &Log {
        &self.shelf(kind).log
    }

    /// Wakes all watches.
    pub(super) fn nudge_watches(&self) {
        self.shelves.values().for_each(|shelf| shelf.log.nudge());
    }

    pub(super) fn watches(&self) -> usize {
        self.agenda_wake.sleepers()
    }

    // ---- identity and time ---------------------------------------------------------------------------------------

    /// A pseudo-random number. Every cluster draws the same numbers in the same order, so that tests are reproducible.
    pub(super) fn draw(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.drawn)
    }

    pub(super) fn draw_uid(&mut self) -> String {
        let bits = (u128::from(self.draw()) << 64) | u128::from(self.draw());
        uuid_v4(bits).to_string()
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// The time of day. It follows tokio's clock, also where that is paused.
    pub(super) fn time(&self) -> Timestamp {
        let (instant, time) = self.began;
        let passed = i64::try_from(self.now.saturating_duration_since(instant).as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(time.as_millisecond().saturating_add(passed)).unwrap_or(time)
    }

    /// The time of day in the format of Kubernetes.
    pub(super) fn timestamp(&self) -> String {
        let now = self.time();
        Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
    }

    /// Adds a task to the agenda, unless its time is out of range.
    pub(super) fn schedule(&mut self, after: Duration, task: Task) {
        if let Some(due) = self.now.checked_add(after) {
            self.schedule_at(due, task);
        }
    }

    pub(super) fn schedule_at(&mut self, due: Instant, task: Task) {
        let sooner = self.due().is_none_or(|first| due < first);
        self.drawn += 1;
        self.agenda.insert((due, self.drawn), task);
        if sooner {
            self.agenda_wake.wake();
            self.outputs.nudge();
        }
    }

    /// When the next task is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.agenda.keys().next().map(|(due, _)| *due)
    }

    pub(super) fn subscribe_agenda(&self) -> Sleeper {
        self.agenda_wake.subscribe()
    }

    /// Takes the next thing to do: an object that was marked, else what is due by `until`. Moves the clock to the time at
    /// which it is due.
    pub(super) fn next_task(&mut self, until: Instant) -> Option<Next> {
        if let Some(reference) = self.dirty.pop_front() {
            self.marked.remove(&reference);
            return Some(Next::Marked(reference));
        }
        let entry = self.agenda.first_entry().filter(|entry| entry.key().0 <= until)?;
        let ((due, _), task) = entry.remove_entry();
        self.now = self.now.max(due);
        Some(Next::Due(task))
    }

    /// Moves the clock forward.
    pub(super) fn advance_to(&mut self, time: Instant) {
        self.now = self.now.max(time);
    }

    // ---- controllers ---------------------------------------------------------------------------------------------

    /// Lets a controller reconcile an object soon.
    pub(super) fn mark(&mut self, reference: ObjectRef) {
        if self.marked.insert(reference.clone()) {
            self.dirty.push_back(reference);
        }
    }

    /// Lets controllers reconcile all workloads and claims of a namespace, or of all namespaces.
    pub(super) fn mark_all(&mut self, namespace: Option<&str>) {
        for kind in [CLAIM, DEPLOYMENT, STATEFUL_SET, JOB] {
            let query = Query { namespace: namespace.map(str::to_owned), ..Query::all(kind) };
            for object in self.select(&query) {
                self.mark(object.reference());
            }
        }
    }

    /// Marks the objects that depend on one that was created, changed or deleted.
    fn touched(&mut self, object: &Object) {
        let kind = object.kind();
        if is_workload(kind) {
            self.mark(object.reference());
        } else if *kind == POD {
            let place = (object.namespace().unwrap_or_default().to_owned(), object.name().to_owned());
            if let Some(pod) = self.pods.get(&place) {
                self.mark(pod.workload.clone());
            }
        } else if [AUTOSCALER, CLAIM, SECRET, CONFIG_MAP, RESOURCE_QUOTA, LIMIT_RANGE].contains(kind) {
            self.mark_all(object.namespace());
        } else if *kind == STORAGE_CLASS {
            self.mark_all(None);
        }
    }

    /// The fault of a workload: the last that was injected, or that of its image.
    pub(super) fn fault_of(&self, workload: &Object) -> Option<(FaultTarget, Fault)> {
        let injected = self.faults.iter().rev().find(|(target, _)| target.fits(workload)).cloned();
        injected.or_else(|| fault::of_image(workload))
    }

    pub(super) fn readiness_delay(&self, workload: &str) -> Duration {
        self.config.readiness_delays.get(workload).copied().unwrap_or(self.config.readiness_delay)
    }
}
