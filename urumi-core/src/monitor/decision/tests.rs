//! Decisions are tested without a task, a cluster, or time that passes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::cluster::InMemoryCluster;
use crate::engine::{Manifest, PodSecurity, Policy, Stage};
use crate::kubernetes::{ClusterError, ClusterErrorKind, Kind, Object, ObjectRef, Verb};
use crate::monitor::action::{Action, Outcome};
use crate::monitor::rendered::Rendered;
use crate::orchestrator::local::{Failure, Orchestrator, PlanEnd};
use crate::record::revision::{NewRevision, Revision};
use crate::record::{self, Origin, Record};
use crate::store::status::Condition;
use crate::store::{Authority, CreateStore};

const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(900),
    grace: Duration::from_secs(20),
    quiet_period: Duration::from_secs(1),
    answer_time: Duration::ZERO,
};

/// A store, as the monitor sees and tracks it.
struct Store {
    rendered: Rendered,
    record: Record,
    objects: BTreeMap<ObjectRef, Object>,
    tracked: Tracked,
    limits: Limits,
    start: Instant,
    /// How far the wall clock is ahead of the monotonic one.
    ahead: SignedDuration,
}

impl Store {
    /// A store that was just put on record.
    fn new() -> Store {
        let orchestrator = Orchestrator::builder(InMemoryCluster::default()).build();
        let spec = orchestrator.prepare(&CreateStore::new("Shop", "medusa").id("abc")).unwrap();
        let namespace = record::new_namespace(&spec, PodSecurity::Restricted, true, &Origin::default()).unwrap();
        let record = Record::read(&namespace).unwrap();
        Store {
            rendered: Rendered::of(&orchestrator, &record, &spec).unwrap(),
            record,
            objects: BTreeMap::new(),
            tracked: Tracked::default(),
            limits: LIMITS,
            start: Instant::now(),
            ahead: SignedDuration::ZERO,
        }
    }

    /// A store that is ready, and whose record says so.
    fn ready() -> Store {
        let mut store = Store::new();
        store.complete();
        assert_eq!(store.at(0), "record provisioning to ready");
        assert_eq!(store.at(0), "nothing");
        store
    }

    /// Makes every object exist and every workload available.
    fn complete(&mut self) {
        for Manifest { object, policy } in &self.rendered.manifests {
            if !matches!(policy, Policy::Copy { .. }) && object.kind().kind != "Secret" {
                let mut object = object.clone();
                object.as_value_mut()["metadata"]["generation"] = json!(1);
                object.as_value_mut()["status"] =
                    json!({"observedGeneration": 1, "availableReplicas": 9, "succeeded": 1});
                self.objects.insert(object.reference(), object);
            }
        }
    }

    fn object(&mut self, kind: Kind, name: &str) -> &mut serde_json::Value {
        let reference = ObjectRef::namespaced(kind, "store-abc", name);
        self.objects.get_mut(&reference).unwrap().as_value_mut()
    }

    /// Makes the database's only pod wait, for this reason.
    fn database_waits(&mut self, reason: &str) {
        self.object(Kind::of::<StatefulSet>(), "postgres")["status"]["availableReplicas"] = json!(0);
        self.pod_waits(Kind::of::<StatefulSet>(), "postgres", reason);
    }

    /// Makes a pod of a workload wait, for this reason.
    fn pod_waits(&mut self, kind: Kind, workload: &str, reason: &str) {
        let labels = self.object(kind, workload)["spec"]["selector"]["matchLabels"].clone();
        let waiting = json!([{"name": "main", "state": {"waiting": {"reason": reason, "message": "no"}}}]);
        let pod = json!({"metadata": {"name": format!("{workload}-0"), "namespace": "store-abc", "labels": labels},
            "status": {"containerStatuses": waiting}});
        let pod = Object::from_value(Kind::of::<Pod>(), pod).unwrap();
        self.objects.insert(pod.reference(), pod);
    }

