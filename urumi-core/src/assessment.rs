//! The assessment of a store: a pure function from its objects and its record to its status and conditions.

pub(crate) mod conflict;
pub(crate) mod diagnosis;
pub(crate) mod inputs;
pub(crate) mod rollout;
pub(crate) mod smoke_result;
pub(crate) mod workload;

use std::time::Duration;

use jiff::Timestamp;

use crate::assessment::diagnosis::{Cause, diagnose, has_succeeded};
use crate::assessment::inputs::Inputs;
use crate::assessment::rollout::{Rollout, rollout};
use crate::assessment::smoke_result::SmokeResult;
use crate::assessment::workload::{is_available, is_observed, serves};
use crate::engine::Component;
use crate::kubernetes::{MetadataPatch, Object};
use crate::plan::Step;
use crate::record::Record;
use crate::store::status::{Condition, ConditionStatus, StoreStatus, carry_times};

/// The condition whether every object of the store exists.
const OBJECTS: &str = "ObjectsCreated";
/// The condition whether an Ingress controller serves the store's addresses.
const ADDRESSES: &str = "AddressesServed";
/// The condition whether no other client keeps changing the store's fields.
const UNCONTESTED: &str = "Uncontested";
/// The condition whether today's policy would accept the store's options.
const COMPLIANT: &str = "PolicyCompliant";
/// The number of options that the message of this condition names.
const NAMED: usize = 5;

/// What a store's record should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assessment {
    pub(crate) status: StoreStatus,
    pub(crate) conditions: Vec<Condition>,
    /// Whether the store's Kubernetes events may explain more.
    pub(crate) unexplained: bool,
    /// The reason of a problem that does not resolve itself, if there is one. A component's problem counts only if the
    /// components before it have none: an API fails as long as its database is starting.
    pub(crate) trouble: Option<String>,
    /// The state of the present revision; `None` if it is the first.
    pub(crate) rollout: Option<Rollout>,
}

impl Assessment {
    /// The patch that writes it to the record.
    pub(crate) fn patch(&self, record: &Record, now: Timestamp) -> MetadataPatch {
        let patch = record.update(self.status, &self.conditions, now);
        match &self.rollout {
            Some(rollout) => record.observe_revision(patch, *rollout == Rollout::Complete),
            None => patch,
        }
    }

    /// Whether the status, the status or reason of a condition, or what is known of the revision differs from the record.
    pub(crate) fn differs_from(&self, record: &Record) -> bool {
        if self.rollout.is_some() && record.observed_revision != record.revision.number {
            return true;
        }
        let shape = |conditions: &[Condition]| -> Vec<(String, ConditionStatus, String)> {
            conditions.iter().map(|c| (c.type_.clone(), c.status, c.reason.clone())).collect()
        };
        self.status != record.status || shape(&self.conditions) != shape(&record.conditions)
    }
}

