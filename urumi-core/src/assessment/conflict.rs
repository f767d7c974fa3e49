//! Conflicts: fields that another client sets again and again. The monitor stops correcting them and reports them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::diagnosis::Cause;
use crate::kubernetes::{FIELD_MANAGER, Object, ObjectRef};
use crate::plan::{Observed, Plan, Step};

/// After this many repairs of one field within [`WINDOW`], there is a conflict about it.
const REPAIRS: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
/// How long an object is not repaired after its first conflict; doubled by each further one, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// The recent repairs of a store's fields, and the conflicts that they showed.
#[derive(Default)]
pub(crate) struct Conflicts {
    /// By object and path of the field.
    repairs: HashMap<(ObjectRef, String), Repairs>,
    /// The latest conflict about each object.
    conflicts: BTreeMap<ObjectRef, Conflict>,
}

#[derive(Default)]
struct Repairs {
    times: VecDeque<Instant>,
    /// What the field was set to. Repairs to another value, e.g. for another restart, are no conflict with anybody.
    desired: Value,
    /// The version of the object that was repaired last. A second repair of the same version only means that the watches
    /// have not shown the first one yet.
    version: String,
}

struct Conflict {
    path: String,
    until: Instant,
    pause: Duration,
}

impl Conflicts {
    /// Notes the repairs of a plan that is about to be carried out.
    pub(crate) fn note_repairs(&mut self, plan: &Plan, observed: &BTreeMap<ObjectRef, Object>, now: Instant) {
        for (object, drift) in plan.steps().filter_map(|step| match step {
            Step::Repair(object, drift) => Some((object.reference(), drift)),
            _ => None,
        }) {
            let version = observed.get(&object).map(version).unwrap_or_default();
            for field in drift {
                let repairs = self.repairs.entry((object.clone(), field.path.clone())).or_default();
                if repairs.version == version {
                    continue;
                }
                repairs.version.clone_from(&version);
                if repairs.desired != field.desired {
                    repairs.desired = field.desired.clone();
                    repairs.times.clear();
                }
                repairs.times.retain(|at| now.duration_since(*at) < WINDOW);
                repairs.times.push_back(now);
                if repairs.times.len() >= REPAIRS {
                    repairs.times.clear();
                    let before = self.conflicts.get(&object);
                    let pause = before.map_or(FIRST_PAUSE, |conflict| (conflict.pause * 2).min(LONGEST_PAUSE));
                    let conflict = Conflict { path: field.path.clone(), until: now + pause, pause };
                    self.conflicts.insert(object.clone(), conflict);
                }
            }
        }
        self.repairs.retain(|_, repairs| repairs.times.back().is_some_and(|at| now.duration_since(*at) < WINDOW));
    }

    /// The plan without repairs of objects that there is a conflict about, and when these conflicts end.
    pub(crate) fn without_conflicts(&self, plan: &Plan, now: Instant) -> (Plan, Vec<Instant>) {
        let conflict = |step: &Step| match step {
            Step::Repair(object, _) => self.conflicts.get(&object.reference()).filter(|conflict| now < conflict.until),
            _ => None,
        };
        let ends = plan.steps().filter_map(conflict).map(|conflict| conflict.until).collect();
        let waves =
            plan.waves.iter().map(|wave| wave.iter().filter(|step| conflict(step).is_none()).cloned().collect());
        (Plan { waves: waves.filter(|wave: &Vec<Step>| !wave.is_empty()).collect() }, ends)
    }

    /// A current conflict: the field and, if the cluster shows it, the other client. Without values, which may be secrets.
    pub(crate) fn cause(&self, observed: &Observed<'_>, now: Instant) -> Option<Cause> {
        let (object, conflict) = self.conflicts.iter().find(|(_, conflict)| now < conflict.until)?;
        let manager = observed.get(object).and_then(|object| last_other_manager(object));
        let who = manager.map_or_else(|| "somebody else".to_owned(), |manager| format!("{manager:?}"));
        let message = format!(
            "{} {}: {} is set again and again by {who}; it is left as it is for {} min",
            object.kind,
            object.name,
            conflict.path,
            conflict.pause.as_secs() / 60,
        );
        Some(Cause { reason: "SetByAnother".into(), message, specific: true, lasting: false })
    }
}

/// The version of the fields that urumi may own: the generation, which a change of the status leaves as it is, or else the
/// `resourceVersion`.
fn version(object: &Object) -> String {
    let generation = object.int_at("/metadata/generation").map(|generation| generation.to_string());
    generation.unwrap_or_else(|| object.resource_version().unwrap_or_default().to_owned())
}

/// The field manager, other than urumi, that changed the object last.
fn last_other_manager(object: &Object) -> Option<&str> {
    let text = |entry: &'_ serde_json::Value, key: &str| Some(entry.get(key)?.as_str()?.to_owned());
    let entries = object.list_at("/metadata/managedFields").iter();
    let others = entries.filter(|entry| text(entry, "manager").is_some_and(|manager| manager != FIELD_MANAGER));
    others.max_by_key(|entry| text(entry, "time"))?.get("manager")?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubernetes::Kind;
    use crate::store::preview::Drift;
    use k8s_openapi::api::apps::v1::Deployment;

    /// Notes repairs of a field, each of another generation and a second after the last, to these values.
    fn repaired_to(values: impl Iterator<Item = u32>) -> bool {
        let (mut conflicts, start) = (Conflicts::default(), Instant::now());
        for (n, value) in values.enumerate() {
            let metadata = json!({"name": "api", "namespace": "store-x", "generation": n});
            let object = Object::from_value(Kind::of::<Deployment>(), json!({"metadata": metadata})).unwrap();
            let drift = Drift { path: "spec.x".into(), desired: json!(value), actual: None };
            let plan = Plan { waves: vec![vec![Step::Repair(object.clone(), vec![drift])]] };
            let observed = BTreeMap::from([(object.reference(), object)]);
            conflicts.note_repairs(&plan, &observed, start + Duration::from_secs(n as u64));
        }
        !conflicts.conflicts.is_empty()
    }

    #[test]
    fn only_a_value_that_is_set_back_again_and_again_is_a_conflict() {
        assert!(repaired_to(std::iter::repeat_n(1, REPAIRS)));
        assert!(!repaired_to(std::iter::repeat_n(1, REPAIRS - 1)));
        // A store that is restarted again and again.
        assert!(!repaired_to(0..20));
    }
}