    /// Puts another revision on record, with these options.
    fn change(&mut self, options: serde_json::Value, removed: &[ObjectRef]) {
        let orchestrator = Orchestrator::builder(InMemoryCluster::default()).build();
        let request =
            CreateStore { options: options.as_object().cloned().unwrap(), ..CreateStore::new("Shop", "medusa") };
        let request = request.id("abc").on_authority_of(Authority::Installation);
        let spec = orchestrator.prepare(&request).unwrap();
        let changed = [self.deployment("medusa-storefront")].into();
        let new = NewRevision { changed, removed: removed.iter().cloned().collect(), ..self.everything() };
        let patch = self.record.revise(&spec, &spec.options, &new).unwrap();
        self.record.revision = Revision::read(patch.annotations[record::REVISION].as_deref());
        self.record.spec = Ok(spec.clone());
        self.rendered = Rendered::of(&orchestrator, &self.record, &spec).unwrap();
    }

    /// A revision that renders everything as before.
    fn everything(&self) -> NewRevision {
        let rendered = self.rendered.manifests.iter().map(|manifest| manifest.object.reference()).collect();
        NewRevision { rendered, ..NewRevision::default() }
    }

    fn deployment(&self, name: &str) -> ObjectRef {
        ObjectRef::namespaced(Kind::of::<Deployment>(), "store-abc", name)
    }

    /// Carries out the plan: the storefront is as its manifest says, and its controller has replaced no pod yet.
    fn apply(&mut self) {
        let reference = self.deployment("medusa-storefront");
        let wanted = self.rendered.manifests.iter().find(|manifest| manifest.object.reference() == reference).unwrap();
        let mut applied = wanted.object.clone();
        applied.as_value_mut()["metadata"]["generation"] = json!(2);
        applied.as_value_mut()["status"] = json!({"observedGeneration": 1, "availableReplicas": 1, "replicas": 1});
        self.objects.insert(reference, applied);
    }

    /// All pods are of the present revision.
    fn roll(&mut self) {
        for name in ["medusa-api", "medusa-storefront"] {
            let deployment = self.object(Kind::of::<Deployment>(), name);
            let replicas = deployment["spec"]["replicas"].clone();
            let generation = deployment["metadata"]["generation"].clone();
            deployment["status"] = json!({"observedGeneration": generation, "availableReplicas": replicas,
                "updatedReplicas": replicas, "replicas": replicas});
        }
        let set = self.object(Kind::of::<StatefulSet>(), "postgres");
        set["status"] = json!({"observedGeneration": 1, "availableReplicas": 1, "updatedReplicas": 1});
    }

    /// The Job that proves the present revision has succeeded, or runs.
    fn prove(&mut self, succeeded: bool) {
        let mut job = self.rendered.proof.clone().unwrap();
        job.as_value_mut()["status"] = json!({"succeeded": u8::from(succeeded)});
        self.objects.insert(job.reference(), job);
    }

    /// The status and the reason of the condition about the revision.
    fn up_to_date(&self) -> String {
        let condition = self.record.conditions.iter().find(|condition| condition.type_ == Condition::UP_TO_DATE);
        condition.map_or_else(|| "none".into(), |condition| format!("{:?} {}", condition.status, condition.reason))
    }

    fn decide(&self, milliseconds: u64) -> Decision {
        let rendered = Arc::new(Rendered {
            spec: self.rendered.spec.clone(),
            restarts: self.rendered.restarts.clone(),
            revision: self.rendered.revision,
            refused: self.rendered.refused.clone(),
            manifests: self.rendered.manifests.clone(),
            components: self.rendered.components.clone(),
            good: self.record.is_good(),
            outdated: self.rendered.outdated,
            proof: self.rendered.proof.clone().filter(|_| !self.record.is_good()),
            teardown: self.rendered.teardown.clone(),
            kinds: self.rendered.kinds.clone(),
            outside: self.rendered.outside.clone(),
        });
        let view = View {
            record: &self.record,
            rendered: &rendered,
            observed: self.objects.iter().collect(),
            complete: true,
            pods_listed: true,
            storage_classes: None,
            ingress_classes: None,
        };
        let passed = Duration::from_millis(milliseconds);
        let wall = Timestamp::UNIX_EPOCH + SignedDuration::try_from(passed).unwrap() + self.ahead;
        decide(&view, &self.tracked, self.limits, Clock { now: self.start + passed, wall })
    }

