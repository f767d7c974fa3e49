//! Fields that somebody else sets again and again: they are not fought over, but reported.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::diagnosis::Cause;
use crate::kubernetes::FIELD_MANAGER;
use crate::kubernetes::{Object, ObjectRef};
use crate::plan::{Observed, Plan, Step};

/// How often one field is set back within [`WINDOW`] before somebody else is taken to want it otherwise.
const REPAIRS: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
/// How long such an object is left alone then; doubled each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// What was set back lately, and what is left alone because of it.
#[derive(Default)]
pub(crate) struct Contests {
    repairs: HashMap<(ObjectRef, String), Repairs>,
    contested: BTreeMap<ObjectRef, Contest>,
}

#[derive(Default)]
struct Repairs {
    times: VecDeque<Instant>,
    /// The object as it was when it was last counted: what the watches have not yet shown to be repaired is no fight.
    version: String,
}

struct Contest {
    path: String,
    until: Instant,
    pause: Duration,
}

impl Contests {
    /// Notes that a plan is about to be carried out.
    pub(crate) fn repairing(&mut self, plan: &Plan, observed: &BTreeMap<ObjectRef, Object>, now: Instant) {
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
                repairs.times.retain(|at| now.duration_since(*at) < WINDOW);
                repairs.times.push_back(now);
                if repairs.times.len() >= REPAIRS {
                    repairs.times.clear();
                    let before = self.contested.get(&object);
                    let pause = before.map_or(FIRST_PAUSE, |contest| (contest.pause * 2).min(LONGEST_PAUSE));
                    let contest = Contest { path: field.path.clone(), until: now + pause, pause };
                    self.contested.insert(object.clone(), contest);
                }
            }
        }
        self.repairs.retain(|_, repairs| repairs.times.back().is_some_and(|at| now.duration_since(*at) < WINDOW));
    }

    /// The plan without what is left alone, and when to look again because of that.
    pub(crate) fn spare(&self, mut plan: Plan, now: Instant, alarms: &mut Vec<Instant>) -> Plan {
        let spared = |step: &Step| match step {
            Step::Repair(object, _) => self.contested.get(&object.reference()).filter(|contest| now < contest.until),
            _ => None,
        };
        alarms.extend(plan.steps().filter_map(spared).map(|contest| contest.until));
        for wave in &mut plan.waves {
            wave.retain(|step| spared(step).is_none());
        }
        plan.waves.retain(|wave| !wave.is_empty());
        plan
    }

    /// What is fought over now: the field and, where the cluster says so, by whom. No values: they may be secrets.
    pub(crate) fn cause(&self, observed: &Observed<'_>, now: Instant) -> Option<Cause> {
        let (object, contest) = self.contested.iter().find(|(_, contest)| now < contest.until)?;
        let manager = observed.get(object).and_then(|object| last_other_manager(object));
        let who = manager.map_or_else(|| "somebody else".to_owned(), |manager| format!("{manager:?}"));
        let message = format!(
            "{} {}: {} is set again and again by {who}; it is left as it is for {} min",
            object.kind,
            object.name,
            contest.path,
            contest.pause.as_secs() / 60,
        );
        Some(Cause { reason: "SetByAnother".into(), message, specific: true, lasting: false })
    }
}

/// What changes whenever somebody changes what urumi may own: not with a status, where Kubernetes tells that apart.
fn version(object: &Object) -> String {
    let generation = object.int_at("/metadata/generation").map(|generation| generation.to_string());
    generation.unwrap_or_else(|| object.resource_version().unwrap_or_default().to_owned())
}

/// Who else has changed the object last.
fn last_other_manager(object: &Object) -> Option<&str> {
    let text = |entry: &'_ serde_json::Value, key: &str| Some(entry.get(key)?.as_str()?.to_owned());
    let entries = object.list_at("/metadata/managedFields").iter();
    let others = entries.filter(|entry| text(entry, "manager").is_some_and(|manager| manager != FIELD_MANAGER));
    others.max_by_key(|entry| text(entry, "time"))?.get("manager")?.as_str()
}
