//! What is on record of a store's revision.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret};
use serde::{Deserialize, Serialize};

use crate::kubernetes::{Kind, ObjectRef};
use crate::store::Authority;

/// Annotation on the namespace: the revision, as JSON. Without it, the store has never been changed.
pub const REVISION: &str = "store.urumi.ai/revision";
/// Annotation on the namespace: the revision that the conditions are about; 1 without it.
pub const OBSERVED_REVISION: &str = "store.urumi.ai/observed-revision";
/// Annotation on an object: the last revision that changed the object. Label on an object that keeps a revision: its number.
pub(super) const NUMBER: &str = "store.urumi.ai/revision-number";
/// The most objects that are removed after a revision; a store has some 20.
const MOST_LEFT_OVER: usize = 100;

/// What is on record of a store's revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Revision {
    pub(crate) number: u64,
    /// When it was requested; a store's creation if it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The revision that it restores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) restores: Option<u64>,
    /// The revision that could not be rolled out, which is why urumi made this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<FailedRevision>,
    /// The last revision that was rolled out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) good: Option<u64>,
    /// The last revision that changed each object, by [`key`]. An object whose manifest has lost a field would otherwise look as
    /// if it needed no repair.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) changed: BTreeMap<String, u64>,
    /// The objects that earlier revisions rendered and this one does not. They are removed when this one is rolled out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) left_over: Vec<Named>,
}

/// A revision that could not be rolled out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FailedRevision {
    pub(crate) number: u64,
    pub(crate) reason: String,
}

/// An object in the store's namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Named {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    group: String,
    version: String,
    kind: String,
    plural: String,
    name: String,
}

impl Default for Revision {
    fn default() -> Self {
        Revision {
            number: 1,
            at: None,
            by: None,
            reason: None,
            restores: None,
            failed: None,
            good: None,
            changed: BTreeMap::new(),
            left_over: Vec::new(),
        }
    }
}

/// The next revision of a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRevision {
    /// On whose authority its options are chosen.
    pub(crate) authority: Authority,
    pub(crate) at: Timestamp,
    pub(crate) by: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) restores: Option<u64>,
    pub(crate) failed: Option<FailedRevision>,
    /// The objects that it adds or changes, and those that it does not render any more.
    pub(crate) changed: BTreeSet<ObjectRef>,
    pub(crate) removed: BTreeSet<ObjectRef>,
    /// All objects that it renders.
    pub(crate) rendered: BTreeSet<ObjectRef>,
}

/// The name of an object in [`Revision::changed`].
pub(super) fn key(reference: &ObjectRef) -> String {
    format!("{}/{}", reference.kind.kind, reference.name)
}

impl Revision {
    pub(crate) fn read(annotation: Option<&str>) -> Self {
        annotation.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// The objects that are to be removed. What may not be removed is left out, whatever the annotation says.
    pub(crate) fn left_over(&self, namespace: &str) -> Vec<ObjectRef> {
        let references = self.left_over.iter().take(MOST_LEFT_OVER).map(|named| named.reference(namespace));
        references.filter(|reference| may_be_removed(reference, namespace)).collect()
    }
}

impl Named {
    pub(super) fn of(ObjectRef { kind, name, .. }: &ObjectRef) -> Self {
        Named {
            group: kind.group.to_string(),
            version: kind.version.to_string(),
            kind: kind.kind.to_string(),
            plural: kind.plural.to_string(),
            name: name.clone(),
        }
    }

    fn reference(&self, namespace: &str) -> ObjectRef {
        let Named { group, version, kind, plural, name } = self.clone();
        let kind = Kind {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            namespaced: true,
        };
        ObjectRef::namespaced(kind, namespace, name)
    }
}

/// Whether an object of an earlier revision may be removed: never what holds data or secrets, and never what is elsewhere.
pub(super) fn may_be_removed(reference: &ObjectRef, namespace: &str) -> bool {
    let is =
        |kept: &Kind, kind: &Kind| kept.group == kind.group && (kept.kind == kind.kind || kept.plural == kind.plural);
    let keeps = [Kind::of::<PersistentVolumeClaim>(), Kind::of::<Secret>()];
    reference.namespace.as_deref() == Some(namespace) && !keeps.iter().any(|kept| is(kept, &reference.kind))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Service;

    use super::*;

    /// Whatever an annotation says that somebody else wrote.
    #[test]
    fn data_secrets_and_foreign_objects_are_not_named_as_left_over() {
        let reference = |kind: Kind| ObjectRef::namespaced(kind, "store-abc", "one");
        let secret = Named::of(&reference(Kind::of::<Secret>()));
        let named = vec![
            Named::of(&reference(Kind::of::<PersistentVolumeClaim>())),
            Named { kind: "Disguised".into(), ..secret.clone() },
            Named { plural: "disguises".into(), ..secret.clone() },
            secret,
            Named::of(&reference(Kind::of::<Service>())),
        ];
        let forged = Revision { left_over: named, ..Revision::default() };
        assert_eq!(forged.left_over("store-abc"), [reference(Kind::of::<Service>())]);
    }
}