    /// Decides after so many milliseconds, tracks the decision, and describes it. Records are written at once.
    fn at(&mut self, milliseconds: u64) -> String {
        let Decision { action, look_again, progress } = self.decide(milliseconds);
        self.tracked.progress = progress;
        match action {
            Some(Action::Record(write)) => {
                self.record.status = write.status.1;
                for (name, value) in write.patch.annotations {
                    if name == record::CONDITIONS {
                        self.record.conditions = serde_json::from_str(value.as_deref().unwrap()).unwrap();
                    } else if name == record::HISTORY {
                        self.record.history = serde_json::from_str(value.as_deref().unwrap()).unwrap();
                    } else if name == record::REVISION {
                        self.record.revision = Revision::read(value.as_deref());
                    } else if name == record::OBSERVED_REVISION {
                        self.record.observed_revision = value.as_deref().unwrap().parse().unwrap();
                    }
                }
                self.tracked.progress.recorded = Some(self.start + Duration::from_millis(milliseconds));
                self.tracked.progress.unwritten_since = None;
                match write.patch.finalizers {
                    Some(left) => format!("release, keeping {left:?}"),
                    None => format!("record {} to {}", write.status.0, write.status.1),
                }
            }
            Some(Action::CarryOut { plan, .. }) => {
                let mut steps: Vec<String> = plan.steps().map(|step| step.target().name).collect();
                steps.sort();
                format!("carry out {}", if steps.len() > 2 { "many".to_owned() } else { steps.join(" ") })
            }
            Some(Action::Prove(job)) => format!("prove {}", job.name()),
            Some(Action::GoBack { good, .. }) => format!("go back to {good}"),
            Some(Action::Prune { left_over, .. }) => {
                format!("prune {}", left_over.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(" "))
            }
            Some(Action::Explain) => "explain".to_owned(),
            None => match look_again {
                None => "nothing".to_owned(),
                Some(at) => format!("wait until {}", (at - self.start).as_millis()),
            },
        }
    }

    fn finished(&mut self, outcome: Outcome, milliseconds: u64) {
        self.tracked.finished(outcome, self.start + Duration::from_millis(milliseconds));
    }

    fn plan_fails(&mut self, kind: ClusterErrorKind, milliseconds: u64) {
        let error = ClusterError::new(Verb::Create, "Secret store-abc/credentials", kind, "because");
        self.finished(Outcome::CarriedOut(Err(Failure::Cluster(error))), milliseconds);
    }
}

#[test]
fn a_creation_is_taken_over_when_it_makes_no_progress() {
    let mut store = Store::new();
    assert_eq!(store.at(0), "wait until 200", "first changes of conditions are gathered");
    assert_eq!(store.at(200), "record provisioning to provisioning");
    assert_eq!(store.at(200), "wait until 4000", "another process may be creating the objects");
    assert_eq!(store.at(4000), "carry out many");
}

#[test]
fn the_reasons_of_a_starting_store_are_written_at_most_every_two_seconds() {
    let mut store = Store::new();
    store.complete();
    store.database_waits("ContainerCreating");
    store.at(0);
    assert_eq!(store.at(200), "record provisioning to provisioning");
    store.database_waits("CrashLoopBackOff");
    assert_eq!(store.at(300), "wait until 2200");
    store.complete();
    assert_eq!(store.at(400), "record provisioning to ready", "a new status is written at once");
}

/// Created objects and heartbeats are progress. Changes of pods are not: they need no creator.
#[test]
fn a_creation_that_makes_progress_is_not_taken_over() {
    let mut store = Store::new();
    store.at(0);
    store.at(200);
    let service = store.rendered.manifests.iter().map(|m| m.object.clone()).find(|o| o.kind().kind == "Service");
    let service = service.unwrap();
    store.objects.insert(service.reference(), service);
    assert_eq!(store.at(3900), "wait until 7900");
    store.record.creation = Some("another heartbeat".into());
    assert_eq!(store.at(7000), "wait until 11000");
    store.tracked.progress.changed = Some(store.start + Duration::from_millis(10_900));
    assert_eq!(store.at(11_000), "carry out many");
}