/// Assesses a store that is not being deleted.
pub(crate) fn assess(inputs: &Inputs<'_>) -> Assessment {
    let mut conditions = Vec::new();
    let mut causes: Vec<Cause> = Vec::new();
    let mut state = |type_: String, cause: Option<Cause>, ok: &str| {
        conditions.push(match &cause {
            None => Condition::new(type_, ConditionStatus::True, ok, "", inputs.now),
            Some(cause) => Condition::new(type_, ConditionStatus::False, &cause.reason, &cause.message, inputs.now),
        });
        causes.extend(cause);
    };
    state(OBJECTS.into(), missing_objects(inputs), "Created");
    for (component, workload) in &inputs.components {
        state(condition_type(&component.name), component_cause(inputs, component, *workload), "Available");
    }
    match addresses(inputs) {
        Some(Err(cause)) => state(ADDRESSES.into(), Some(cause), ""),
        // An uncertainty does not keep a store from being ready.
        Some(Ok((status, reason, message))) => {
            conditions.push(Condition::new(ADDRESSES, status, reason, message, inputs.now));
        }
        None => {}
    }
    // A conflict does not keep a store from being ready.
    if let Some(Cause { reason, message, .. }) = &inputs.conflict {
        conditions.push(Condition::new(UNCONTESTED, ConditionStatus::False, reason, message, inputs.now));
    }
    conditions.extend(compliance(inputs));
    let rollout = rollout(inputs);
    conditions.extend(rollout::conditions(rollout.as_ref(), inputs));
    if let Some(condition) = smoke_condition(inputs) {
        // A failed order means nothing while the store is provisioning, or if another problem explains the failure.
        if condition.status == ConditionStatus::False
            && matches!(inputs.record.status, StoreStatus::Ready | StoreStatus::Degraded)
            && causes.is_empty()
        {
            let message = format!("smoke order: {}", condition.message);
            causes.push(Cause { reason: condition.reason.clone(), message, specific: true, lasting: false });
        }
        conditions.push(condition);
    }
    let trouble = causes.first().filter(|cause| cause.lasting).map(|cause| cause.reason.clone());
    let status = next_status(inputs, causes.is_empty(), trouble.as_deref());
    let failed_by_deadline = status == StoreStatus::Failed && inputs.record.status == StoreStatus::Provisioning;
    // Report the first cause that explains something.
    let main = causes.iter().find(|c| c.specific).or(causes.first());
    let unexplained = main.is_some_and(|c| !c.specific);
    let ready = match main {
        None => Condition::new(Condition::READY, ConditionStatus::True, "Available", "", inputs.now),
        Some(cause) => {
            let (reason, message) = match (failed_by_deadline, cause.specific) {
                (true, false) => ("DeadlineExceeded", format!("{}, for {}", cause.message, spoken(inputs.deadline))),
                _ => (cause.reason.as_str(), cause.message.clone()),
            };
            Condition::new(Condition::READY, ConditionStatus::False, reason, message, inputs.now)
        }
    };
    // A failed store keeps the reason of its failure until another cause explains more.
    let kept = inputs.record.conditions.iter().find(|c| c.type_ == Condition::READY);
    let ready = match kept {
        Some(kept) if inputs.record.status == StoreStatus::Failed && unexplained => kept.clone(),
        _ => ready,
    };
    conditions.insert(0, ready);
    Assessment { status, conditions: carry_times(&inputs.record.conditions, conditions), unexplained, trouble, rollout }
}

/// A store keeps running with options that today's policy refuses, and says so.
fn compliance(inputs: &Inputs<'_>) -> Option<Condition> {
    let refused = inputs.refused;
    if refused.is_empty() {
        return None;
    }
    let mut message = refused.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if refused.len() > NAMED {
        message.push_str(&format!("; and {} more", refused.len() - NAMED));
    }
    Some(Condition::new(COMPLIANT, ConditionStatus::False, "RefusedByPolicy", message, inputs.now))
}

fn next_status(inputs: &Inputs<'_>, available: bool, trouble: Option<&str>) -> StoreStatus {
    let stuck = || inputs.trouble.is_some_and(|(known, lasted)| Some(known) == trouble && lasted >= inputs.grace);
    let expired = || inputs.provisioning_for >= inputs.deadline;
    let hopeless = || inputs.plan_failure.is_some_and(|f| !f.retryable);
    match inputs.record.status {
        StoreStatus::Deleting => StoreStatus::Deleting,
        _ if available => StoreStatus::Ready,
        StoreStatus::Provisioning if expired() || hopeless() || stuck() => StoreStatus::Failed,
        StoreStatus::Provisioning => StoreStatus::Provisioning,
        StoreStatus::Ready | StoreStatus::Degraded => StoreStatus::Degraded,
        StoreStatus::Failed => StoreStatus::Failed,
    }
}

/// Whether the present revision has not been rolled out yet, and an earlier one is open meanwhile.
fn rolls(record: &Record) -> bool {
    record.revision.number > 1 && !record.is_good()
}

