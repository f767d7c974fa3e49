//! What is known of a store at one moment, put together for the judgement.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;

use super::cache::Cache;
use super::rendered::Rendered;
use super::tracked::Memory;
use crate::assessment::Facts;
use crate::assessment::diagnosis::{Cause, Classes, Surroundings};
use crate::assessment::smoke::newest;
use crate::kubernetes::{Kind, Object};
use crate::plan::{Observed, Plan, of_kind};
use crate::record::Record;

/// What a judgement depends on beside the store itself.
pub(super) struct Moment<'a> {
    pub(super) outstanding: Option<&'a Plan>,
    pub(super) storage: Option<&'a Classes>,
    pub(super) ingress: Option<&'a Classes>,
    pub(super) contest: Option<Cause>,
    pub(super) now: Timestamp,
    /// For how long the store has been provisioned before this process's eyes.
    pub(super) provisioning_for: Duration,
    pub(super) deadline: Duration,
    pub(super) patience: Duration,
}

pub(super) fn facts<'a>(
    record: &'a Record,
    observed: &Observed<'a>,
    rendered: &'a Rendered,
    memory: &'a Memory,
    moment: &Moment<'a>,
) -> Facts<'a> {
    let of_kind = |kind: Kind| -> Vec<&'a Object> { of_kind(observed, &kind) };
    let ingresses = rendered.manifests.iter().filter(|m| m.object.kind().kind == "Ingress");
    let around = Surroundings {
        pods: of_kind(Kind::of::<Pod>()),
        claims: of_kind(Kind::of::<PersistentVolumeClaim>()),
        storage: moment.storage,
        events: &memory.events,
    };
    Facts {
        record,
        components: rendered.components.iter().map(|c| (c, observed.get(&c.workload).copied())).collect(),
        ingress_classes: ingresses.map(|m| m.object.str_at("/spec/ingressClassName")).collect(),
        known_ingress_classes: moment.ingress,
        smoke: newest(&of_kind(Kind::of::<Job>()), &around),
        around,
        outstanding: moment.outstanding,
        plan_failure: memory.plan_failure.as_ref(),
        contest: moment.contest.clone(),
        now: moment.now,
        provisioning_for: moment.provisioning_for,
        deadline: moment.deadline,
        trouble: memory.trouble.as_ref(),
        patience: moment.patience,
    }
}

pub(super) fn storage_classes(cache: &Cache) -> Classes {
    classes(cache, &Kind::of::<StorageClass>(), "storageclass.kubernetes.io/is-default-class")
}

pub(super) fn ingress_classes(cache: &Cache) -> Classes {
    classes(cache, &Kind::of::<IngressClass>(), "ingressclass.kubernetes.io/is-default-class")
}

fn classes(cache: &Cache, kind: &Kind, default: &str) -> Classes {
    Classes {
        names: cache.cluster_objects(kind).map(|class| class.name().to_owned()).collect(),
        has_default: cache.cluster_objects(kind).any(|class| class.annotation(default) == Some("true")),
    }
}