#[test]
fn a_cluster_that_takes_long_for_a_write_is_given_that_time_within_bounds() {
    for (answer_time, taken_over_at) in [(300, 4300), (3000, 7000), (30_000, 8000)] {
        let mut store = Store::new();
        store.limits.answer_time = Duration::from_millis(answer_time);
        store.at(0);
        store.at(200);
        assert_eq!(store.at(200), format!("wait until {taken_over_at}"));
        assert_eq!(store.at(taken_over_at), "carry out many");
    }
}

#[test]
fn a_creation_that_was_interrupted_in_this_process_is_taken_over_soon() {
    let mut store = Store::new();
    store.at(0);
    store.at(200);
    let creation = &mut store.tracked.progress.creation;
    creation.ended(PlanEnd::NotBegun, store.start);
    assert_eq!(store.at(300), "wait until 4000");
    store.tracked.progress.creation.ended(PlanEnd::Interrupted, store.start);
    assert_eq!(store.at(300), "wait until 1000");
    store.tracked.progress.creation.ended(PlanEnd::Finished, store.start + Duration::from_millis(500));
    assert_eq!(store.at(600), "wait until 4500", "the watches have not shown it");
}

#[test]
fn what_goes_missing_after_the_creation_is_repaired_as_in_a_ready_store() {
    let mut store = Store::new();
    store.complete();
    store.database_waits("ContainerCreating");
    store.at(0);
    store.at(200);
    store.objects.retain(|reference, _| reference.kind != Kind::of::<Service>());
    assert_eq!(store.at(1000), "wait until 1250", "the next write of a condition does not delay it");
    assert_eq!(store.at(1250), "carry out many");
}

#[test]
fn a_decision_depends_on_nothing_but_its_inputs() {
    let mut store = Store::new();
    store.complete();
    store.database_waits("ErrImagePull");
    for milliseconds in [0, 200, 5000] {
        let [one, other] = [store.decide(milliseconds), store.decide(milliseconds)];
        assert_eq!((one.progress, one.look_again), (other.progress, other.look_again));
        assert_eq!(one.action.is_some(), other.action.is_some());
        store.at(milliseconds);
    }
}

#[test]
fn a_store_whose_workloads_are_available_is_put_on_record_as_ready_at_once() {
    let mut store = Store::new();
    store.complete();
    let Some(Action::Record(write)) = store.decide(0).action else { panic!("nothing is written") };
    assert_eq!(write.status, (StoreStatus::Provisioning, StoreStatus::Ready));
    assert_eq!(write.provisioned_since, Some(store.record.provisioning_since));
    store.at(0);
    store.database_waits("ErrImagePull");
    let Some(Action::Record(write)) = store.decide(0).action else { panic!("nothing is written") };
    assert_eq!(write.status, (StoreStatus::Ready, StoreStatus::Degraded));
    assert_eq!(write.provisioned_since, None, "it was not provisioned");
}

#[test]
fn new_messages_alone_are_written_after_a_while() {
    let mut store = Store::ready();
    store.record.conditions[0].message = "as it was".into();
    assert_eq!(store.at(100), "wait until 10100");
    assert_eq!(store.at(10_099), "wait until 10100");
    assert_eq!(store.at(10_100), "record ready to ready");
    assert_eq!(store.at(10_100), "nothing");
}

#[test]
fn after_a_failed_write_nothing_is_done_for_a_while() {
    let mut store = Store::new();
    store.at(0);
    store.at(200);
    assert_eq!(store.at(4000), "carry out many");
    store.plan_fails(ClusterErrorKind::Unavailable, 4000);
    assert_eq!(store.at(4000), "wait until 4500");
    assert_eq!(store.at(4500), "carry out many");
    store.plan_fails(ClusterErrorKind::Unavailable, 4500);
    assert_eq!(store.at(4500), "wait until 5500", "each pause is twice as long");
    assert_eq!(store.at(5500), "record provisioning to provisioning", "the reason, which was gathered meanwhile");
    assert_eq!(store.at(5500), "carry out many");
}

