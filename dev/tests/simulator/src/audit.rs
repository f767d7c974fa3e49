//! The invariants: what must hold at every write, whatever goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use k8s_openapi::api::core::v1::{Namespace, Secret};
use serde_json::Value;
use urumi_core::kubernetes::{Kind, Object, ObjectRef, Verb};
use urumi_core::record;
use urumi_core::store::status::StoreStatus;
use urumi_core::{Store, StoreId};

use crate::engine::SHARED;
use crate::leaders::Leaders;
use crate::life::Life;
use crate::look::Look;
use crate::request::{Role, Write, lease};
use crate::revisions::{NUMBER, Revisions};
use crate::scenario::Scenario;

/// What must never be violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariant {
    /// A store has one namespace.
    OneNamespace,
    /// A store's Secrets keep their first values for ever.
    OnePassword,
    /// Nothing is written outside of the stores' own namespaces, but what engines have in the installation's.
    OwnGround,
    /// No store is deleted that nobody wanted deleted.
    AskedDeletion,
    /// A monitor that may not write writes nothing, and what it has sent before another leads changes nothing of that
    /// other's.
    Leadership,
    /// One process leads at a time, and it is the one in the Lease.
    OneLeader,
    /// Where all is well, somebody leads soon after nobody does.
    Failover,
    /// Statuses change by the transition table only.
    Transitions,
    /// What others have set stays.
    ForeignFields,
    /// A change that somebody had an answer to stays until another one, or until urumi goes back from it.
    NoLostChange,
    /// A record is of one change, never of a mix of two, and each change has a number.
    OneChange,
    /// Nothing of a store is deleted but what a former revision made.
    NoForeignPrune,
    /// urumi leaves no revision by itself that was good, and goes nowhere but to the last good one.
    GoodStays,
    /// Each revision is kept before the next one is on record.
    HistoryKept,
    /// In the end every store is ready, failed with a reason, or gone.
    Settled,
    /// In the end nothing is left of stores that are gone.
    NoOrphans,
    /// In the end everything is as it would be if nothing had gone wrong.
    Oracle,
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// How that was seen.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.message)
    }
}

/// Something that others have set, at a JSON pointer of an object.
struct Foreign {
    uid: String,
    pointer: String,
    value: Value,
}

/// Looks on, and remembers what was violated.
pub(crate) struct Audit {
    /// The stores that somebody wants, and their names.
    wanted: BTreeMap<StoreId, String>,
    asked: BTreeSet<StoreId>,
    /// The first values of each Secret, by the uid of its namespace and its name.
    secrets: BTreeMap<(String, String), Value>,
    /// The namespaces of each name that stores are shown by.
    namespaces: BTreeMap<String, BTreeSet<String>>,
    foreign: Vec<Foreign>,
    /// What was written last of each object in each revision that changed it, by the uid of the namespace that it is of; as a
    /// hash.
    stated: BTreeMap<(String, String, String), u64>,
    /// The stores with which something has been wrong that is not urumi's doing.
    broken: BTreeSet<StoreId>,
    revisions: Revisions,
    /// Who leads.
    pub(crate) leaders: Leaders,
    /// How many writes of monitors were carried out after another has begun to lead.
    late: u64,
    violations: Vec<Violation>,
}

impl Audit {
    pub(crate) fn of(scenario: &Scenario) -> Audit {
        let wanted = scenario.stores.iter().map(|wanted| (wanted.id.clone(), wanted.request.name.clone()));
        Audit {
            wanted: wanted.collect(),
            asked: BTreeSet::new(),
            secrets: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            foreign: Vec::new(),
            stated: BTreeMap::new(),
            broken: BTreeSet::new(),
            revisions: Revisions::default(),
            leaders: Leaders::new(scenario.election.lease),
            late: 0,
            violations: Vec::new(),
        }
    }

    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How many writes of monitors were carried out after another has begun to lead.
    pub(crate) fn late(&self) -> u64 {
        self.late
    }

    pub(crate) fn violate(&mut self, invariant: Invariant, message: impl Into<String>) {
        self.violations.push(Violation { invariant, message: message.into() });
    }

    /// Somebody wants this store deleted.
    pub(crate) fn deletion_asked(&mut self, id: &StoreId) {
        self.asked.insert(id.clone());
    }

    /// A store cannot start.
    pub(crate) fn broken(&mut self, id: &StoreId) {
        self.broken.insert(id.clone());
    }

    /// Somebody was told that a store looks like this.
    pub(crate) fn accepted(&mut self, store: &Store, look: Look) {
        self.violations.extend(self.revisions.accepted(store, look));
    }

