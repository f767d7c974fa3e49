//! The monitor's cache: the objects of each store, as the watches delivered them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::counts::StatusCounts;
use super::packed::{Hashes, Packed};
use crate::kubernetes::{Kind, Object, ObjectRef, WatchEvent, is_older};
use crate::record::{self, Record, namespace_kind};

/// The objects of one store.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The store's record; `None` if the namespace is no store, or was not seen yet.
    pub(crate) record: Option<Record>,
    /// The watched objects in the namespace, and those elsewhere that are labelled with the store. Empty while they are packed.
    pub(crate) objects: BTreeMap<ObjectRef, Object>,
    /// The same, of a store at rest.
    packed: Option<Packed>,
}

impl Contents {
    fn insert(&mut self, object: Object) {
        self.unpack();
        self.objects.insert(object.reference(), object);
    }

    fn remove(&mut self, reference: &ObjectRef) {
        if self.packed.as_ref().is_some_and(|packed| packed.contains(reference)) {
            self.unpack();
        }
        self.objects.remove(reference);
    }

    /// Removes the objects of a kind, in one namespace or in all, that are not there any more. Returns whether there were any.
    fn retain(&mut self, kind: &Kind, within: Option<&str>, there: &HashSet<ObjectRef>, hashes: &Hashes) -> bool {
        if self.packed.as_ref().is_some_and(|packed| packed.has_others(kind, hashes)) {
            self.unpack();
        }
        let before = self.objects.len();
        let watched = |reference: &ObjectRef| {
            reference.kind == *kind && within.is_none_or(|ns| reference.namespace.as_deref() == Some(ns))
        };
        self.objects.retain(|reference, _| !watched(reference) || there.contains(reference));
        self.objects.len() != before
    }

    fn pack(&mut self) {
        if self.packed.is_none() {
            self.packed = Some(Packed::from(std::mem::take(&mut self.objects)));
        }
    }

    fn unpack(&mut self) {
        if let Some(packed) = self.packed.take() {
            self.objects = packed.unpack();
        }
    }

    fn is_empty(&self) -> bool {
        let packed = self.packed.as_ref().map_or(0, Packed::len);
        self.record.is_none() && self.objects.is_empty() && packed == 0
    }
}

/// The objects of all stores by namespace, and cluster-scoped objects by kind.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    namespaces: BTreeMap<String, Contents>,
    counts: StatusCounts,
    cluster: HashMap<Kind, HashMap<String, Object>>,
}

/// The namespaces that an event affects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Touched {
    /// These.
    Namespaces(BTreeSet<String>),
    /// All: a cluster-scoped object changed.
    All,
}

impl Cache {
    /// The contents of a namespace.
    pub(crate) fn get(&self, namespace: &str) -> Option<&Contents> {
        self.namespaces.get(namespace)
    }

    /// Makes the objects of a namespace ready to be read.
    pub(crate) fn unpack(&mut self, namespace: &str) {
        self.namespaces.get_mut(namespace).into_iter().for_each(Contents::unpack);
    }

    /// Keeps the objects of a namespace in less memory, until they are unpacked.
    pub(crate) fn pack(&mut self, namespace: &str) {
        self.namespaces.get_mut(namespace).into_iter().for_each(Contents::pack);
    }

