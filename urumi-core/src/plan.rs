//! The plan: a pure function from the desired and the observed objects of a store to the steps between them.

pub(crate) mod changes;
pub(crate) mod demand;
pub(crate) mod differences;
mod drift;
pub(crate) mod manifests;
mod mounted;
mod steps;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

pub use self::drift::drift;
pub(crate) use self::steps::{Life, of_kind};
pub use self::steps::{Observed, Plan, Step};
use crate::engine::{Manifest, Policy};
use crate::kubernetes::{Kind, ObjectRef};

/// The wave of an object: workloads, their autoscalers and Ingresses come after everything that they may depend on, and a copied Secret after
/// its source.
///
/// Pods must not start before the network policies that confine them, and would wait for their Secrets.
fn wave(Manifest { object, policy }: &Manifest) -> usize {
    let kind = object.kind();
    match (kind.group.as_ref(), kind.kind.as_ref()) {
        ("apps" | "autoscaling" | "batch", _) | ("", "Pod" | "ReplicationController") => 2,
        ("networking.k8s.io", "Ingress") | ("gateway.networking.k8s.io", _) => 2,
        _ if matches!(policy, Policy::Copy { .. }) => 1,
        _ => 0,
    }
}

/// The steps that turn `observed` into `desired`.
///
/// - A missing object is created. An object that differs in a field of its manifest is repaired; fields that the manifest
///   does not have are ignored. An object that is being deleted is left as it is until it is gone.
/// - An object with generated secrets is created only while none of its guards exists. It is never compared, because it is
///   never read.
pub fn plan(desired: &[Manifest], observed: &Observed<'_>) -> Plan {
    plan_for(desired, observed, Life { was_ready: true, was_changed: false })
}

