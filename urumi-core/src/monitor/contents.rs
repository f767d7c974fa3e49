//! What the monitor knows of one store: its record and its objects, packed while they are not read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::packed::{Hashes, Packed};
use crate::kubernetes::{Kind, Object, ObjectRef, is_older};
use crate::record::{Record, namespace_kind};
use crate::store::status::StoreStatus;

/// A store with more objects than this has many pods that it does not need; others have about 50.
pub(super) const CROWDED: usize = 200;

/// What is known of one store.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// What all stores are asked for; `None` if the namespace is no store, or was not seen yet.
    summary: Option<Summary>,
    /// What is not packed, or was seen since.
    unpacked: Arc<Unpacked>,
    /// What is kept in less memory.
    packed: Vec<Packed>,
}

/// What is known of a record without unpacking it.
#[derive(Debug)]
struct Summary {
    uid: String,
    resource_version: String,
    status: StoreStatus,
}

/// The record and the objects of one store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unpacked {
    record: Option<(Record, Object)>,
    /// The watched objects in the namespace, and those elsewhere that are labelled with the store.
    pub(crate) objects: BTreeMap<ObjectRef, Object>,
}

impl Unpacked {
    /// The store's record.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.as_ref().map(|(record, _)| record)
    }

    /// Whether the store has so many objects that each decision on it takes long.
    pub(crate) fn is_crowded(&self) -> bool {
        self.objects.len() > CROWDED
    }

    /// Takes in an object, or the namespace.
    fn insert(&mut self, object: Object) {
        if *object.kind() == namespace_kind() {
            self.record = Record::read(&object).map(|record| (record, object));
        } else {
            self.objects.insert(object.reference(), object);
        }
    }

    fn remove(&mut self, reference: &ObjectRef) {
        if reference.kind == namespace_kind() {
            self.record = None;
        } else {
            self.objects.remove(reference);
        }
    }

    fn is_empty(&self) -> bool {
        self.record.is_none() && self.objects.is_empty()
    }
}

impl Contents {
    /// Whether the namespace is a store.
    pub(super) fn is_store(&self) -> bool {
        self.summary.is_some()
    }

    /// The uid of the store's namespace.
    pub(super) fn uid(&self) -> Option<&str> {
        self.summary.as_ref().map(|summary| summary.uid.as_str())
    }

    /// The store's status.
    pub(super) fn status(&self) -> Option<StoreStatus> {
        self.summary.as_ref().map(|summary| summary.status)
    }

    /// The record and the objects, which stay unpacked.
    pub(super) fn read(&mut self) -> Arc<Unpacked> {
        self.unpack();
        self.unpacked.clone()
    }

    /// Whether nothing is unpacked.
    #[cfg(test)]
    pub(super) fn is_packed(&self) -> bool {
        self.unpacked.is_empty()
    }

    /// In how many parts it was packed.
    #[cfg(test)]
    pub(super) fn parts(&self) -> usize {
        self.packed.len()
    }

    /// Whether the store has too many objects to unpack them for each event.
    pub(super) fn is_crowded(&self) -> bool {
        self.unpacked.is_crowded()
    }

    /// Takes in an object. Returns whether it differs from the one that was known.
    pub(super) fn insert(&mut self, object: Object) -> bool {
        let reference = object.reference();
        if self.packed.iter().any(|packed| packed.has(&reference, &object)) {
            return false;
        }
        self.unpack_if(|packed| packed.contains(&reference));
        Arc::make_mut(&mut self.unpacked).insert(object);
        true
    }

    pub(super) fn remove(&mut self, reference: &ObjectRef) {
        self.unpack_if(|packed| packed.contains(reference));
        Arc::make_mut(&mut self.unpacked).remove(reference);
    }

    /// Takes in the namespace, unless a newer version of it is known. Returns whether it did, with the status before.
    pub(super) fn insert_record(&mut self, namespace: &Object) -> Option<Option<StoreStatus>> {
        let record = Record::read(namespace);
        if let (Some(known), Some(seen)) = (&self.summary, &record)
            && known.uid == seen.uid
            && is_older(&seen.resource_version, &known.resource_version)
        {
            return None;
        }
        let before = self.summary.take().map(|summary| summary.status);
        match record {
            Some(Record { uid, resource_version, status, .. }) => {
                self.summary = Some(Summary { uid, resource_version, status });
                self.insert(namespace.clone());
            }
            None => self.remove(&namespace.reference()),
        }
        Some(before)
    }

    /// Removes the record. Returns its status.
    pub(super) fn remove_record(&mut self, name: &str) -> Option<StoreStatus> {
        let summary = self.summary.take()?;
        self.remove(&ObjectRef::cluster(namespace_kind(), name));
        Some(summary.status)
    }

    /// Removes the objects of a kind, in one namespace or in all, that are not there any more. Returns whether there were any.
    pub(super) fn retain(&mut self, kind: &Kind, within: Option<&str>, there: &Hashes) -> bool {
        self.unpack_if(|packed| packed.has_others(kind, there));
        let gone = |reference: &&ObjectRef| {
            let watched = reference.kind == *kind && within.is_none_or(|ns| reference.namespace.as_deref() == Some(ns));
            watched && !there.contain(reference)
        };
        let gone: Vec<_> = self.unpacked.objects.keys().filter(gone).cloned().collect();
        for reference in &gone {
            self.remove(reference);
        }
        !gone.is_empty()
    }

    pub(super) fn pack(&mut self) {
        if !self.unpacked.is_empty() {
            let Unpacked { record, objects } = Arc::unwrap_or_clone(std::mem::take(&mut self.unpacked));
            let namespace = record.map(|(_, namespace)| namespace);
            self.packed.push(Packed::from(Vec::from_iter(objects.into_values().chain(namespace))));
        }
    }

    fn unpack_if(&mut self, needed: impl Fn(&Packed) -> bool) {
        if self.packed.iter().any(needed) {
            self.unpack();
        }
    }

    fn unpack(&mut self) {
        if !self.packed.is_empty() {
            let unpacked = Arc::make_mut(&mut self.unpacked);
            std::mem::take(&mut self.packed)
                .into_iter()
                .flat_map(Packed::unpack)
                .for_each(|object| unpacked.insert(object));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.summary.is_none() && self.unpacked.is_empty() && self.packed.is_empty()
    }
}
