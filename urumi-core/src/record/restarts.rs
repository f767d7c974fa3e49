//! The restarts of a store's components. A request writes its time to the record; the monitor writes the time to the pod template
//! of the workload, and Kubernetes replaces the pods.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{RESTARTS, Record};
use crate::engine::{Component, Manifest};
use crate::kubernetes::MetadataPatch;
use crate::store::seconds;

/// Annotation on the pods of a component: when the last restart was requested. `kubectl rollout restart` has another one, so that
/// neither undoes the other's restart.
const RESTARTED_AT: &str = "store.urumi.ai/restarted-at";

/// When the last restart of each component was requested.
pub(crate) type Restarts = BTreeMap<String, Timestamp>;

/// The restarts in the annotation of a record, without entries that cannot be read.
pub(super) fn read(annotation: Option<&str>) -> Restarts {
    let times: BTreeMap<String, String> =
        annotation.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    times.into_iter().filter_map(|(component, at)| Some((component, at.parse().ok()?))).collect()
}

impl Record {
    /// The patch that requests a restart of components.
    pub(crate) fn restart<'a>(&self, components: impl Iterator<Item = &'a str>, now: Timestamp) -> MetadataPatch {
        let mut restarts = self.restarts.clone();
        restarts.extend(components.map(|component| (component.to_owned(), seconds::whole(now))));
        let mut patch = MetadataPatch::at(&self.resource_version);
        patch.annotations.insert(RESTARTS.into(), serde_json::to_string(&restarts).ok());
        patch
    }

    /// Writes the times of the restarts to the pod templates.
    pub(crate) fn mark_restarts(&self, manifests: &mut [Manifest], components: &[Component]) {
        for component in components {
            let Some(at) = self.restarts.get(&component.name) else { continue };
            let workload = manifests.iter_mut().find(|m| m.object.reference() == component.workload);
            if let Some(Manifest { object, .. }) = workload {
                let annotations = ["spec", "template", "metadata", "annotations"];
                object.set_default(&annotations, RESTARTED_AT, at.to_string().into());
            }
        }
    }
}