    /// The namespaces that are stores.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().filter(|(_, contents)| contents.record.is_some()).map(|(name, _)| name.as_str())
    }

    /// The number of stores of each status.
    pub(crate) fn counts(&self) -> StatusCounts {
        self.counts
    }

    /// The cluster-scoped objects of a kind.
    pub(crate) fn cluster_objects(&self, kind: &Kind) -> impl Iterator<Item = &Object> {
        self.cluster.get(kind).into_iter().flat_map(HashMap::values)
    }

    /// Takes in an event of a watch of `kind`, in one namespace or in all.
    pub(crate) fn observe(&mut self, kind: &Kind, within: Option<&str>, event: WatchEvent) -> Touched {
        if *kind == namespace_kind() {
            return Touched::Namespaces(self.observe_record(event));
        }
        if !kind.namespaced {
            self.observe_cluster_object(kind, event);
            return Touched::All;
        }
        Touched::Namespaces(self.observe_object(kind, within, event))
    }

    /// Applies the record that a write returned. The answer may be late: it is ignored if the watch has already reported that
    /// the namespace is gone, or was replaced by another of the same name.
    pub(crate) fn written(&mut self, namespace: &Object) {
        let known = self.get(namespace.name()).and_then(|contents| contents.record.as_ref());
        if known.is_some_and(|known| namespace.uid() == Some(&known.uid)) {
            self.observe_record(WatchEvent::Applied(namespace.clone()));
        }
    }

    fn observe_record(&mut self, event: WatchEvent) -> BTreeSet<String> {
        let mut touched = BTreeSet::new();
        match event {
            WatchEvent::Snapshot(namespaces) => {
                let there: HashSet<&str> = namespaces.iter().map(Object::name).collect();
                for (name, contents) in &mut self.namespaces {
                    if let Some(record) = contents.record.take_if(|_| !there.contains(name.as_str())) {
                        self.counts.change(Some(record.status), None);
                        touched.insert(name.clone());
                    }
                }
                for namespace in &namespaces {
                    touched.extend(self.set_record(namespace));
                }
            }
            WatchEvent::Applied(namespace) => touched.extend(self.set_record(&namespace)),
            WatchEvent::Deleted(namespace) => {
                let record = self.namespaces.get_mut(namespace.name()).and_then(|contents| contents.record.take());
                self.counts.change(record.map(|record| record.status), None);
                touched.insert(namespace.name().to_owned());
            }
        }
        self.drop_empty(&touched);
        touched
    }

    /// Sets a namespace's record, unless a newer one is known. Returns the namespace if it was set.
    fn set_record(&mut self, namespace: &Object) -> Option<String> {
        let contents = self.namespaces.entry(namespace.name().to_owned()).or_default();
        let record = Record::read(namespace);
        if let (Some(known), Some(seen)) = (&contents.record, &record)
            && known.uid == seen.uid
            && is_older(&seen.resource_version, &known.resource_version)
        {
            return None;
        }
        let status = |record: &Option<Record>| record.as_ref().map(|record| record.status);
        self.counts.change(status(&contents.record), status(&record));
        contents.record = record;
        Some(namespace.name().to_owned())
    }

    fn observe_object(&mut self, kind: &Kind, within: Option<&str>, event: WatchEvent) -> BTreeSet<String> {
        let mut touched = BTreeSet::new();
        match event {
            WatchEvent::Snapshot(objects) => {
                let there: HashSet<ObjectRef> = objects.iter().map(Object::reference).collect();
                let hashes = there.iter().collect();
                for (name, contents) in &mut self.namespaces {
                    if contents.retain(kind, within, &there, &hashes) {
                        touched.insert(name.clone());
                    }
                }
                for object in objects {
                    touched.extend(self.insert(object));
                }
            }
            WatchEvent::Applied(object) => touched.extend(self.insert(object)),
            WatchEvent::Deleted(object) => {
                let home = record::home(&object);
                if let Some(contents) = home.as_ref().and_then(|ns| self.namespaces.get_mut(ns)) {
                    contents.remove(&object.reference());
                }
                touched.extend(home);
            }
        }
        self.drop_empty(&touched);
        touched
    }

    fn insert(&mut self, object: Object) -> Option<String> {
        let namespace = record::home(&object)?;
        self.namespaces.entry(namespace.clone()).or_default().insert(object);
        Some(namespace)
    }

    fn observe_cluster_object(&mut self, kind: &Kind, event: WatchEvent) {
        let known = self.cluster.entry(kind.clone()).or_default();
        match event {
            WatchEvent::Snapshot(objects) => {
                *known = objects.into_iter().map(|object| (object.name().to_owned(), object)).collect();
            }
            WatchEvent::Applied(object) => {
                known.insert(object.name().to_owned(), object);
            }
            WatchEvent::Deleted(object) => {
                known.remove(object.name());
            }
        }
    }

    fn drop_empty(&mut self, touched: &BTreeSet<String>) {
        for name in touched {
            if self.namespaces.get(name).is_some_and(Contents::is_empty) {
                self.namespaces.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record;
    use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
    use k8s_openapi::api::storage::v1::StorageClass;
    use serde_json::json;

    fn namespace(version: &str, status: &str) -> Object {
        let value = json!({"metadata": {"name": "store-a", "uid": "u", "resourceVersion": version,
            "labels": {record::ENABLED: "true"}, "annotations": {record::ID: "a", record::STATUS: status}}});
        Object::from_value(Kind::of::<Namespace>(), value).unwrap()
    }

    fn pod(name: &str) -> Object {
        let value = json!({"metadata": {"name": name, "namespace": "store-a"}});
        Object::from_value(Kind::of::<Pod>(), value).unwrap()
    }

    fn pods(cache: &Cache) -> Vec<String> {
        let contents = cache.get("store-a");
        let mut names: Vec<_> = contents
            .into_iter()
            .flat_map(|c| c.objects.values())
            .filter(|o| o.kind().kind == "Pod")
            .map(|o| o.name().to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_snapshot_replaces_what_is_known_of_its_kind_alone() {
        let mut cache = Cache::default();
        let kind = Kind::of::<Pod>();
        let service =
            Object::from_value(Kind::of::<Service>(), json!({"metadata": {"name": "s", "namespace": "store-a"}}));
        cache.observe(&Kind::of::<Service>(), None, WatchEvent::Applied(service.unwrap()));
        cache.observe(&kind, None, WatchEvent::Snapshot(vec![pod("a"), pod("b")]));
        assert_eq!(pods(&cache), ["a", "b"]);
        let touched = cache.observe(&kind, None, WatchEvent::Snapshot(vec![pod("c")]));
        assert_eq!(touched, Touched::Namespaces(["store-a".to_owned()].into()));
        assert_eq!(pods(&cache), ["c"]);
        assert_eq!(cache.get("store-a").unwrap().objects.len(), 2);
    }

    /// Counting is of constant cost per event, so it must not depend on looking at all stores.
    #[test]
    fn stores_are_counted_by_status_as_they_change() {
        let mut cache = Cache::default();
        let counts = |cache: &Cache| {
            let counted = cache.counts().iter().filter(|(_, count)| *count > 0);
            counted.map(|(status, count)| format!("{count} {status}")).collect::<Vec<_>>().join(", ")
        };
        let mut other = namespace("1", "ready");
        other.as_value_mut()["metadata"]["name"] = json!("store-b");
        other.as_value_mut()["metadata"]["annotations"][record::ID] = json!("b");
        for (event, expected) in [
            (WatchEvent::Applied(namespace("1", "provisioning")), "1 provisioning"),
            (WatchEvent::Applied(namespace("2", "ready")), "1 ready"),
            (WatchEvent::Applied(namespace("1", "provisioning")), "1 ready"),
            (WatchEvent::Snapshot(vec![namespace("2", "ready"), other.clone()]), "2 ready"),
            (WatchEvent::Snapshot(vec![namespace("3", "degraded"), other.clone()]), "1 ready, 1 degraded"),
            (WatchEvent::Deleted(other.clone()), "1 degraded"),
            (WatchEvent::Deleted(other), "1 degraded"),
            (WatchEvent::Snapshot(Vec::new()), ""),
        ] {
            cache.observe(&namespace_kind(), None, event);
            assert_eq!(counts(&cache), expected);
            assert_eq!(cache.counts().total(), cache.stores().count());
        }
    }

    #[test]
    fn an_older_record_does_not_replace_a_newer_one() {
        let mut cache = Cache::default();
        cache.observe(&namespace_kind(), None, WatchEvent::Applied(namespace("1", "provisioning")));
        cache.written(&namespace("10", "ready"));
        let touched = cache.observe(&namespace_kind(), None, WatchEvent::Applied(namespace("9", "provisioning")));
        assert_eq!(touched, Touched::Namespaces(BTreeSet::new()));
        assert_eq!(cache.get("store-a").unwrap().record.as_ref().unwrap().status.as_str(), "ready");
    }

    #[test]
    fn a_record_that_its_last_write_has_released_does_not_come_back() {
        let mut cache = Cache::default();
        let mut released = namespace("2", "ready");
        released.as_value_mut()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        cache.observe(&namespace_kind(), None, WatchEvent::Applied(namespace("1", "ready")));
        cache.observe(&namespace_kind(), None, WatchEvent::Deleted(released.clone()));
        cache.written(&released);
        assert_eq!(cache.stores().count(), 0);
    }

    #[test]
    fn a_late_answer_about_an_earlier_namespace_of_that_name_is_not_believed() {
        let mut cache = Cache::default();
        let mut successor = namespace("20", "provisioning");
        successor.as_value_mut()["metadata"]["uid"] = json!("another");
        for event in [
            WatchEvent::Applied(namespace("1", "provisioning")),
            WatchEvent::Deleted(namespace("11", "ready")),
            WatchEvent::Applied(successor),
        ] {
            cache.observe(&namespace_kind(), None, event);
        }
        cache.written(&namespace("10", "ready"));
        assert_eq!(cache.get("store-a").unwrap().record.as_ref().unwrap().uid, "another");
    }

    #[test]
    fn nothing_is_kept_of_a_namespace_that_is_gone() {
        let mut cache = Cache::default();
        cache.observe(&namespace_kind(), None, WatchEvent::Snapshot(vec![namespace("1", "ready")]));
        cache.observe(&Kind::of::<Pod>(), None, WatchEvent::Applied(pod("a")));
        assert_eq!(cache.stores().collect::<Vec<_>>(), ["store-a"]);
        cache.observe(&namespace_kind(), None, WatchEvent::Snapshot(vec![]));
        assert_eq!(cache.stores().count(), 0);
        cache.observe(&Kind::of::<Pod>(), None, WatchEvent::Deleted(pod("a")));
        assert!(cache.get("store-a").is_none());
    }

    #[test]
    fn a_class_concerns_everybody() {
        let mut cache = Cache::default();
        let kind = Kind::of::<StorageClass>();
        let class = Object::from_value(kind.clone(), json!({"metadata": {"name": "fast"}})).unwrap();
        assert_eq!(cache.observe(&kind, None, WatchEvent::Applied(class)), Touched::All);
        assert_eq!(cache.cluster_objects(&kind).count(), 1);
    }
}
