//! The kinds that the in-memory cluster treats specially.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::authentication::v1::TokenReview;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{
    ConfigMap, Event as CoreEvent, LimitRange, Namespace, PersistentVolumeClaim, Pod, ResourceQuota, Secret, Service,
};
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;

use crate::kubernetes::Kind;

pub(super) const NAMESPACE: Kind = Kind::of::<Namespace>();
pub(super) const DEPLOYMENT: Kind = Kind::of::<Deployment>();
pub(super) const STATEFUL_SET: Kind = Kind::of::<StatefulSet>();
pub(super) const AUTOSCALER: Kind = Kind::of::<HorizontalPodAutoscaler>();
pub(super) const JOB: Kind = Kind::of::<Job>();
pub(super) const POD: Kind = Kind::of::<Pod>();
pub(super) const CLAIM: Kind = Kind::of::<PersistentVolumeClaim>();
pub(super) const SERVICE: Kind = Kind::of::<Service>();
pub(super) const SECRET: Kind = Kind::of::<Secret>();
pub(super) const CONFIG_MAP: Kind = Kind::of::<ConfigMap>();
pub(super) const EVENT: Kind = Kind::of::<CoreEvent>();
pub(super) const STORAGE_CLASS: Kind = Kind::of::<StorageClass>();
pub(super) const INGRESS_CLASS: Kind = Kind::of::<IngressClass>();
pub(super) const RESOURCE_QUOTA: Kind = Kind::of::<ResourceQuota>();
pub(super) const LIMIT_RANGE: Kind = Kind::of::<LimitRange>();
pub(super) const TOKEN_REVIEW: Kind = Kind::of::<TokenReview>();

/// Whether objects of the kind have pods.
pub(super) fn is_workload(kind: &Kind) -> bool {
    *kind == DEPLOYMENT || *kind == STATEFUL_SET || *kind == JOB
}

/// Whether the API server counts generations of the kind (as far as urumi can see).
pub(super) fn has_generation(kind: &Kind) -> bool {
    !kind.group.is_empty()
}