#[test]
fn a_failure_that_no_retry_cures_fails_the_store_until_it_is_retried() {
    let mut store = Store::new();
    store.at(0);
    store.at(200);
    store.at(4000);
    store.plan_fails(ClusterErrorKind::Forbidden, 4000);
    assert_eq!(store.at(4000), "record provisioning to failed");
    assert_eq!(store.at(4000), "nothing", "a failed store is left alone");
    (store.record.status, store.record.provisioning_since) = (StoreStatus::Provisioning, Timestamp::MAX);
    store.at(5000);
    assert_eq!(store.tracked.progress.plan_failure, None);
    assert_eq!(store.at(6000), "record provisioning to provisioning");
    assert_eq!(store.at(6000), "wait until 9000", "whoever retries it creates its objects");
    assert_eq!(store.at(9000), "carry out many");
}

#[test]
fn a_problem_that_stays_fails_a_new_store_after_the_grace_whatever_the_wall_clock_says() {
    let mut store = Store::new();
    store.complete();
    store.database_waits("ErrImagePull");
    assert_eq!(store.at(100), "wait until 300");
    assert_eq!(store.at(300), "record provisioning to provisioning");
    assert_eq!(store.at(300), "wait until 20100", "the grace ends before the deadline");
    store.ahead = SignedDuration::from_secs(30);
    assert_eq!(store.at(10_000), "wait until 20100");
    store.ahead = SignedDuration::from_secs(-30);
    assert_eq!(store.at(20_099), "wait until 20100");
    assert_eq!(store.at(20_100), "record provisioning to failed");
}

#[test]
fn another_problem_begins_a_new_grace() {
    let mut store = Store::new();
    store.complete();
    store.database_waits("ErrImagePull");
    store.at(0);
    store.at(200);
    store.database_waits("CreateContainerConfigError");
    store.at(15_000);
    assert_eq!(store.at(15_200), "record provisioning to provisioning");
    assert_eq!(store.at(20_000), "wait until 35000");
    assert_eq!(store.at(35_000), "record provisioning to failed");
}

#[test]
fn the_deadline_counts_from_when_the_attempt_was_first_seen() {
    let mut store = Store::new();
    store.complete();
    store.database_waits("ContainerCreating");
    store.at(500);
    assert_eq!(store.at(700), "record provisioning to provisioning");
    assert_eq!(store.at(700), "wait until 900500");
    assert_eq!(store.at(900_500), "explain", "nothing has explained it so far");
    store.finished(Outcome::Explained(Ok(Vec::new())), 900_500);
    assert_eq!(store.at(900_500), "record provisioning to failed");
}

#[test]
fn a_store_without_progress_has_its_events_read_now_and_then() {
    let mut store = Store::new();
    store.complete();
    store.database_waits("ContainerCreating");
    store.tracked.progress.changed = Some(store.start);
    store.at(0);
    store.at(200);
    assert_eq!(store.at(9_999), "wait until 900000");
    assert_eq!(store.at(10_000), "explain");
    store.finished(Outcome::Explained(Ok(Vec::new())), 10_000);
    assert_eq!(store.at(39_999), "wait until 900000");
    assert_eq!(store.at(40_000), "explain");
    store.database_waits("ErrImagePull");
    store.at(40_000);
    assert_eq!(store.at(80_000), "record provisioning to failed", "its pod explains it");
}

#[test]
fn changes_of_a_ready_store_are_repaired_together_and_each_once() {
    let mut store = Store::ready();
    store.object(Kind::of::<Service>(), "medusa-api")["spec"]["ports"] = json!([]);
    assert_eq!(store.at(1000), "wait until 1250");
    store.object(Kind::of::<Service>(), "postgres")["spec"]["ports"] = json!([]);
    assert_eq!(store.at(1250), "carry out medusa-api postgres");
    store.finished(Outcome::CarriedOut(Ok(())), 1300);
    assert_eq!(store.at(1300), "wait until 2300", "the watches have not shown the repair");
    store.complete();
    assert_eq!(store.at(1400), "nothing");
    assert_eq!(store.tracked.progress.outstanding_since, None);
}