    /// Somebody looks whether a store is as it was changed last.
    pub(crate) fn look_for_change(&mut self, id: &StoreId, namespace: &Object) {
        self.violations.extend(self.revisions.lost(id, namespace));
    }

    /// Somebody else has set something.
    pub(crate) fn foreign(&mut self, object: &Object, pointer: &str) {
        if let (Some(uid), Some(value)) = (object.uid(), object.at(pointer)) {
            self.foreign.push(Foreign { uid: uid.into(), pointer: pointer.into(), value: value.clone() });
        }
    }

    /// Whether one leads, and soon; to be asked every moment.
    pub(crate) fn look(&mut self, all_is_well: bool) {
        if let Some(message) = self.leaders.several() {
            self.violate(Invariant::OneLeader, message);
        }
        if let Some(vacant) = self.leaders.vacancy(all_is_well) {
            self.violate(Invariant::Failover, format!("nobody has led for {vacant:?}"));
        }
    }

    /// A process begins to write. Says in whose term.
    pub(crate) fn write_begins(&mut self, (life, role): (&Life, &Role), verb: Verb, target: &str) -> u64 {
        if let Role::Monitor(leadership) = role
            && !leadership.holds()
        {
            self.violate(Invariant::Leadership, format!("{} does not lead and would {verb} {target}", life.identity));
        }
        if let Some(message) = self.leaders.several() {
            self.violate(Invariant::OneLeader, message);
        }
        self.leaders.term().0
    }

    /// A write was carried out that was begun in a term; `home` is the namespace of its target as it was, and `kept` the object
    /// that keeps the revision before a change.
    pub(crate) fn committed(
        &mut self,
        (life, role, begun): (&Life, &Role, u64),
        write: &Write,
        (home, kept): (Option<&Object>, Option<&Object>),
        (before, after): (Option<&Object>, Option<&Object>),
    ) {
        let target = write.target();
        if matches!(role, Role::Elector) {
            return self.check_lease(write, &target, after);
        }
        let (term, holder) = self.leaders.term();
        let late = matches!(role, Role::Monitor(_)) && term != begun && holder != life.identity;
        self.check_ground(write, &target, home, before);
        self.check_late(late, write, &target, (home, before));
        if let (true, Some(after)) = (target.kind == Kind::of::<Namespace>(), after) {
            let by_monitor = matches!(role, Role::Monitor(_));
            self.violations.extend(self.revisions.written(before, after, by_monitor, kept));
        }
        if let (Write::Delete(..), Some(home), Some(before)) = (write, home, before) {
            self.violations.extend(self.revisions.deleted(home, before));
        }
        let (Some(home), true) = (home, target.kind == Kind::of::<Secret>()) else {
            return self.check_record(write, before, after);
        };
        self.check_secret(home, &target, after);
        self.check_foreign(before, after);
    }

    /// An elector writes the Lease and nothing else.
    fn check_lease(&mut self, write: &Write, target: &ObjectRef, after: Option<&Object>) {
        match after {
            Some(after) if *target == lease() => {
                if let Some(message) = self.leaders.written(after) {
                    self.violate(Invariant::OneLeader, message);
                }
            }
            _ => self.violate(Invariant::OwnGround, format!("an elector would {} {target}", write.verb())),
        }
    }

    /// What comes late is of the record as it still is, or says what everybody says.
    fn check_late(
        &mut self,
        late: bool,
        write: &Write,
        target: &ObjectRef,
        (home, before): (Option<&Object>, Option<&Object>),
    ) {
        self.late += u64::from(late);
        let version = before.and_then(Object::resource_version);
        let stale = match write {
            Write::Create(object) | Write::Apply(object) => {
                let owner = |object: &Object| object.str_at("/metadata/ownerReferences/0/uid").map(str::to_owned);
                let home = || home.and_then(Object::uid).map(str::to_owned);
                let of = owner(object).or_else(|| before.and_then(owner)).or_else(home).unwrap_or_default();
                // As of another revision it is something else.
                let revision = object.annotation(NUMBER).unwrap_or_default().to_owned();
                let place = (of, target.to_string(), revision);
                let mut value = object.as_value().clone();
                // A creation says whose the object is, and a repair which object it is.
                if let Some(metadata) = value.pointer_mut("/metadata").and_then(Value::as_object_mut) {
                    metadata.retain(|key, _| !["ownerReferences", "uid"].contains(&key.as_str()));
                }
                let mut hasher = DefaultHasher::new();
                value.to_string().hash(&mut hasher);
                let stated = hasher.finish();
                self.stated.insert(place, stated).is_some_and(|earlier| earlier != stated)
            }
            Write::Replace(object) => object.resource_version() != version,
            Write::Metadata(_, patch) => Some(patch.resource_version.as_str()) != version,
            // What is left of a former revision may go, whatever it has become.
            Write::Delete(_, expected) => home.is_none() && expected.resource_version.as_deref() != version,
        };
        if late && stale {
            let message = format!("another leads, and {} {target} of before takes effect", write.verb());
            self.violate(Invariant::Leadership, message);
        }
    }

