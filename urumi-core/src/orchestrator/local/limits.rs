//! Limits the stores of an owner, those that are provisioning at once, those that the owner creates within an hour, and what
//! they request together.
//!
//! A creation counts the owner's stores on the cluster, and the earlier creations of this process. Creations of other
//! processes count once their stores are on record, so several processes together may exceed a limit by the creations
//! that they begin at the same time.
//!
//! A store that is gone has no record. It counts among the creations of an hour only in the process that created it, until
//! that process ends.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::error::{Error, Result};
use crate::kubernetes::syntax::Quantity;
use crate::plan::demand::Demand;
use crate::store::StoreId;
use crate::store::status::StoreStatus;

/// The time in which creations are counted.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Limits of an owner's stores. Creations without an owner are not limited.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct OwnerLimits {
    /// The maximum number of an owner's stores, without those that are being deleted; unlimited if `None`.
    pub stores: Option<usize>,
    /// The maximum number of an owner's stores that are provisioning at once; unlimited if `None`.
    pub provisioning: Option<usize>,
    /// The most stores that one owner creates within an hour, those that were deleted since included; unlimited if `None`.
    pub creations_per_hour: Option<usize>,
    /// The most CPUs that the stores of one owner may request together; unlimited if `None`.
    pub cpu: Option<Quantity>,
    /// The most memory that the stores of one owner may request together; unlimited if `None`.
    pub memory: Option<Quantity>,
    /// The most storage that the stores of one owner may request together; unlimited if `None`.
    pub storage: Option<Quantity>,
}

impl OwnerLimits {
    /// Limits the stores of an owner.
    #[must_use]
    pub fn stores(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.stores = limit.into();
        self
    }

    /// Limits the stores of an owner that are provisioning at once.
    #[must_use]
    pub fn provisioning(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.provisioning = limit.into();
        self
    }

    /// Limits the stores that one owner creates within an hour, those that were deleted since included. A store costs more
    /// than its room, for example a certificate of an issuer that has limits.
    #[must_use]
    pub fn creations_per_hour(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.creations_per_hour = limit.into();
        self
    }

    /// Limits the CPUs that the workloads of one owner's stores request together.
    #[must_use]
    pub fn cpu(mut self, limit: impl Into<Option<Quantity>>) -> Self {
        self.cpu = limit.into();
        self
    }

    /// Limits the memory that the workloads of one owner's stores request together.
    #[must_use]
    pub fn memory(mut self, limit: impl Into<Option<Quantity>>) -> Self {
        self.memory = limit.into();
        self
    }

    /// Limits the storage that the volumes of one owner's stores request together.
    #[must_use]
    pub fn storage(mut self, limit: impl Into<Option<Quantity>>) -> Self {
        self.storage = limit.into();
        self
    }

    /// Checks what the stores of an owner request together.
    pub(super) fn check_demand(&self, owner: &str, total: &Demand) -> Result<()> {
        let demands = [
            ("CPUs", &total.cpu, &self.cpu),
            ("memory", &total.memory, &self.memory),
            ("storage", &total.storage, &self.storage),
        ];
        for (resource, total, limit) in demands {
            if let Some(limit) = limit.as_ref().filter(|limit| total > *limit) {
                let (total, limit) = (total.to_string(), limit.to_string());
                return Err(Error::DemandLimit { owner: owner.to_owned(), resource, total, limit });
            }
        }
        Ok(())
    }

    /// Whether the demand of stores is limited.
    pub(super) fn limit_demand(&self) -> bool {
        self.cpu.is_some() || self.memory.is_some() || self.storage.is_some()
    }
}

/// The creations of one owner in this process.
#[derive(Debug, Default)]
struct Creations {
    /// Those that are under way, in the order in which they began.
    under_way: Vec<(StoreId, Demand)>,
    /// Those of the last hour that put a store on record.
    done: Vec<(StoreId, Timestamp)>,
}

type Owners = Arc<Mutex<HashMap<String, Creations>>>;

/// A store of the owner on the cluster.
#[derive(Clone, Debug)]
pub(super) struct Existing {
    pub(super) status: StoreStatus,
    pub(super) created_at: Timestamp,
    /// Nothing where it is not limited.
    pub(super) demand: Demand,
}

/// The limits, and the creations whose stores may not be on the cluster yet.
#[derive(Debug, Default)]
pub(super) struct OwnerCounts {
    pub(super) limits: OwnerLimits,
    owners: Owners,
}

