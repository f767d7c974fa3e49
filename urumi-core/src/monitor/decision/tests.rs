//! Decisions are tested without a task, a cluster, or time that passes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::StatefulSet;
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
use crate::record::{self, Origin, Record};
use crate::store::CreateStore;

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
        let set = self.object(Kind::of::<StatefulSet>(), "postgres");
        set["status"]["availableReplicas"] = json!(0);
        let labels = set["spec"]["selector"]["matchLabels"].clone();
        let waiting = json!([{"name": "postgres", "state": {"waiting": {"reason": reason, "message": "no"}}}]);
        let pod = json!({"metadata": {"name": "postgres-0", "namespace": "store-abc", "labels": labels},
            "status": {"containerStatuses": waiting}});
        let pod = Object::from_value(Kind::of::<Pod>(), pod).unwrap();
        self.objects.insert(pod.reference(), pod);
    }

    fn decide(&self, milliseconds: u64) -> Decision {
        let rendered = Arc::new(Rendered {
            spec: self.rendered.spec.clone(),
            restarts: self.rendered.restarts.clone(),
            refused: self.rendered.refused.clone(),
            manifests: self.rendered.manifests.clone(),
            components: self.rendered.components.clone(),
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
