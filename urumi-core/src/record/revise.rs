//! Changes of a store: the writes of its record that put the next revision on it.
//!
//! A change is one guarded write of the record. Before it, the present revision is kept as an object, whose content follows from
//! the record alone: two requests at the same time make the same object, and one of them wins the record. Everything after the
//! write is the monitor's.

use std::collections::BTreeSet;

use super::revision::{NUMBER, Named, NewRevision, Revision, key, may_be_removed};
use super::{
    AUTHORITY, NAME, OBSERVED_REVISION, REQUEST, REVISION, Record, SPEC, SPEC_VERSION, VersionedSpec, namespace_kind,
};
use crate::engine::{Manifest, Policy};
use crate::kubernetes::{MalformedObject, MetadataPatch, Object, ObjectRef};
use crate::store::status::StoreStatus;
use crate::store::{Options, StoreSpec, seconds};

impl Record {
    /// The last revision that was rolled out, if there is one.
    pub(crate) fn good_revision(&self) -> Option<u64> {
        match self.revision.number {
            // There is no earlier one to return to.
            1 => None,
            _ => self.revision.good,
        }
    }

    /// Whether the present revision was rolled out.
    pub(crate) fn is_good(&self) -> bool {
        self.revision.good == Some(self.revision.number)
    }

    /// Whether the present revision has added this workload: it is marked with its number and was never changed.
    pub(crate) fn adds(&self, workload: &Object) -> bool {
        let number = workload.annotation(NUMBER).and_then(|number| number.parse().ok());
        number == Some(self.revision.number) && workload.int_at("/metadata/generation") == Some(1)
    }

    /// The patch that puts the next revision on record. A failed store gets a new attempt.
    pub(crate) fn revise(
        &self,
        spec: &StoreSpec,
        request: &Options,
        new: &NewRevision,
    ) -> Result<MetadataPatch, MalformedObject> {
        let namespace = self.id.namespace();
        let number = self.revision.number + 1;
        let known = self.revision.left_over(&namespace);
        let left_over: BTreeSet<Named> = known
            .iter()
            .chain(&new.removed)
            .filter(|reference| !new.rendered.contains(*reference) && may_be_removed(reference, &namespace))
            .map(Named::of)
            .collect();
        let rendered: BTreeSet<String> = new.rendered.iter().map(key).collect();
        let mut changed = self.revision.changed.clone();
        changed.extend(new.changed.iter().map(|reference| (key(reference), number)));
        changed.retain(|object, _| rendered.contains(object));
        // A store that has never been changed is good if it was ever ready.
        let good = if self.revision.number == 1 { self.was_ready().then_some(1) } else { self.revision.good };
        let revision = Revision {
            number,
            at: Some(seconds::whole(new.at)),
            by: new.by.clone(),
            reason: new.reason.clone(),
            restores: new.restores,
            failed: new.failed.clone(),
            good,
            changed,
            left_over: left_over.into_iter().collect(),
        };
        let json = |e: serde_json::Error| MalformedObject::new(&namespace_kind(), e);
        let versioned = VersionedSpec { version: SPEC_VERSION, spec: spec.clone() };
        let patch = match self.status {
            StoreStatus::Failed => self.provision_again(new.at),
            _ => MetadataPatch::at(&self.resource_version),
        };
        Ok(patch
            .annotate(SPEC, serde_json::to_string(&versioned).map_err(json)?)
            .annotate(REQUEST, serde_json::to_string(request).map_err(json)?)
            .annotate(NAME, spec.name.as_str())
            .annotate(AUTHORITY, new.authority.as_str())
            .annotate(REVISION, serde_json::to_string(&revision).map_err(json)?))
    }

    /// Notes, in a patch of the status, that the conditions are about the present revision, and that it is rolled out.
    pub(crate) fn observe_revision(&self, mut patch: MetadataPatch, rolled_out: bool) -> MetadataPatch {
        let number = self.revision.number;
        if self.observed_revision != number {
            patch = patch.annotate(OBSERVED_REVISION, number.to_string());
        }
        if rolled_out && self.revision.good != Some(number) && number > 1 {
            let revision = Revision { good: Some(number), ..self.revision.clone() };
            patch.annotations.insert(REVISION.into(), serde_json::to_string(&revision).ok());
        }
        patch
    }

    /// The patch that forgets objects that were left over, when they are gone.
    pub(crate) fn without_left_over(&self, gone: &[ObjectRef]) -> MetadataPatch {
        let mut revision = self.revision.clone();
        let gone: BTreeSet<Named> = gone.iter().map(Named::of).collect();
        revision.left_over.retain(|named| !gone.contains(named));
        let mut patch = MetadataPatch::at(&self.resource_version);
        patch.annotations.insert(REVISION.into(), serde_json::to_string(&revision).ok());
        patch
    }

    /// Writes the revision that last changed each object to the object.
    pub(crate) fn mark_changes(&self, manifests: &mut [Manifest]) {
        for Manifest { object, policy } in manifests {
            let Some(number) = self.revision.changed.get(&key(&object.reference())) else { continue };
            if *policy == Policy::Managed {
                object.add_annotation(NUMBER, &number.to_string());
            }
        }
    }
}

