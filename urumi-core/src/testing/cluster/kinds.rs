//! The kinds of the objects that checks create and read.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolumeClaim, Pod, Secret};

use crate::kubernetes::Kind;

pub(super) const NAMESPACE: Kind = Kind::of::<Namespace>();
pub(super) const CONFIG_MAP: Kind = Kind::of::<ConfigMap>();
pub(super) const SECRET: Kind = Kind::of::<Secret>();
pub(super) const DEPLOYMENT: Kind = Kind::of::<Deployment>();
pub(super) const STATEFUL_SET: Kind = Kind::of::<StatefulSet>();
pub(super) const POD: Kind = Kind::of::<Pod>();
pub(super) const CLAIM: Kind = Kind::of::<PersistentVolumeClaim>();