/// Why objects of the store are missing. Fields that differ do not count: the store stays ready while they are repaired. Neither do
/// objects that a change adds.
fn missing_objects(inputs: &Inputs<'_>) -> Option<Cause> {
    if inputs.record.status == StoreStatus::Ready && rolls(inputs.record) {
        return None;
    }
    let missing: Vec<&Step> = inputs.outstanding?.steps().filter(|step| !matches!(step, Step::Repair(..))).collect();
    let first = missing.first()?;
    if let Some(failure) = inputs.plan_failure {
        return Some(failure.cause.clone());
    }
    let others = match missing.len() {
        1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    let target = first.target();
    let message = format!("{} {}{others} to be created", target.kind, target.name);
    Some(Cause { reason: "Creating".into(), message, specific: false, lasting: false })
}

fn component_cause(inputs: &Inputs<'_>, component: &Component, workload: Option<&Object>) -> Option<Cause> {
    let open = inputs.record.status == StoreStatus::Ready;
    match workload {
        // A change may add a component. The shop does without it until it is there.
        None if open && rolls(inputs.record) => None,
        None => {
            let message = format!("{}: it does not exist yet", component.workload.name);
            Some(Cause { reason: "Missing".into(), message, specific: false, lasting: false })
        }
        Some(workload) if is_available(workload, component.enough) => None,
        Some(workload) if open && rolls(inputs.record) && inputs.record.adds(workload) => None,
        // A store that rolls is ready as long as it sells.
        Some(workload) if open && (rolls(inputs.record) || !is_observed(workload)) && serves(workload) => None,
        // The status of its pod is up to date a second before the Job's.
        Some(job) if job.kind().kind == "Job" && has_succeeded(job, &inputs.around) => None,
        Some(workload) => Some(diagnose(workload, &inputs.around)),
    }
}

/// The result of the newest smoke order: the one on the record, or the one seen now if it ended later. A result is kept
/// on the record because its Job is removed after a while. The condition's time is the end of the order. A failed order
/// that began before the store was ready is ignored: it was bound to fail, and the next one may be a day away.
fn smoke_condition(inputs: &Inputs<'_>) -> Option<Condition> {
    let kept = inputs.record.conditions.iter().find(|c| c.type_ == Condition::SMOKE_TEST);
    let opened = inputs.record.opened();
    // Kubernetes has times in whole seconds.
    let counts = |result: &&SmokeResult| {
        result.failure.is_none() || opened.is_some_and(|at| result.began.as_second() >= at.as_second())
    };
    let seen = inputs.smoke.as_ref().filter(counts);
    let seen = seen.map(|SmokeResult { finished, failure, .. }| match failure {
        None => Condition::new(Condition::SMOKE_TEST, ConditionStatus::True, "Succeeded", "", *finished),
        Some(failure) => {
            Condition::new(Condition::SMOKE_TEST, ConditionStatus::False, "SmokeTestFailed", failure, *finished)
        }
    });
    match (seen, kept) {
        (Some(seen), Some(kept)) if seen.last_transition_time < kept.last_transition_time => Some(kept.clone()),
        (Some(seen), _) => Some(seen),
        (None, kept) => kept.cloned(),
    }
}

type Served = (ConditionStatus, &'static str, &'static str);

/// Whether an Ingress controller will serve the store's Ingresses; `None` if it has none.
fn addresses(inputs: &Inputs<'_>) -> Option<Result<Served, Cause>> {
    if inputs.ingress_classes.is_empty() {
        return None;
    }
    let Some(known) = inputs.known_ingress_classes else {
        return Some(Ok((ConditionStatus::Unknown, "IngressClassesUnreadable", "")));
    };
    let lacking = inputs.ingress_classes.iter().flatten().find(|class| !known.names.iter().any(|n| n == *class));
    if let Some(class) = lacking {
        let message = format!("ingress: IngressClass {class:?} does not exist, so nobody serves the store's addresses");
        return Some(Err(Cause { reason: "IngressClassNotFound".into(), message, specific: true, lasting: true }));
    }
    if inputs.ingress_classes.contains(&None) && !known.has_default {
        // Some controllers serve Ingresses without a class too.
        let message = "no IngressClass is the default; set ingress.className unless your controller serves all";
        return Some(Ok((ConditionStatus::Unknown, "NoDefaultIngressClass", message)));
    }
    Some(Ok((ConditionStatus::True, "IngressClassFound", "")))
}

/// `database` → `DatabaseReady`, `search-index` → `SearchIndexReady`.
pub(crate) fn condition_type(component: &str) -> String {
    let words = component.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    });
    words.chain(["Ready".to_owned()]).collect()
}

fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds >= 60 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use k8s_openapi::api::apps::v1::Deployment;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::assessment::diagnosis::{Classes, Surroundings};
    use crate::assessment::inputs::{PlanFailure, RolloutTime};
    use crate::engine::PodSecurity;
    use crate::kubernetes::{Kind, ObjectRef};
    use crate::plan::Plan;
    use crate::record::{self, Origin, StatusChange};
    use crate::store::{Options, StoreId, StoreName, StoreSpec};

    const DEADLINE: Duration = Duration::from_secs(900);

    fn record(status: StoreStatus) -> Record {
        let spec = StoreSpec {
            id: StoreId::parse("abc").unwrap(),
            name: StoreName::parse("Shop").unwrap(),
            engine: "medusa".into(),
            options: Options::new(),
            renderer: 1,
        };
        let mut namespace = record::new_namespace(&spec, PodSecurity::Restricted, false, &Origin::default()).unwrap();
        namespace.as_value_mut()["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        namespace.as_value_mut()["metadata"]["annotations"][record::STATUS] = json!(status.as_str());
        Record::read(&namespace).unwrap()
    }

    fn component() -> Component {
        let workload = ObjectRef::namespaced(Kind::of::<Deployment>(), "store-abc", "medusa-api");
        Component::new("api", workload)
    }

    fn workload(available: i64) -> Object {
        let value = json!({
            "metadata": {"name": "medusa-api", "generation": 1}, "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "availableReplicas": available},
        });
        Object::from_value(Kind::of::<Deployment>(), value).unwrap()
    }

    fn inputs<'a>(record: &'a Record, component: &'a Component, workload: Option<&'a Object>, age: i64) -> Inputs<'a> {
        Inputs {
            record,
            components: vec![(component, workload)],
            around: Surroundings::default(),
            smoke: None,
            ingress_classes: Vec::new(),
            known_ingress_classes: None,
            outstanding: None,
            plan_failure: None,
            proof: None,
            outdated: false,
            rollout: RolloutTime::default(),
            refused: &[],
            conflict: None,
            now: record.created_at + SignedDuration::from_secs(age),
            provisioning_for: Duration::from_secs(age.unsigned_abs()),
            deadline: DEADLINE,
            trouble: None,
            grace: Duration::from_secs(20),
        }
    }

    fn ready(assessment: &Assessment) -> String {
        let ready = &assessment.conditions[0];
        assert_eq!(ready.type_, Condition::READY);
        format!("{:?} {} {}", ready.status, ready.reason, ready.message)
    }

    /// A container that ends again and again is in trouble, and so is the store if all before it is well.
    #[test]
    fn what_does_not_mend_itself_fails_a_new_store_after_a_while() {
        let selected = |mut object: Object| {
            object.as_value_mut()["spec"]["selector"] = json!({"matchLabels": {"app": "api"}});
            object
        };
        let (record, component, down) = (record(StoreStatus::Provisioning), component(), selected(workload(0)));
        let crashing = json!({"metadata": {"name": "api-1", "labels": {"app": "api"}}, "status": {"containerStatuses": [
            {"name": "api", "state": {"terminated": {"exitCode": 1, "reason": "Error", "message": "no"}}}]}});
        let pod = Object::from_value(Kind::of::<k8s_openapi::api::core::v1::Pod>(), crashing).unwrap();
        let around = Surroundings { pods: vec![&pod], ..Default::default() };
        let crashed = Inputs { around: around.clone(), ..inputs(&record, &component, Some(&down), 60) };
        let assessment = assess(&crashed);
        assert_eq!(
            (assessment.status, assessment.trouble.as_deref()),
            (StoreStatus::Provisioning, Some("CrashLoopBackOff"))
        );
        let judged = |reason: &str, seconds: u64, inputs: &Inputs<'_>| {
            let trouble = Some((reason, Duration::from_secs(seconds)));
            assess(&Inputs { trouble, ..inputs.clone() }).status
        };
        assert_eq!(judged("CrashLoopBackOff", 19, &crashed), StoreStatus::Provisioning);
        assert_eq!(judged("CrashLoopBackOff", 20, &crashed), StoreStatus::Failed);
        assert_eq!(judged("OOMKilled", 20, &crashed), StoreStatus::Provisioning, "of something else");

        // The same while what comes before it is still starting: it may be no more than a consequence.
        let starting = workload(0);
        let database = Component { name: "database".into(), ..component.clone() };
        let components = vec![(&database, Some(&starting)), (&component, Some(&down))];
        let waiting = Inputs { components, around, ..inputs(&record, &component, None, 60) };
        assert_eq!(assess(&waiting).trouble, None);
        assert_eq!(judged("CrashLoopBackOff", 600, &waiting), StoreStatus::Provisioning);
    }

    #[test]
    fn a_store_is_ready_when_every_workload_is_available() {
        let (record, component) = (record(StoreStatus::Provisioning), component());
        let up = workload(1);
        let assessment = assess(&inputs(&record, &component, Some(&up), 5));
        assert_eq!((assessment.status, ready(&assessment)), (StoreStatus::Ready, "True Available ".into()));
        let down = workload(0);
        let assessment = assess(&inputs(&record, &component, Some(&down), 5));
        assert_eq!(assessment.status, StoreStatus::Provisioning);
        assert_eq!(ready(&assessment), "False Starting medusa-api: it has no pods yet");
    }

    /// Otherwise it would be degraded whenever its autoscaler adds pods.
    #[test]
    fn a_store_whose_autoscaler_adds_pods_stays_ready() {
        let (record, component) = (record(StoreStatus::Ready), component().autoscaled(2));
        let judged = |available: i64, observed: i64| {
            let mut scaled = workload(available);
            scaled.as_value_mut()["spec"]["replicas"] = json!(4);
            scaled.as_value_mut()["status"]["observedGeneration"] = json!(observed);
            assess(&inputs(&record, &component, Some(&scaled), 5)).status
        };
        assert_eq!([2, 3, 4].map(|available| judged(available, 1)), [StoreStatus::Ready; 3]);
        assert_eq!(judged(2, 0), StoreStatus::Ready, "the change of the number is not observed yet");
        assert_eq!([0, 1].map(|available| judged(available, 1)), [StoreStatus::Degraded; 2]);
    }

    /// Only a later order changes what is known of orders.
    #[test]
    fn a_store_whose_newest_order_failed_is_degraded() {
        let (component, up) = (component(), workload(1));
        let judged = |record: &Record, at: i64, failure: Option<&str>| {
            let finished = record.created_at + SignedDuration::from_secs(at);
            let smoke = Some(SmokeResult { began: finished, finished, failure: failure.map(str::to_owned) });
            assess(&Inputs { smoke, ..inputs(record, &component, Some(&up), 100) })
        };
        let mut record = record(StoreStatus::Ready);
        let failed = judged(&record, 10, Some("pay: 503"));
        assert_eq!(failed.status, StoreStatus::Degraded);
        assert_eq!(ready(&failed), "False SmokeTestFailed smoke order: pay: 503");
        (record.status, record.conditions) = (failed.status, failed.conditions);
        assert_eq!(judged(&record, 5, None).status, StoreStatus::Degraded, "an older one");
        assert_eq!(
            assess(&inputs(&record, &component, Some(&up), 100)).status,
            StoreStatus::Degraded,
            "none to be seen"
        );
        assert_eq!(judged(&record, 20, None).status, StoreStatus::Ready);
    }

    /// A schedule knows nothing of when a store is ready, and its next order may be a day off.
    #[test]
    fn an_order_that_began_before_the_store_was_ready_is_no_failure_of_it() {
        let (component, up) = (component(), workload(1));
        let judged = |record: &Record, began: i64, failure: Option<&str>| {
            let at = |seconds| record.created_at + SignedDuration::from_secs(seconds);
            let smoke = SmokeResult { began: at(began), finished: at(55), failure: failure.map(str::to_owned) };
            assess(&Inputs { smoke: Some(smoke), ..inputs(record, &component, Some(&up), 100) })
        };
        let told = |assessment: &Assessment| assessment.conditions.iter().any(|c| c.type_ == Condition::SMOKE_TEST);
        let mut record = record(StoreStatus::Provisioning);
        let early = judged(&record, 40, Some("open the shop: refused"));
        assert_eq!((early.status, told(&early)), (StoreStatus::Ready, false));
        (record.status, record.conditions) = (early.status, early.conditions);
        let change = |seconds, to| {
            let at = record.created_at + SignedDuration::from_secs(seconds);
            StatusChange { at, to, reason: String::new(), message: String::new() }
        };
        record.history = vec![change(50, StoreStatus::Ready), change(60, StoreStatus::Degraded)];
        let early = judged(&record, 49, Some("open the shop: refused"));
        assert_eq!((early.status, told(&early)), (StoreStatus::Ready, false));
        assert_eq!(judged(&record, 50, Some("pay: 503")).status, StoreStatus::Degraded);
        let well = judged(&record, 49, None);
        assert_eq!((well.status, told(&well)), (StoreStatus::Ready, true), "one that was placed tells something");
        // Tried again, it is a new store.
        record.provisioning_since = record.created_at + SignedDuration::from_secs(70);
        record.history.push(change(80, StoreStatus::Ready));
        assert_eq!(judged(&record, 60, Some("pay: 503")).status, StoreStatus::Ready);
        assert_eq!(judged(&record, 80, Some("pay: 503")).status, StoreStatus::Degraded);
    }

    #[test]
    fn a_deadline_that_passed_is_the_reason_only_where_nothing_else_is() {
        let (record, component, down) = (record(StoreStatus::Provisioning), component(), workload(0));
        let before = assess(&inputs(&record, &component, Some(&down), 899));
        assert_eq!(before.status, StoreStatus::Provisioning);
        let after = assess(&inputs(&record, &component, Some(&down), 900));
        assert_eq!(after.status, StoreStatus::Failed);
        assert_eq!(ready(&after), "False DeadlineExceeded medusa-api: it has no pods yet, for 15 min");
        assert!(after.unexplained);
        let failure = PlanFailure {
            cause: Cause {
                reason: "Forbidden".into(),
                message: "medusa-api: no".into(),
                specific: true,
                lasting: false,
            },
            retryable: false,
        };
        let plan = Plan { waves: vec![vec![Step::Create(workload(0))]] };
        let inputs = inputs(&record, &component, None, 1);
        let hopeless = assess(&Inputs { plan_failure: Some(&failure), outstanding: Some(&plan), ..inputs });
        assert_eq!((hopeless.status, ready(&hopeless)), (StoreStatus::Failed, "False Forbidden medusa-api: no".into()));
    }

    #[test]
    fn a_store_without_an_object_is_not_ready_and_one_that_differs_is() {
        let (record, component, up) = (record(StoreStatus::Ready), component(), workload(1));
        let known = inputs(&record, &component, Some(&up), 5);
        let missing = Plan { waves: vec![vec![Step::Create(workload(0))]] };
        assert_eq!(assess(&Inputs { outstanding: Some(&missing), ..known.clone() }).status, StoreStatus::Degraded);
        let differing = Plan { waves: vec![vec![Step::Repair(workload(0), Vec::new())]] };
        assert_eq!(assess(&Inputs { outstanding: Some(&differing), ..known }).status, StoreStatus::Ready);
    }

    #[test]
    fn an_ingress_class_that_is_missing_keeps_a_store_from_being_ready_and_an_unknown_one_does_not() {
        let (record, component, up) = (record(StoreStatus::Provisioning), component(), workload(1));
        let known = Classes { names: vec!["traefik".into()], has_default: false };
        for (asked, classes, expected) in [
            (Some("traefik"), Some(&known), StoreStatus::Ready),
            (Some("nginx"), Some(&known), StoreStatus::Provisioning),
            (None, Some(&known), StoreStatus::Ready),
            (Some("nginx"), None, StoreStatus::Ready),
        ] {
            let inputs = inputs(&record, &component, Some(&up), 5);
            let inputs = Inputs { ingress_classes: vec![asked], known_ingress_classes: classes, ..inputs };
            assert_eq!(assess(&inputs).status, expected, "{asked:?} of {classes:?}");
        }
    }

    proptest! {
        /// Whatever is known, the status changes only as the table of transitions allows.
        #[test]
        fn statuses_change_only_by_the_table(
            from in proptest::sample::select(StoreStatus::ALL.to_vec()),
            available in proptest::option::of(0..2_i64),
            age in -10..2000_i64,
            failure in proptest::option::of(any::<bool>()),
            outstanding in any::<bool>(),
        ) {
            let (record, component, workload) = (record(from), component(), available.map(workload));
            let plan = Plan { waves: vec![vec![Step::Create(self::workload(0))]] };
            let cause = Cause { reason: "X".into(), message: "x".into(), specific: true, lasting: false };
            let failure = failure.map(|retryable| PlanFailure { cause, retryable });
            let inputs = inputs(&record, &component, workload.as_ref(), age);
            let inputs = Inputs { plan_failure: failure.as_ref(), outstanding: outstanding.then_some(&plan), ..inputs };
            let to = assess(&inputs).status;
            prop_assert!(from.may_become(to), "{} to {}", from, to);
        }
    }
}