/// The place of a creation in the queue of its owner; released on drop.
#[derive(Debug)]
pub(super) struct Place {
    owner: String,
    id: StoreId,
    demand: Demand,
    /// The creations that were in progress when this one began.
    ahead: Vec<(StoreId, Demand)>,
    /// The creations of the last hour.
    recent: Vec<StoreId>,
    began: Timestamp,
    owners: Owners,
}

fn lock(owners: &Owners) -> MutexGuard<'_, HashMap<String, Creations>> {
    owners.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OwnerCounts {
    /// Takes a place behind the owner's creations in progress. Take it before listing the owner's stores, so that a
    /// creation that ends in between is counted as one ahead.
    pub(super) fn take_place(&self, owner: &str, (id, demand): (&StoreId, Demand), now: Timestamp) -> Place {
        let mut owners = lock(&self.owners);
        for creations in owners.values_mut() {
            creations.done.retain(|(_, at)| is_recent(*at, now));
        }
        owners.retain(|_, creations| !creations.under_way.is_empty() || !creations.done.is_empty());
        let theirs = owners.entry(owner.to_owned()).or_default();
        let ahead = theirs.under_way.clone();
        let recent = theirs.done.iter().map(|(id, _)| id.clone()).collect();
        theirs.under_way.push((id.clone(), demand.clone()));
        let (owner, id) = (owner.to_owned(), id.clone());
        Place { owner, id, demand, ahead, recent, began: now, owners: self.owners.clone() }
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < HOUR
}

impl Place {
    /// Checks the limits against the owner's stores on the cluster.
    pub(super) fn check(&self, limits: &OwnerLimits, stores: &HashMap<StoreId, Existing>) -> Result<()> {
        // Repeated requests create nothing, and the API server rejects an id that is taken.
        if stores.contains_key(&self.id) {
            return Ok(());
        }
        let owner = || self.owner.clone();
        let those =
            |counts: fn(&Existing) -> bool| stores.iter().filter(move |(_, store)| counts(store)).map(|(id, _)| id);
        let existing = those(|store| store.status != StoreStatus::Deleting).collect();
        if let Some((has, limit)) = self.exceeded(limits.stores, stores, existing) {
            return Err(Error::LimitReached { owner: owner(), has, limit });
        }
        let provisioning = those(|store| store.status == StoreStatus::Provisioning).collect();
        if let Some((has, limit)) = self.exceeded(limits.provisioning, stores, provisioning) {
            return Err(Error::ProvisioningLimit { owner: owner(), has, limit });
        }
        let on_record = stores.iter().filter(|(_, store)| is_recent(store.created_at, self.began)).map(|(id, _)| id);
        let recent = on_record.chain(&self.recent).collect();
        if let Some((has, limit)) = self.exceeded(limits.creations_per_hour, stores, recent) {
            return Err(Error::CreationLimit { owner: owner(), has, limit });
        }
        limits.check_demand(&self.owner, &self.total(stores))
    }

    /// What the owner's stores would request with this one. A creation ahead counts even if another limit rejects it.
    fn total(&self, stores: &HashMap<StoreId, Existing>) -> Demand {
        let existing = stores.values().filter(|store| store.status != StoreStatus::Deleting).map(|store| &store.demand);
        let ahead = self.ahead.iter().filter(|(id, _)| !stores.contains_key(id)).map(|(_, demand)| demand);
        existing.chain(ahead).fold(self.demand.clone(), |total, demand| total.plus(demand))
    }

    /// Notes that the store is on record.
    pub(super) fn done(&self) {
        if let Some(theirs) = lock(&self.owners).get_mut(&self.owner) {
            theirs.done.push((self.id.clone(), self.began));
        }
    }

    /// The number of counted stores and the limit, if this creation would exceed it. `places` are the stores that count
    /// already. The creations ahead count in their order up to the limit, because those beyond it were rejected. Repetitions
    /// of a creation share a place.
    fn exceeded<'a>(
        &'a self,
        limit: Option<usize>,
        stores: &HashMap<StoreId, Existing>,
        mut places: HashSet<&'a StoreId>,
    ) -> Option<(usize, usize)> {
        let limit = limit?;
        for (id, _) in self.ahead.iter().filter(|(id, _)| !stores.contains_key(id)) {
            if places.len() < limit {
                places.insert(id);
            }
        }
        (places.len() >= limit && !places.contains(&self.id)).then_some((places.len(), limit))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut owners = lock(&self.owners);
        if let Some(theirs) = owners.get_mut(&self.owner) {
            if let Some(at) = theirs.under_way.iter().position(|(id, _)| *id == self.id) {
                theirs.under_way.remove(at);
            }
            if theirs.under_way.is_empty() && theirs.done.is_empty() {
                owners.remove(&self.owner);
            }
        }
    }
}