    fn check_ground(&mut self, write: &Write, target: &ObjectRef, home: Option<&Object>, before: Option<&Object>) {
        let id_of = |namespace: &Object| StoreId::parse(namespace.annotation(record::ID)?).ok();
        let ours = |namespace: &Object| {
            let id = id_of(namespace).filter(|id| namespace.name() == id.namespace());
            id.filter(|_| namespace.label(record::ENABLED) == Some("true"))
        };
        let owner = match (write, home) {
            (Write::Create(object), None) => ours(object),
            (Write::Create(object) | Write::Apply(object), Some(shared)) if shared.name() == SHARED => {
                object.label(record::ID).and_then(|id| StoreId::parse(id).ok())
            }
            (_, Some(home)) => ours(home),
            (_, None) => before.and_then(ours),
        };
        if owner.is_none() {
            self.violate(Invariant::OwnGround, format!("{} {target}, which is not in a store of ours", write.verb()));
        }
        if let (Write::Delete(..), Some(id), None) = (write, &owner, home)
            && !self.asked.contains(id)
        {
            self.violate(Invariant::AskedDeletion, format!("nobody wanted {target} deleted"));
        }
    }

    fn check_record(&mut self, write: &Write, before: Option<&Object>, after: Option<&Object>) {
        self.check_foreign(before, after);
        let status = |object: &Object| object.annotation(record::STATUS).and_then(StoreStatus::parse);
        match (write, before, after) {
            (Write::Create(_), None, Some(created)) if created.namespace().is_none() => {
                let name = created.annotation(record::NAME).unwrap_or_default().to_owned();
                let others = self.namespaces.entry(name.clone()).or_default();
                others.insert(created.name().to_owned());
                if others.len() > 1 {
                    let message = format!("{name} has several: {}", Vec::from_iter(others.clone()).join(", "));
                    self.violate(Invariant::OneNamespace, message);
                }
                let id = created.name().strip_prefix("store-").and_then(|id| StoreId::parse(id).ok());
                if id.is_none_or(|id| self.wanted.get(&id) != Some(&name)) {
                    self.violate(Invariant::OneNamespace, format!("{} is of no store that was wanted", created.name()));
                }
                if status(created) != Some(StoreStatus::Provisioning) {
                    self.violate(Invariant::Transitions, format!("{} does not begin as provisioning", created.name()));
                }
            }
            (Write::Metadata(..), Some(before), Some(after)) => {
                if let (Some(from), Some(to)) = (status(before), status(after))
                    && !from.may_become(to)
                {
                    self.violate(Invariant::Transitions, format!("{} went from {from} to {to}", after.name()));
                }
                // No scenario lasts as long as a store may be provisioning.
                let sound = |id: &str| StoreId::parse(id).is_ok_and(|id| !self.broken.contains(&id));
                if status(before) != status(after)
                    && status(after) == Some(StoreStatus::Failed)
                    && after.annotation(record::ID).is_some_and(sound)
                {
                    let message = format!("{} has failed, and nothing was wrong with it", after.name());
                    self.violate(Invariant::Transitions, message);
                }
            }
            _ => {}
        }
    }

    fn check_secret(&mut self, home: &Object, target: &ObjectRef, after: Option<&Object>) {
        let key = (home.uid().unwrap_or_default().to_owned(), target.name.clone());
        let Some(now) = after.and_then(|secret| secret.at("/data")).cloned() else { return };
        let first = self.secrets.entry(key).or_insert_with(|| now.clone());
        if *first != now {
            self.violate(Invariant::OnePassword, format!("the values of {target} are others than at first"));
        }
    }

    fn check_foreign(&mut self, before: Option<&Object>, after: Option<&Object>) {
        let (Some(before), Some(after)) = (before, after) else { return };
        let theirs = |foreign: &&Foreign| Some(foreign.uid.as_str()) == before.uid();
        let lost = self.foreign.iter().filter(theirs).find(|foreign| {
            before.at(&foreign.pointer) == Some(&foreign.value) && after.at(&foreign.pointer) != Some(&foreign.value)
        });
        if let Some(foreign) = lost {
            let message = format!("{} of {} was set by somebody else and is gone", foreign.pointer, after.reference());
            self.violate(Invariant::ForeignFields, message);
        }
    }
}
