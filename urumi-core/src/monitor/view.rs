//! What the watches show of one store.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;

use super::cache::Cache;
use super::contents::Unpacked;
use super::rendered::Rendered;
use super::watches::Watches;
use crate::assessment::diagnosis::Classes;
use crate::kubernetes::Kind;
use crate::plan::Observed;
use crate::record::{self, Record};

/// What the watches show of one store, and what its spec says.
pub(super) struct View<'a> {
    pub(super) record: &'a Record,
    pub(super) rendered: &'a Arc<Rendered>,
    /// The store's objects.
    pub(super) observed: Observed<'a>,
    /// Whether every kind that the store has objects of was listed. Until then an object that is not seen may exist.
    pub(super) complete: bool,
    /// Whether the pods were listed.
    pub(super) pods_listed: bool,
    /// `None` until the StorageClasses were listed, which may not be permitted.
    pub(super) storage_classes: Option<Classes>,
    /// `None` until the IngressClasses were listed, which may not be permitted.
    pub(super) ingress_classes: Option<Classes>,
}

impl<'a> View<'a> {
    /// The view of a store; `None` if some of its workloads may not have been seen yet.
    pub(super) fn of(
        record: &'a Record,
        contents: &'a Unpacked,
        rendered: &'a Arc<Rendered>,
        cache: &Cache,
        watches: &Watches,
    ) -> Option<View<'a>> {
        if !rendered.components.iter().all(|component| watches.listed(&component.workload.kind)) {
            return None;
        }
        let (storage, ingress) = (Kind::of::<StorageClass>(), Kind::of::<IngressClass>());
        let default_storage = "storageclass.kubernetes.io/is-default-class";
        let default_ingress = "ingressclass.kubernetes.io/is-default-class";
        Some(View {
            record,
            rendered,
            observed: contents.objects.iter().filter(|(_, o)| record::belongs(o, &record.id, &record.uid)).collect(),
            complete: rendered.kinds.iter().all(|kind| watches.listed(kind)),
            pods_listed: watches.listed(&Kind::of::<Pod>()),
            storage_classes: watches.listed(&storage).then(|| classes(cache, &storage, default_storage)),
            ingress_classes: watches.listed(&ingress).then(|| classes(cache, &ingress, default_ingress)),
        })
    }
}

/// The classes of a kind. `default` is the annotation of the default one.
fn classes(cache: &Cache, kind: &Kind, default: &str) -> Classes {
    Classes {
        names: cache.cluster_objects(kind).map(|class| class.name().to_owned()).collect(),
        has_default: cache.cluster_objects(kind).any(|class| class.annotation(default) == Some("true")),
    }
}