#[test]
fn a_field_that_somebody_else_keeps_changing_is_left_alone_and_reported() {
    let mut store = Store::ready();
    for generation in 2..=6 {
        let service = store.object(Kind::of::<Service>(), "medusa-api");
        service["metadata"]["generation"] = json!(generation);
        service["spec"]["ports"] = json!([]);
        let at = generation * 1000;
        store.at(at);
        let Some(Action::CarryOut { plan, .. }) = store.decide(at + 250).action else { panic!("no repair") };
        let now = store.start + Duration::from_millis(at + 250);
        store.tracked.conflicts.note_repairs(&plan, &store.objects, now);
    }
    assert_eq!(store.at(6250), "wait until 6450", "the condition is gathered");
    assert_eq!(store.at(6450), "record ready to ready");
    assert_eq!(store.at(6450), "wait until 306250", "the conflict ends after five minutes");
    let uncontested = store.record.conditions.iter().find(|c| c.type_ == "Uncontested").unwrap();
    assert_eq!(uncontested.reason, "SetByAnother");
}

#[test]
fn what_a_deleted_store_has_elsewhere_is_undone_before_its_record_goes() {
    let mut store = Store::ready();
    let job = json!({"metadata": {"name": "undo", "namespace": "platform"}});
    let job = Object::from_value(Kind::of::<Job>(), job).unwrap();
    let ends = Some(job.reference());
    store.rendered.teardown = vec![Stage { manifests: vec![Manifest::managed(job.clone())], ends }];
    store.record.status = StoreStatus::Deleting;
    store.tracked.progress.changed = Some(store.start + Duration::from_millis(500));
    assert_eq!(store.at(600), "wait until 1500");
    assert_eq!(store.at(1500), "carry out undo");
    store.finished(Outcome::CarriedOut(Ok(())), 1500);
    store.objects.insert(job.reference(), job.clone());
    assert_eq!(store.at(1600), "wait until 1800", "the Job is still running, which is reported");
    assert_eq!(store.at(1800), "record deleting to deleting");
    assert_eq!(store.at(1800), "nothing");
    let complete = json!([{"type": "Complete", "status": "True"}]);
    store.objects.get_mut(&job.reference()).unwrap().as_value_mut()["status"] = json!({"conditions": complete});
    assert_eq!(store.at(1900), "release, keeping []");
}

#[test]
fn a_store_that_has_nothing_elsewhere_is_left_to_kubernetes_once_it_is_deleted() {
    let mut store = Store::ready();
    store.record.status = StoreStatus::Deleting;
    store.record.finalizers.clear();
    assert_eq!(store.at(0), "nothing");
}

#[test]
fn a_change_is_carried_out_while_the_store_is_ready() {
    let mut store = Store::ready();
    store.change(json!({"storefront": {"replicas": 2}}), &[]);
    assert_eq!(store.at(0), "wait until 200", "conditions are gathered");
    assert_eq!(store.at(200), "record ready to ready");
    assert_eq!((store.up_to_date(), store.record.observed_revision), ("False Rolling".to_owned(), 2));
    assert_eq!(store.at(250), "carry out medusa-storefront");
    store.finished(Outcome::CarriedOut(Ok(())), 300);
    store.apply();
    assert!(store.at(300).starts_with("wait until"), "half of the pods are new, and the store stays ready");
    assert_eq!(store.record.revision.good, Some(1));
    store.roll();
    assert_eq!(store.at(400), "wait until 1300", "the watches have to show what was carried out");
    assert_eq!(store.at(1300), "prove proof-of-life-2");
    store.finished(Outcome::Proving(Ok(())), 1310);
    assert_eq!(store.at(1320), "wait until 2310", "the watches have to show the Job");
    store.prove(false);
    assert!(store.at(1400).starts_with("wait until"));
    assert_eq!(store.up_to_date(), "False Rolling");
    store.prove(true);
    assert_eq!(store.at(1500), "record ready to ready");
    assert_eq!((store.up_to_date(), store.record.revision.good), ("True RolledOut".to_owned(), Some(2)));
    assert_eq!(store.at(1800), "nothing");
    // What happens to its pods after that is no matter of the revision.
    store.pod_waits(Kind::of::<Deployment>(), "medusa-storefront", "ImagePullBackOff");
    for milliseconds in [2000, 1_000_000, 2_000_000] {
        assert!(!store.at(milliseconds).starts_with("go back"));
    }
    assert_eq!(store.up_to_date(), "True RolledOut");
}