/// As [`plan`], for a store with this life.
///
/// A claim alone does not guard a Secret of a store that was never ready. If the claim is from the store's own workload, the
/// Secret was created before it, exists, and remains. If it is from a late write for an earlier store of the same id, the volume
/// is empty, and the new store needs a Secret.
///
/// In a store that was changed, pods are told of the ConfigMaps that they have mounted: those that were there before the change
/// may not have seen it.
pub(crate) fn plan_for(desired: &[Manifest], observed: &Observed<'_>, life: Life) -> Plan {
    let mut waves = [Vec::new(), Vec::new(), Vec::new()];
    let counts = |guard: &ObjectRef| life.was_ready || guard.kind != Kind::of::<PersistentVolumeClaim>();
    let made_before = |guards: &[ObjectRef]| guards.iter().any(|guard| counts(guard) && observed.contains_key(guard));
    for manifest @ Manifest { object, policy } in desired {
        let reference = object.reference();
        let step = match policy {
            Policy::CreateOnce { guards } => (!made_before(guards)).then_some(Step::CreateOnce(reference)),
            Policy::Copy { from, guards } => {
                (!made_before(guards)).then(|| Step::Copy { object: object.clone(), from: from.clone() })
            }
            Policy::Managed => match observed.get(&reference) {
                None => Some(Step::Create(object.clone())),
                Some(actual) if actual.is_terminating() => None,
                Some(actual) => {
                    let drift = drift(object, actual);
                    (!drift.is_empty()).then(|| {
                        let mut repaired = object.clone();
                        repaired.pin_to(actual);
                        Step::Repair(repaired, drift)
                    })
                }
            },
        };
        if let (Some(step), Some(steps)) = (step, waves.get_mut(wave(manifest))) {
            steps.push(step);
        }
    }
    let told = if life.was_changed { mounted::steps(desired, observed) } else { Vec::new() };
    Plan { waves: waves.into_iter().chain([told]).filter(|w| !w.is_empty()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Object;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn object(api_version: &str, kind: &str, plural: &'static str, name: &str, spec: Value) -> Object {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = Kind {
            group: group.to_owned().into(),
            version: version.to_owned().into(),
            kind: kind.to_owned().into(),
            plural: plural.into(),
            namespaced: true,
        };
        Object::from_value(kind, json!({"metadata": {"name": name, "namespace": "store-x"}, "spec": spec})).unwrap()
    }

    fn desired() -> Vec<Manifest> {
        let database = object("apps/v1", "StatefulSet", "statefulsets", "postgres", json!({"replicas": 1}));
        let secret = object("v1", "Secret", "secrets", "credentials", json!({}));
        vec![
            Manifest::managed(database.clone()),
            Manifest::create_once(secret, vec![database.reference()]),
            Manifest::managed(object("v1", "Service", "services", "postgres", json!({"ports": [{"port": 5432}]}))),
        ]
    }

    fn names(plan: &Plan) -> Vec<Vec<String>> {
        plan.waves.iter().map(|w| w.iter().map(|s| s.target().to_string()).collect()).collect()
    }

    fn observe<'a>(objects: &'a [(ObjectRef, Object)]) -> Observed<'a> {
        objects.iter().map(|(r, o)| (r, o)).collect()
    }

    #[test]
    fn everything_is_created_in_an_empty_namespace_and_workloads_come_last() {
        let plan = plan(&desired(), &Observed::new());
        assert_eq!(
            names(&plan),
            [vec!["Secret store-x/credentials", "Service store-x/postgres"], vec!["StatefulSet store-x/postgres"]]
        );
    }

    #[test]
    fn a_secret_is_never_drawn_again_once_its_guard_exists() {
        let there: Vec<_> = desired().into_iter().take(1).map(|m| (m.object.reference(), m.object)).collect();
        let plan = plan(&desired(), &observe(&there));
        assert_eq!(names(&plan), [vec!["Service store-x/postgres"]]);
    }

    #[test]
    fn only_the_claim_of_a_store_that_was_ready_guards_its_secret() {
        let claim = Kind::of::<PersistentVolumeClaim>();
        let claim = Object::from_value(claim, json!({"metadata": {"name": "data", "namespace": "store-x"}})).unwrap();
        let mut desired = desired();
        desired[1].policy = Policy::CreateOnce { guards: vec![desired[0].object.reference(), claim.reference()] };
        let there = [(claim.reference(), claim)];
        let [once, first] = [true, false].map(|was_ready| {
            let life = Life { was_ready, was_changed: false };
            names(&plan_for(&desired, &observe(&there), life)).concat()
        });
        assert_eq!(once, ["Service store-x/postgres", "StatefulSet store-x/postgres"]);
        assert_eq!(first, ["Secret store-x/credentials", "Service store-x/postgres", "StatefulSet store-x/postgres"]);
    }

    #[test]
    fn a_repair_is_of_the_object_that_was_seen() {
        let mut there: Vec<_> = desired().into_iter().map(|m| (m.object.reference(), m.object)).collect();
        there[2].1.as_value_mut()["metadata"]["uid"] = json!("seen");
        there[2].1.as_value_mut()["spec"]["ports"] = json!([]);
        let plan = plan(&desired(), &observe(&there));
        let Step::Repair(repaired, _) = &plan.waves[0][0] else { panic!("{plan:?}") };
        assert_eq!(repaired.uid(), Some("seen"));
    }

    #[test]
    fn an_owned_field_that_differs_is_repaired_and_a_foreign_one_is_not() {
        let mut there: Vec<_> = desired().into_iter().map(|m| (m.object.reference(), m.object)).collect();
        there[0].1.as_value_mut()["spec"]["replicas"] = json!(3);
        there[2].1.as_value_mut()["spec"]["sessionAffinity"] = json!("ClientIP");
        let plan = plan(&desired(), &observe(&there));
        assert_eq!(plan.waves.len(), 1);
        insta::assert_snapshot!(plan.waves[0][0].to_string(), @r"
        repair StatefulSet store-x/postgres
          spec.replicas: 3 should be 1
        ");
    }

    #[test]
    fn what_is_being_deleted_is_left_alone() {
        let mut there: Vec<_> = desired().into_iter().map(|m| (m.object.reference(), m.object)).collect();
        there[2].1.as_value_mut()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(plan(&desired(), &observe(&there)).is_empty());
    }

    proptest! {
        /// Whatever part of the plan was carried out before a crash, what is left completes it, and nothing is left
        /// once all is there.
        #[test]
        fn any_interruption_is_resumed(done in proptest::collection::vec(any::<bool>(), 3)) {
            let desired = desired();
            let kept = |m: &&Manifest| done[desired.iter().position(|d| d == *m).unwrap()];
            let mut there: Vec<_> = desired.iter().filter(kept).map(|m| (m.object.reference(), m.object.clone())).collect();
            let next = plan(&desired, &observe(&there));
            for step in next.steps() {
                let target = step.target();
                let manifest = desired.iter().find(|m| m.object.reference() == target).unwrap();
                if !there.iter().any(|(r, _)| *r == target) {
                    there.push((target, manifest.object.clone()));
                }
            }
            prop_assert!(plan(&desired, &observe(&there)).is_empty());
        }
    }
}
