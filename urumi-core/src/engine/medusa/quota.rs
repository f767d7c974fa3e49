//! What the store's namespace may use: its ResourceQuota and LimitRange, where they are configured.

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec, ResourceQuota, ResourceQuotaSpec};

use super::parts;
use super::resolved::ResolvedStore;
use super::workload::amounts;
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;

/// The quota and the defaults for containers.
pub(super) fn manifests(store: &ResolvedStore<'_>) -> Result<Vec<Manifest>, RenderError> {
    let part = parts::isolation(store);
    let mut manifests = Vec::new();
    if !store.options.quota.is_empty() {
        let hard = store.options.quota.iter().map(|(name, amount)| (name.clone(), amount.to_api())).collect();
        let quota = ResourceQuota {
            metadata: part.metadata_named("store-quota"),
            spec: Some(ResourceQuotaSpec { hard: Some(hard), ..Default::default() }),
            ..Default::default()
        };
        manifests.push(Manifest::managed(Object::from_typed(&quota)?));
    }
    if let Some(limits) = &store.options.limits {
        let item = LimitRangeItem {
            type_: "Container".to_owned(),
            default: Some(amounts(&limits.default)),
            default_request: Some(amounts(&limits.default_request)),
            ..Default::default()
        };
        let range = LimitRange {
            metadata: part.metadata_named("store-limits"),
            spec: Some(LimitRangeSpec { limits: vec![item] }),
        };
        manifests.push(Manifest::managed(Object::from_typed(&range)?));
    }
    Ok(manifests)
}
