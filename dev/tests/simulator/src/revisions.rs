//! What is known of the revisions of stores, and what must hold of them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::record;
use urumi_core::store::revision::KEPT_REVISIONS;
use urumi_core::{Store, StoreId};

use crate::audit::{Invariant, Violation};
use crate::engine::{EXTRA, PROOF};
use crate::look::{Look, is_mixed};

/// The last revision that changed an object, as an annotation of it.
pub(crate) const NUMBER: &str = "store.urumi.ai/revision-number";
/// Who requests what urumi does by itself.
const URUMI: &str = "urumi";

/// What a revision says of a store.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    name: String,
    options: Value,
    request: Value,
}

/// The revision on a record.
struct Present {
    number: u64,
    good: Option<u64>,
    restores: Option<u64>,
    by_urumi: bool,
    said: Said,
}

/// A JSON annotation.
fn annotation(namespace: &Object, name: &str) -> Value {
    namespace.annotation(name).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

impl Present {
    fn of(namespace: &Object) -> Present {
        let (revision, spec) = (annotation(namespace, record::REVISION), annotation(namespace, record::SPEC));
        let number = |name: &str| revision.get(name).and_then(Value::as_u64);
        let text = |name: &str| spec.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Present {
            number: number("number").unwrap_or(1),
            good: number("good"),
            restores: number("restores"),
            by_urumi: revision.get("by").and_then(Value::as_str) == Some(URUMI),
            said: Said {
                name: text("name"),
                options: spec.get("options").cloned().unwrap_or_default(),
                request: annotation(namespace, record::REQUEST),
            },
        }
    }
}

/// The object that keeps the revision on a record.
pub(crate) fn keeps(namespace: &Object) -> ObjectRef {
    let name = format!("revision-{}", Present::of(namespace).number);
    ObjectRef::namespaced(Kind::of::<ControllerRevision>(), namespace.name(), name)
}

/// The uid of the namespace that owns an object.
fn owner(object: &Object) -> Option<&str> {
    object.str_at("/metadata/ownerReferences/0/uid")
}

/// Whether the revision on a record is rolled out, and nothing is left of earlier ones.
pub(crate) fn is_in_force(namespace: &Object) -> bool {
    let present = Present::of(namespace);
    let left_over = annotation(namespace, record::REVISION).get("leftOver").is_some();
    present.number == 1 || (present.good == Some(present.number) && !left_over)
}

/// Whether a record says that a store looks like this.
pub(crate) fn looks_like(namespace: &Object, look: Look) -> bool {
    let said = Present::of(namespace).said;
    said.options == json!(look.options()) && said.request == json!(look.request())
}

/// The revisions of one store.
#[derive(Default)]
struct Known {
    said: BTreeMap<u64, Said>,
    /// Those that were rolled out.
    good: BTreeSet<u64>,
}

/// The revisions of all stores, by the uids of their namespaces.
#[derive(Default)]
pub(crate) struct Revisions {
    known: BTreeMap<String, Known>,
    /// The last change of each store that somebody had an answer to.
    accepted: BTreeMap<StoreId, (String, u64, Look)>,
}

fn violation(invariant: Invariant, message: String) -> Violation {
    Violation { invariant, message }
}

impl Revisions {
    /// A record was written; `kept` is the object that keeps the revision before. Says what is wrong.
    pub(crate) fn written(
        &mut self,
        before: Option<&Object>,
        after: &Object,
        by_monitor: bool,
        kept: Option<&Object>,
    ) -> Vec<Violation> {
        let Some(uid) = after.uid() else { return Vec::new() };
        let known = self.known.entry(uid.to_owned()).or_default();
        let (name, now) = (after.name(), Present::of(after));
        let mut wrong = Vec::new();
        if is_mixed(&now.said.options) || is_mixed(&now.said.request) {
            wrong.push(violation(Invariant::OneChange, format!("{name} is a mix: {}", json!(now.said.options))));
        }
        if let Some(before) = before {
            let was = Present::of(before);
            if now.number == was.number && now.said != was.said {
                let message = format!("{name} was changed and is still revision {}", now.number);
                wrong.push(violation(Invariant::OneChange, message));
            }
            if now.number != was.number {
                wrong.extend(known.next((name, uid), (&was, &now), by_monitor, kept));
            }
        }
        known.good.extend(now.good);
        known.said.insert(now.number, now.said);
        wrong
    }

    /// Somebody was told that a store looks like this. Says what is wrong.
    pub(crate) fn accepted(&mut self, store: &Store, look: Look) -> Option<Violation> {
        let uid = store.uid.clone().unwrap_or_default();
        let said = self.known.get(&uid).and_then(|known| known.said.get(&store.revision));
        let there = said.is_some_and(|said| said.options == json!(look.options()));
        self.accepted.insert(store.id.clone(), (uid, store.revision, look));
        let message = || format!("{} was said to be {look:?} in revision {}, and never was", store.id, store.revision);
        (!there).then(|| violation(Invariant::NoLostChange, message()))
    }

    /// Says what is wrong where the last change that somebody had an answer to is not on record any more. urumi may have gone back.
    pub(crate) fn lost(&self, id: &StoreId, namespace: &Object) -> Option<Violation> {
        let (_, number, look) = self.accepted.get(id).filter(|(uid, ..)| Some(uid.as_str()) == namespace.uid())?;
        let present = Present::of(namespace);
        let lost = present.number < *number || (!looks_like(namespace, *look) && !present.by_urumi);
        let message =
            || format!("{id} was to be {look:?} in revision {number}, and is {}", json!(present.said.options));
        lost.then(|| violation(Invariant::NoLostChange, message()))
    }

    /// Something within a store's namespace was deleted. Says what is wrong.
    pub(crate) fn deleted(&self, home: &Object, object: &Object) -> Option<Violation> {
        let (kind, name) = (object.kind(), object.name());
        let ours = owner(object).is_some()
            && owner(object) == home.uid()
            && object.label(record::ID) == home.annotation(record::ID);
        let present = Present::of(home);
        if ours && *kind == Kind::of::<ControllerRevision>() {
            let number = object.int_at("/revision").and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
            // With the present one, the next one, and one that was the last good one when this was decided.
            let old = number + KEPT_REVISIONS as u64 <= present.number + 2 && present.good != Some(number);
            let message = || format!("revision {number} of {} is not kept any more", home.name());
            return (!old).then(|| violation(Invariant::HistoryKept, message()));
        }
        let known = home.uid().and_then(|uid| self.known.get(uid));
        let extra = |said: &Said| said.options.get("extra") == Some(&json!(true));
        let rendered = match name.strip_prefix(PROOF) {
            Some(number) if *kind == Kind::of::<Job>() => number != format!("-{}", present.number),
            _ => {
                let once = known.is_some_and(|known| known.said.values().any(extra));
                *kind == Kind::of::<ConfigMap>() && name == EXTRA && once
            }
        };
        let message = || format!("{} was deleted, and no former revision made it", object.reference());
        (!ours || !rendered).then(|| violation(Invariant::NoForeignPrune, message()))
    }
}

impl Known {
    /// A revision has followed another.
    fn next(
        &self,
        (name, uid): (&str, &str),
        (was, now): (&Present, &Present),
        by_monitor: bool,
        kept: Option<&Object>,
    ) -> Vec<Violation> {
        let mut wrong = Vec::new();
        let step = format!("{name} went from revision {} to {}", was.number, now.number);
        if now.number != was.number + 1 {
            wrong.push(violation(Invariant::OneChange, step.clone()));
        }
        let data = kept.filter(|kept| owner(kept) == Some(uid)).and_then(|kept| kept.at("/data")).cloned();
        let data = data.unwrap_or_default();
        let said = Said {
            name: data.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            options: data.get("options").cloned().unwrap_or_default(),
            request: data.get("request").cloned().unwrap_or_default(),
        };
        if data.get("number") != Some(&json!(was.number)) || said != was.said {
            wrong.push(violation(Invariant::HistoryKept, format!("{step}, and the former is not kept")));
        }
        let restored = now.restores.and_then(|number| self.said.get(&number));
        if now.restores.is_some() && restored != Some(&now.said) {
            let invariant = if by_monitor { Invariant::GoodStays } else { Invariant::OneChange };
            wrong.push(violation(invariant, format!("{step}, which is not as {:?} was", now.restores)));
        }
        if by_monitor || now.by_urumi {
            if self.good.contains(&was.number) {
                wrong.push(violation(Invariant::GoodStays, format!("{step} by itself, and the former was good")));
            }
            if now.restores.is_none() || now.restores != self.good.last().copied() {
                wrong.push(violation(Invariant::GoodStays, format!("{step} by itself, not to the last good one")));
            }
        }
        wrong
    }
}
