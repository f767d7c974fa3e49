//! The monitor's cache: the objects of each store, as the watches delivered them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::contents::{Contents, Unpacked};
use super::counts::StatusCounts;
use super::packed::Hashes;
use crate::kubernetes::{Kind, Object, WatchEvent};
use crate::record::{self, namespace_kind};

/// How many stores are kept unpacked that are not at rest: a change of one of them is likely to be followed by others.
const UNPACKED: usize = 16;
/// How many objects of a list are taken in before they are packed.
const PAGE: usize = 256;

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
    /// The record and the objects of a namespace; `None` if it is no store. Packs those of the one that was not needed for the
    /// longest time, of crowded ones last: their next event would unpack thousands of objects.
    pub(crate) fn unpack(&mut self, namespace: &str) -> Option<Arc<Unpacked>> {
        let unpacked = self.namespaces.get_mut(namespace).filter(|contents| contents.is_store())?.read();
        self.unpacked.retain(|other| other != namespace);
        self.unpacked.push_back(namespace.to_owned());
        if self.unpacked.len() > UNPACKED {
            let crowded = |name: &String| self.namespaces.get(name).is_some_and(Contents::is_crowded);
            let oldest = self.unpacked.iter().position(|name| !crowded(name)).unwrap_or_default();
            if let Some(oldest) = self.unpacked.remove(oldest) {
                self.namespaces.get_mut(&oldest).into_iter().for_each(Contents::pack);
            }
        }
        Some(unpacked)
    }

    /// Keeps the objects of a namespace in less memory, until they are unpacked; not those of a crowded one.
    pub(crate) fn pack(&mut self, namespace: &str) {
        if let Some(contents) = self.namespaces.get_mut(namespace).filter(|contents| !contents.is_crowded()) {
            self.unpacked.retain(|other| other != namespace);
            contents.pack();
        }
    }

    /// Packs what a list told of a namespace, unless a decision unpacked it: all stores are listed at once, and looked at one by one.
    fn pack_listed(&mut self, namespace: &str) {
        if !self.unpacked.iter().any(|other| other == namespace) {
            self.namespaces.get_mut(namespace).into_iter().for_each(Contents::pack);
        }
    }

    /// The namespaces that are stores.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().filter(|(_, contents)| contents.is_store()).map(|(name, _)| name.as_str())
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
        let known = self.namespaces.get(namespace.name()).and_then(Contents::uid);
        if known.is_some_and(|known| namespace.uid() == Some(known)) {
            self.observe_record(WatchEvent::Applied(namespace.clone()));
        }
    }

    fn observe_record(&mut self, event: WatchEvent) -> BTreeSet<String> {
        let mut touched = BTreeSet::new();
        match event {
            WatchEvent::Snapshot(namespaces) => {
                let mut there = HashSet::new();
                for namespace in namespaces {
                    there.insert(namespace.name().to_owned());
                    if let Some(name) = self.set_record(&namespace) {
                        self.pack_listed(&name);
                        touched.insert(name);
                    }
                }
                let gone = |(name, contents): &(&String, &Contents)| contents.is_store() && !there.contains(*name);
                let gone: Vec<String> = self.namespaces.iter().filter(gone).map(|(name, _)| name.clone()).collect();
                for name in gone {
                    self.remove_record(&name);
                    self.pack_listed(&name);
                    touched.insert(name);
                }
            }
            WatchEvent::Applied(namespace) => touched.extend(self.set_record(&namespace)),
            WatchEvent::Deleted(namespace) => {
                self.remove_record(namespace.name());
                touched.insert(namespace.name().to_owned());
            }
        }
        self.drop_empty(&touched);
        touched
    }

    /// Sets a namespace's record, unless a newer one is known. Returns the namespace if it was set.
    fn set_record(&mut self, namespace: &Object) -> Option<String> {
        let contents = self.namespaces.entry(namespace.name().to_owned()).or_default();
        let before = contents.insert_record(namespace)?;
        self.counts.change(before, contents.status());
        Some(namespace.name().to_owned())
    }

    fn remove_record(&mut self, namespace: &str) {
        let contents = self.namespaces.get_mut(namespace);
        self.counts.change(contents.and_then(|contents| contents.remove_record(namespace)), None);
    }

    fn observe_object(&mut self, kind: &Kind, within: Option<&str>, event: WatchEvent) -> BTreeSet<String> {
        let mut touched = BTreeSet::new();
        match event {
            WatchEvent::Snapshot(objects) => {
                let mut there = Hashes::default();
                let mut fresh = BTreeSet::new();
                for (n, object) in objects.into_iter().enumerate() {
                    there.insert(&object.reference());
                    fresh.extend(self.insert(object));
                    // A store's objects follow each other, so that few stores are packed in two parts.
                    if n % PAGE == PAGE - 1 {
                        fresh.iter().for_each(|name| self.pack_listed(name));
                        touched.append(&mut fresh);
                    }
                }
                let known: Vec<String> = self.namespaces.keys().cloned().collect();
                for name in known {
                    let changed = self.namespaces.get_mut(&name).is_some_and(|c| c.retain(kind, within, &there));
                    if changed || fresh.contains(&name) {
                        self.pack_listed(&name);
                        touched.insert(name);
                    }
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
    use crate::monitor::contents::CROWDED;
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

    /// A cache that knows the record of a store.
    fn cache() -> Cache {
        let mut cache = Cache::default();
        cache.observe(&namespace_kind(), None, WatchEvent::Applied(namespace("1", "ready")));
        cache
    }

    fn read(cache: &mut Cache) -> Arc<Unpacked> {
        cache.unpack("store-a").unwrap()
    }

    fn pods(cache: &mut Cache) -> Vec<String> {
        let contents = read(cache);
        let pods = contents.objects.values().filter(|object| object.kind().kind == "Pod");
        pods.map(|object| object.name().to_owned()).collect()
    }

    #[test]
    fn a_snapshot_replaces_what_is_known_of_its_kind_alone() {
        let mut cache = cache();
        let kind = Kind::of::<Pod>();
        let service =
            Object::from_value(Kind::of::<Service>(), json!({"metadata": {"name": "s", "namespace": "store-a"}}));
        cache.observe(&Kind::of::<Service>(), None, WatchEvent::Applied(service.unwrap()));
        cache.observe(&kind, None, WatchEvent::Snapshot(vec![pod("a"), pod("b")].into()));
        assert_eq!(pods(&mut cache), ["a", "b"]);
        let touched = cache.observe(&kind, None, WatchEvent::Snapshot(vec![pod("c")].into()));
        assert_eq!(touched, Touched::Namespaces(["store-a".to_owned()].into()));
        assert_eq!(pods(&mut cache), ["c"]);
        assert_eq!(read(&mut cache).objects.len(), 2);
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
            (WatchEvent::Snapshot(vec![namespace("2", "ready"), other.clone()].into()), "2 ready"),
            (WatchEvent::Snapshot(vec![namespace("3", "degraded"), other.clone()].into()), "1 ready, 1 degraded"),
            (WatchEvent::Deleted(other.clone()), "1 degraded"),
            (WatchEvent::Deleted(other), "1 degraded"),
            (WatchEvent::Snapshot(Vec::new().into()), ""),
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
        assert_eq!(read(&mut cache).record().unwrap().status.as_str(), "ready");
        cache.pack("store-a");
        cache.observe(&namespace_kind(), None, WatchEvent::Applied(namespace("9", "provisioning")));
        assert_eq!(read(&mut cache).record().unwrap().resource_version, "10");
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
        assert_eq!(read(&mut cache).record().unwrap().uid, "another");
    }

    #[test]
    fn nothing_is_kept_of_a_namespace_that_is_gone() {
        let mut cache = Cache::default();
        cache.observe(&namespace_kind(), None, WatchEvent::Snapshot(vec![namespace("1", "ready")].into()));
        cache.observe(&Kind::of::<Pod>(), None, WatchEvent::Applied(pod("a")));
        assert_eq!(cache.stores().collect::<Vec<_>>(), ["store-a"]);
        cache.observe(&namespace_kind(), None, WatchEvent::Snapshot(vec![].into()));
        assert_eq!(cache.stores().count(), 0);
        cache.observe(&Kind::of::<Pod>(), None, WatchEvent::Deleted(pod("a")));
        assert!(cache.namespaces.is_empty());
    }

    #[test]
    fn a_namespace_that_is_no_store_any_more_has_no_record() {
        for packed in [false, true] {
            let mut cache = cache();
            if packed {
                cache.pack("store-a");
            }
            let mut other = namespace("2", "ready");
            other.as_value_mut()["metadata"]["labels"] = json!({});
            cache.observe(&namespace_kind(), None, WatchEvent::Applied(other));
            assert!(cache.namespaces.is_empty());
            assert_eq!(cache.counts().total(), 0);
        }
    }

    /// Whatever is packed when, what is read is what the watches delivered.
    #[test]
    fn objects_that_are_packed_at_any_time_are_those_that_were_observed() {
        let kind = Kind::of::<Pod>();
        let mut cache = cache();
        cache.observe(&kind, None, WatchEvent::Snapshot(vec![pod("a"), pod("b")].into()));
        assert!(cache.namespaces["store-a"].is_packed(), "a list is packed");
        cache.observe(&kind, None, WatchEvent::Applied(pod("c")));
        cache.pack("store-a");
        cache.observe(&kind, None, WatchEvent::Applied(pod("a")));
        assert_eq!(pods(&mut cache), ["a", "b", "c"]);
        cache.pack("store-a");
        cache.observe(&kind, None, WatchEvent::Deleted(pod("b")));
        assert_eq!(pods(&mut cache), ["a", "c"]);
        cache.pack("store-a");
        let touched = cache.observe(&kind, None, WatchEvent::Snapshot(vec![pod("c")].into()));
        assert_eq!(touched, Touched::Namespaces(["store-a".to_owned()].into()));
        assert_eq!(pods(&mut cache), ["c"]);
        cache.pack("store-a");
        cache.observe(&kind, None, WatchEvent::Snapshot(Vec::new().into()));
        assert_eq!(read(&mut cache).record().unwrap().resource_version, "1");
        cache.pack("store-a");
        cache.observe(&namespace_kind(), None, WatchEvent::Snapshot(Vec::new().into()));
        assert!(cache.namespaces.is_empty());
    }

    #[test]
    fn a_list_that_tells_nothing_new_unpacks_nothing() {
        let mut cache = Cache::default();
        let mut pod = pod("a");
        pod.as_value_mut()["metadata"]["resourceVersion"] = json!("1");
        for _ in 0..2 {
            cache.observe(&namespace_kind(), None, WatchEvent::Snapshot(vec![namespace("1", "ready")].into()));
            cache.observe(&Kind::of::<Pod>(), None, WatchEvent::Snapshot(vec![pod.clone()].into()));
            // One for each list: unpacked, they would have become one.
            assert_eq!(cache.namespaces["store-a"].parts(), 2);
        }
    }

    #[test]
    fn what_a_list_changes_is_packed_again() {
        let mut cache = cache();
        let pods = |from: usize| (from..PAGE * 2 + 10).map(|n| pod(&format!("pod-{n:04}"))).collect();
        cache.pack("store-a");
        for from in [0, 5] {
            cache.observe(&Kind::of::<Pod>(), None, WatchEvent::Snapshot(pods(from)));
            assert!(cache.namespaces["store-a"].is_packed());
        }
        cache.observe(&namespace_kind(), None, WatchEvent::Snapshot(Vec::new().into()));
        assert!(cache.namespaces["store-a"].is_packed(), "its objects remain");
        cache.observe(&namespace_kind(), None, WatchEvent::Applied(namespace("1", "ready")));
        assert_eq!(self::pods(&mut cache).len(), PAGE * 2 + 5);
    }

    #[test]
    fn a_crowded_store_stays_unpacked() {
        let mut cache = cache();
        let pods = (0..=CROWDED).map(|n| pod(&format!("pod-{n}"))).collect();
        cache.observe(&Kind::of::<Pod>(), None, WatchEvent::Snapshot(pods));
        assert!(read(&mut cache).is_crowded());
        for n in 0..UNPACKED * 2 {
            let mut record = namespace("1", "ready");
            record.as_value_mut()["metadata"]["name"] = json!(format!("store-{n}"));
            record.as_value_mut()["metadata"]["annotations"][record::ID] = json!(n.to_string());
            cache.observe(&namespace_kind(), None, WatchEvent::Applied(record));
            cache.unpack(&format!("store-{n}"));
        }
        assert!(!cache.namespaces["store-a"].is_packed());
        assert_eq!(cache.namespaces.values().filter(|contents| !contents.is_packed()).count(), UNPACKED);
    }

    #[test]
    fn only_the_stores_that_were_read_last_are_unpacked() {
        let mut cache = Cache::default();
        let name = |n: usize| format!("store-{n}");
        for n in 0..UNPACKED + 2 {
            let mut record = namespace("1", "ready");
            record.as_value_mut()["metadata"]["name"] = json!(name(n));
            record.as_value_mut()["metadata"]["annotations"][record::ID] = json!(n.to_string());
            cache.observe(&namespace_kind(), None, WatchEvent::Applied(record));
            cache.unpack(&name(n));
            cache.unpack(&name(0));
        }
        let unpacked = |n: &usize| !cache.namespaces[&name(*n)].is_packed();
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
