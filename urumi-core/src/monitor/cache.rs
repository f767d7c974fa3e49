//! The monitor's cache: the objects of each store, as the watches delivered them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::counts::StatusCounts;
use super::packed::{Hashes, Packed};
use crate::kubernetes::{Kind, Object, ObjectRef, WatchEvent, is_older};
use crate::record::{self, Record, namespace_kind};

/// How many stores are kept unpacked that are not at rest: a change of one of them is likely to be followed by others.
const UNPACKED: usize = 16;

/// The objects of one store.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The store's record; `None` if the namespace is no store, or was not seen yet.
    pub(crate) record: Option<Record>,
    /// The watched objects in the namespace, and those elsewhere that are labelled with the store, without those of `packed`.
    pub(crate) objects: BTreeMap<ObjectRef, Object>,
    /// Objects that are kept in less memory.
    packed: Vec<Packed>,
}

impl Contents {
    /// Takes in an object. Returns whether it differs from the one that was known.
    fn insert(&mut self, object: Object) -> bool {
        let reference = object.reference();
        if self.packed.iter().any(|packed| packed.has(&reference, &object)) {
            return false;
        }
        self.unpack_if(|packed| packed.contains(&reference));
        self.objects.insert(reference, object);
        true
    }

    fn remove(&mut self, reference: &ObjectRef) {
        self.unpack_if(|packed| packed.contains(reference));
        self.objects.remove(reference);
    }

    /// Removes the objects of a kind, in one namespace or in all, that are not there any more. Returns whether there were any.
    fn retain(&mut self, kind: &Kind, within: Option<&str>, there: &HashSet<ObjectRef>, hashes: &Hashes) -> bool {
        self.unpack_if(|packed| packed.has_others(kind, hashes));
        let before = self.objects.len();
        let watched = |reference: &ObjectRef| {
            reference.kind == *kind && within.is_none_or(|ns| reference.namespace.as_deref() == Some(ns))
        };
        self.objects.retain(|reference, _| !watched(reference) || there.contains(reference));
        self.objects.len() != before
    }

    fn pack(&mut self) {
        if !self.objects.is_empty() {
            self.packed.push(Packed::from(std::mem::take(&mut self.objects)));
        }
    }

    fn unpack_if(&mut self, needed: impl Fn(&Packed) -> bool) {
        if self.packed.iter().any(needed) {
            self.unpack();
        }
    }

    fn unpack(&mut self) {
        self.objects.extend(std::mem::take(&mut self.packed).into_iter().flat_map(Packed::unpack));
    }

    fn is_empty(&self) -> bool {
        self.record.is_none() && self.objects.is_empty() && self.packed.is_empty()
    }
}

/// The objects of all stores by namespace, and cluster-scoped objects by kind.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    namespaces: BTreeMap<String, Contents>,
    counts: StatusCounts,
    /// The namespaces that were unpacked last, the latest at the end.
    unpacked: VecDeque<String>,
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

    /// Makes the objects of a namespace ready to be read, and packs those of the one that was not needed for the longest time.
    pub(crate) fn unpack(&mut self, namespace: &str) {
        let Some(contents) = self.namespaces.get_mut(namespace) else { return };
        contents.unpack();
        self.unpacked.retain(|other| other != namespace);
        self.unpacked.push_back(namespace.to_owned());
        if self.unpacked.len() > UNPACKED
            && let Some(oldest) = self.unpacked.pop_front()
        {
            self.namespaces.get_mut(&oldest).into_iter().for_each(Contents::pack);
        }
    }

    /// Keeps the objects of a namespace in less memory, until they are unpacked.
    pub(crate) fn pack(&mut self, namespace: &str) {
        self.unpacked.retain(|other| other != namespace);
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
                // All stores are listed at once, and looked at one by one.
                for name in touched.iter().filter(|name| !self.unpacked.contains(name)) {
                    self.namespaces.get_mut(name).into_iter().for_each(Contents::pack);
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
        self.namespaces.entry(namespace.clone()).or_default().insert(object).then_some(namespace)
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
        cache.unpack("store-a");
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

    /// Whatever is packed when, what is read is what the watches delivered.
    #[test]
    fn objects_that_are_packed_at_any_time_are_those_that_were_observed() {
        let kind = Kind::of::<Pod>();
        let read = |cache: &mut Cache| {
            cache.unpack("store-a");
            pods(cache)
        };
        let mut cache = Cache::default();
        cache.observe(&kind, None, WatchEvent::Snapshot(vec![pod("a"), pod("b")]));
        assert_eq!(pods(&cache), Vec::<String>::new(), "a list is packed");
        cache.observe(&kind, None, WatchEvent::Applied(pod("c")));
        cache.pack("store-a");
        cache.observe(&kind, None, WatchEvent::Applied(pod("a")));
        assert_eq!(read(&mut cache), ["a", "b", "c"]);
        cache.pack("store-a");
        cache.observe(&kind, None, WatchEvent::Deleted(pod("b")));
        assert_eq!(read(&mut cache), ["a", "c"]);
        cache.pack("store-a");
        let touched = cache.observe(&kind, None, WatchEvent::Snapshot(vec![pod("c")]));
        assert_eq!(touched, Touched::Namespaces(["store-a".to_owned()].into()));
        assert_eq!(read(&mut cache), ["c"]);
        cache.pack("store-a");
        cache.observe(&kind, None, WatchEvent::Snapshot(Vec::new()));
        assert!(cache.get("store-a").is_none());
    }

    #[test]
    fn only_the_stores_that_were_read_last_are_unpacked() {
        let mut cache = Cache::default();
        let name = |n: usize| format!("store-{n}");
        for n in 0..UNPACKED + 2 {
            let value = json!({"metadata": {"name": "a", "namespace": name(n)}});
            let object = Object::from_value(Kind::of::<Pod>(), value).unwrap();
            cache.observe(&Kind::of::<Pod>(), None, WatchEvent::Applied(object));
            cache.unpack(&name(n));
            cache.unpack(&name(0));
        }
        let unpacked = |n: &usize| !cache.get(&name(*n)).unwrap().objects.is_empty();
        let expected: Vec<usize> = std::iter::once(0).chain(3..UNPACKED + 2).collect();
        assert_eq!((0..UNPACKED + 2).filter(unpacked).collect::<Vec<_>>(), expected);
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