#[test]
fn a_revision_that_is_not_proven_is_taken_back() {
    let mut store = Store::ready();
    store.change(json!({"storefront": {"replicas": 2}}), &[]);
    store.apply();
    store.roll();
    store.prove(false);
    store.at(0);
    store.at(200);
    store.at(900_200);
    store.at(900_400);
    assert_eq!(store.up_to_date(), "False Failed");
    assert_eq!(store.at(900_500), "go back to 1");
}

#[test]
fn a_revision_that_cannot_be_rolled_out_is_taken_back() {
    let mut store = Store::ready();
    store.roll();
    store.change(json!({"storefront": {"image": "typo"}}), &[]);
    store.at(0);
    store.at(200);
    store.apply();
    store.pod_waits(Kind::of::<Deployment>(), "medusa-storefront", "ImagePullBackOff");
    store.at(1000);
    store.at(1200);
    store.at(2000);
    store.at(11_000);
    assert_eq!(store.up_to_date(), "False Rolling");
    store.at(21_000);
    store.at(21_200);
    assert_eq!(store.up_to_date(), "False Failed");
    assert_eq!(store.at(21_300), "go back to 1");
}

#[test]
fn a_revision_that_takes_too_long_is_taken_back_once() {
    let mut store = Store::ready();
    store.change(json!({"storefront": {"replicas": 3}}), &[]);
    store.at(0);
    store.at(200);
    store.apply();
    store.at(1000);
    store.at(900_000);
    store.at(900_200);
    assert_eq!(store.up_to_date(), "False Failed");
    assert_eq!(store.at(900_300), "go back to 1");
    store.change(json!({}), &[]);
    store.record.revision.restores = Some(1);
    for milliseconds in [900_400, 900_600, 2_000_000, 2_000_200] {
        store.at(milliseconds);
    }
    assert_eq!(store.up_to_date(), "False Failed");
    assert!(!store.at(2_000_300).starts_with("go back"), "a return is not repeated");
}

#[test]
fn what_is_left_over_is_removed_when_the_revision_is_rolled_out() {
    let mut store = Store::ready();
    let redis = store.deployment("redis");
    store.change(json!({}), std::slice::from_ref(&redis));
    store.apply();
    store.at(0);
    assert_eq!(store.at(200), "record ready to ready");
    assert!(!store.at(300).starts_with("prune"), "it is not rolled out");
    store.roll();
    store.prove(true);
    store.at(400);
    assert_eq!(store.at(600), "record ready to ready");
    assert_eq!(store.at(700), "prune redis");
}

/// It would change the number of replicas back that the revision sets.
#[test]
fn an_autoscaler_that_is_left_over_is_removed_before_anything_is_repaired() {
    let mut store = Store::ready();
    let kind = Kind::of::<HorizontalPodAutoscaler>();
    let autoscaler = ObjectRef::namespaced(kind, "store-abc", "medusa-storefront");
    let redis = store.deployment("redis");
    store.change(json!({"storefront": {"replicas": 2}}), &[autoscaler.clone(), redis.clone()]);
    assert_eq!(store.at(0), "prune medusa-storefront");
    let patch = store.record.without_left_over(&[autoscaler]);
    store.record.revision = Revision::read(patch.annotations[record::REVISION].as_deref());
    assert_eq!(store.record.revision.left_over("store-abc"), [redis]);
    assert_eq!(store.at(200), "record ready to ready");
    store.at(300);
    assert_eq!(store.at(600), "carry out medusa-storefront");
}
