//! The invariants: what must hold at every write, whatever goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use serde_json::Value;
use urumi_core::StoreId;
use urumi_core::cluster::{NamespaceDeletion, RecordPatch, Verb};
use urumi_core::object::{Kind, Object, ObjectRef};
use urumi_core::record;
use urumi_core::status::StoreStatus;

use crate::engine::SHARED;
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
    /// A monitor that may not write writes nothing.
    Leadership,
    /// Statuses change by the transition table only.
    Transitions,
    /// What others have set stays.
    ForeignFields,
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

/// A write as it is sent.
pub(crate) enum Write<'a> {
    Create(&'a Object),
    Apply(&'a Object),
    Replace(&'a Object),
    Record(&'a RecordPatch),
    Delete(&'a NamespaceDeletion),
}

impl Write<'_> {
    pub(crate) fn verb(&self) -> Verb {
        match self {
            Write::Create(_) => Verb::Create,
            Write::Apply(_) => Verb::Apply,
            Write::Replace(_) => Verb::Replace,
            Write::Record(_) => Verb::UpdateRecord,
            Write::Delete(_) => Verb::Delete,
        }
    }

    pub(crate) fn target(&self) -> ObjectRef {
        match self {
            Write::Create(object) | Write::Apply(object) | Write::Replace(object) => object.reference(),
            Write::Record(patch) => namespace(&patch.namespace),
            Write::Delete(deletion) => namespace(&deletion.namespace),
        }
    }
}

/// The address of a namespace.
pub(crate) fn namespace(name: &str) -> ObjectRef {
    ObjectRef::cluster(Kind::of::<Namespace>(), name)
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
            violations: Vec::new(),
        }
    }

    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    pub(crate) fn violate(&mut self, invariant: Invariant, message: impl Into<String>) {
        self.violations.push(Violation { invariant, message: message.into() });
    }

    /// Somebody wants this store deleted.
    pub(crate) fn deletion_asked(&mut self, id: &StoreId) {
        self.asked.insert(id.clone());
    }

    /// Somebody else has set something.
    pub(crate) fn foreign(&mut self, object: &Object, pointer: &str) {
        if let (Some(uid), Some(value)) = (object.uid(), object.at(pointer)) {
            self.foreign.push(Foreign { uid: uid.into(), pointer: pointer.into(), value: value.clone() });
        }
    }

    /// A monitor begins to write.
    pub(crate) fn write_begins(&mut self, permitted: bool, replica: usize, verb: Verb, target: &str) {
        if !permitted {
            self.violate(Invariant::Leadership, format!("replica {replica} does not lead and would {verb} {target}"));
        }
    }

    /// A write was carried out; `home` is the namespace of its target as it was.
    pub(crate) fn committed(
        &mut self,
        write: &Write<'_>,
        home: Option<&Object>,
        before: Option<&Object>,
        after: Option<&Object>,
    ) {
        let target = write.target();
        self.check_ground(write, &target, home, before);
        let (Some(home), true) = (home, target.kind == Kind::of::<Secret>()) else {
            return self.check_record(write, before, after);
        };
        self.check_secret(home, &target, after);
        self.check_foreign(before, after);
    }

    fn check_ground(&mut self, write: &Write<'_>, target: &ObjectRef, home: Option<&Object>, before: Option<&Object>) {
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
        if let (Write::Delete(_), Some(id)) = (write, &owner)
            && !self.asked.contains(id)
        {
            self.violate(Invariant::AskedDeletion, format!("nobody wanted {target} deleted"));
        }
    }

    fn check_record(&mut self, write: &Write<'_>, before: Option<&Object>, after: Option<&Object>) {
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
            (Write::Record(_), Some(before), Some(after)) => {
                if let (Some(from), Some(to)) = (status(before), status(after))
                    && !from.may_become(to)
                {
                    self.violate(Invariant::Transitions, format!("{} went from {from} to {to}", after.name()));
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
