//! The inputs of a store's assessment, put together from what is seen and tracked of it.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};

use super::clock::Clock;
use super::settings::Limits;
use super::tracked::{Progress, Tracked};
use super::view::View;
use crate::assessment::diagnosis::Surroundings;
use crate::assessment::inputs::{Inputs, Proof, RolloutTime};
use crate::assessment::smoke_result::newest;
use crate::kubernetes::{Kind, Object};
use crate::plan::{Plan, of_kind};

/// The inputs of an assessment at one time.
pub(super) fn inputs<'a>(
    view: &'a View<'a>,
    (tracked, progress): (&'a Tracked, &'a Progress),
    outstanding: Option<&'a Plan>,
    limits: Limits,
    clock: Clock,
) -> Inputs<'a> {
    let of_kind = |kind: Kind| -> Vec<&'a Object> { of_kind(&view.observed, &kind) };
    let ingresses = view.rendered.manifests.iter().filter(|m| m.object.kind().kind == "Ingress");
    let around = Surroundings {
        pods: of_kind(Kind::of::<Pod>()),
        claims: of_kind(Kind::of::<PersistentVolumeClaim>()),
        storage: view.storage_classes.as_ref(),
        events: &tracked.events,
    };
    let trouble = progress.trouble.as_ref();
    Inputs {
        record: view.record,
        components: view.rendered.components.iter().map(|c| (c, view.observed.get(&c.workload).copied())).collect(),
        ingress_classes: ingresses.map(|m| m.object.str_at("/spec/ingressClassName")).collect(),
        known_ingress_classes: view.ingress_classes.as_ref(),
        smoke: newest(&of_kind(Kind::of::<Job>()), &around),
        around,
        outstanding,
        refused: &view.rendered.refused,
        plan_failure: progress.plan_failure.as_ref(),
        conflict: tracked.conflicts.cause(&view.observed, clock.now),
        now: clock.wall,
        provisioning_for: progress.provisioning_for(clock.now),
        deadline: limits.deadline,
        trouble: trouble.map(|trouble| (trouble.reason.as_str(), clock.now.duration_since(trouble.since))),
        grace: limits.grace,
        proof: view.rendered.proof.as_ref().map(|job| match view.observed.get(&job.reference()) {
            Some(job) => Proof::Begun(job),
            None => Proof::Missing,
        }),
        outdated: view.rendered.outdated,
        rollout: progress.rollout.as_ref().map_or_else(RolloutTime::default, |rollout| rollout.time(clock.now)),
    }
}