/// Whether a manifest is of an object that a revision after the first has changed.
pub(crate) fn is_changed(manifest: &Object) -> bool {
    manifest.annotation(NUMBER).is_some()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;
    use k8s_openapi::api::core::v1::Service;

    use std::collections::BTreeMap;

    use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret};
    use serde_json::json;

    use super::*;
    use crate::engine::PodSecurity;
    use crate::kubernetes::Kind;
    use crate::record::kept::Kept;
    use crate::record::{Origin, new_namespace};
    use crate::store::{StoreId, StoreName};

    fn spec() -> StoreSpec {
        let options = json!({"colour": "red"}).as_object().cloned().unwrap();
        StoreSpec {
            id: StoreId::parse("abc").unwrap(),
            name: StoreName::parse("Shop").unwrap(),
            engine: "toy".into(),
            options,
            renderer: 1,
        }
    }

    fn record() -> Record {
        let request = Options::new();
        let origin = Origin { request: Some(&request), ..Origin::default() };
        let mut namespace = new_namespace(&spec(), PodSecurity::Restricted, false, &origin).unwrap();
        namespace.as_value_mut()["metadata"]["uid"] = json!("uid");
        Record::read(&namespace).unwrap()
    }

    fn reference(kind: Kind, name: &str) -> ObjectRef {
        ObjectRef::namespaced(kind, "store-abc", name)
    }

    /// Applies a patch to the revision of a record.
    fn revised(record: &Record, new: &NewRevision) -> Record {
        let patch = record.revise(&spec(), &spec().options, new).unwrap();
        Record { revision: Revision::read(patch.annotations[REVISION].as_deref()), ..record.clone() }
    }

    fn new(removed: &[ObjectRef], rendered: &[ObjectRef]) -> NewRevision {
        let set = |references: &[ObjectRef]| references.iter().cloned().collect();
        NewRevision { changed: set(rendered), removed: set(removed), rendered: set(rendered), ..NewRevision::default() }
    }

    #[test]
    fn a_store_that_was_never_changed_is_its_first_revision() {
        let record = record();
        assert_eq!((record.revision.number, record.observed_revision, record.good_revision()), (1, 1, None));
        assert!(record.revision.left_over("store-abc").is_empty());
    }

    #[test]
    fn what_is_not_rendered_any_more_is_left_over_until_it_is_rendered_again() {
        let (redis, api) = (reference(Kind::of::<Deployment>(), "redis"), reference(Kind::of::<Service>(), "api"));
        let one = revised(&record(), &new(std::slice::from_ref(&redis), std::slice::from_ref(&api)));
        assert_eq!(one.revision.left_over("store-abc"), std::slice::from_ref(&redis));
        let two = revised(&one, &new(&[], std::slice::from_ref(&api)));
        assert_eq!((two.revision.number, two.revision.left_over("store-abc")), (3, vec![redis.clone()]));
        assert_eq!(two.revision.changed, BTreeMap::from([("Service/api".to_owned(), 3)]));
        let back = revised(&two, &new(&[], &[api, redis.clone()]));
        assert_eq!(back.revision.left_over("store-abc"), []);
        let forgotten = two.without_left_over(&[redis]);
        assert_eq!(Revision::read(forgotten.annotations[REVISION].as_deref()).left_over("store-abc"), []);
    }

    #[test]
    fn data_secrets_and_foreign_objects_are_never_left_over() {
        let kept = [
            reference(Kind::of::<PersistentVolumeClaim>(), "data"),
            reference(Kind::of::<Secret>(), "credentials"),
            ObjectRef::namespaced(Kind::of::<Service>(), "elsewhere", "api"),
        ];
        let record = revised(&record(), &new(&kept, &[]));
        assert_eq!(record.revision.left_over("store-abc"), []);
    }

    #[test]
    fn a_kept_revision_is_read_again_and_belongs_to_one_store() {
        let record = record();
        let object = record.kept_revision(&spec()).unwrap();
        assert_eq!(object.name(), "revision-1");
        assert_eq!(object, record.kept_revision(&spec()).unwrap(), "two requests make the same object");
        let kept = Kept::read(&object, &record.id, "uid").unwrap();
        assert_eq!((kept.number, &kept.options, &kept.request), (1, &spec().options, &Options::new()));
        assert_eq!(Kept::read(&object, &record.id, "a later store"), None);
        let mut of_a_stateful_set = object.clone();
        of_a_stateful_set.as_value_mut()["metadata"]["labels"][NUMBER].take();
        assert_eq!(Kept::read(&of_a_stateful_set, &record.id, "uid"), None);
    }

    #[test]
    fn a_revision_is_good_once_it_is_rolled_out() {
        let two = revised(&record(), &new(&[], &[]));
        assert_eq!(two.good_revision(), None, "the store was never ready");
        let seen = two.observe_revision(MetadataPatch::at("1"), false);
        assert_eq!(seen.annotations.keys().collect::<Vec<_>>(), [OBSERVED_REVISION]);
        let good = two.observe_revision(MetadataPatch::at("1"), true);
        let two =
            Record { revision: Revision::read(good.annotations[REVISION].as_deref()), observed_revision: 2, ..two };
        assert_eq!(two.good_revision(), Some(2));
        assert!(two.observe_revision(MetadataPatch::at("1"), true).annotations.is_empty());
        assert_eq!(revised(&two, &new(&[], &[])).good_revision(), Some(2));
    }
}
