//! Limits the stores of an owner, and those that are provisioning at once.
//!
//! A creation counts the owner's stores on the cluster, and the earlier creations of this process. Creations of other
//! processes count once their stores are on record, so several processes together may exceed a limit by the creations
//! that they begin at the same time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::store::StoreId;
use crate::store::status::StoreStatus;

/// Limits of an owner's stores. Creations without an owner are not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerLimits {
    /// The maximum number of an owner's stores, without those that are being deleted; unlimited if `None`.
    pub stores: Option<usize>,
    /// The maximum number of an owner's stores that are provisioning at once; unlimited if `None`.
    pub provisioning: Option<usize>,
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
}

/// The creations in progress in this process, by owner, in the order of their start.
type UnderWay = Arc<Mutex<HashMap<String, Vec<StoreId>>>>;

/// The limits, and the creations whose stores may not be on the cluster yet.
#[derive(Debug, Default)]
pub(super) struct OwnerCounts {
    pub(super) limits: OwnerLimits,
    under_way: UnderWay,
}

/// The place of a creation in the queue of its owner; released on drop.
#[derive(Debug)]
pub(super) struct Place {
    owner: String,
    id: StoreId,
    /// The creations that were in progress when this one began.
    ahead: Vec<StoreId>,
    under_way: UnderWay,
}

impl OwnerCounts {
    /// Takes a place behind the owner's creations in progress. Take it before listing the owner's stores, so that a
    /// creation that ends in between is counted as one ahead.
    pub(super) fn take_place(&self, owner: &str, id: &StoreId) -> Place {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = under_way.entry(owner.to_owned()).or_default();
        let ahead = theirs.clone();
        theirs.push(id.clone());
        Place { owner: owner.to_owned(), id: id.clone(), ahead, under_way: self.under_way.clone() }
    }
}

impl Place {
    /// Checks the limits against the owner's stores on the cluster.
    pub(super) fn check(&self, limits: OwnerLimits, stores: &HashMap<StoreId, StoreStatus>) -> Result<()> {
        // Repeated requests create nothing, and the API server rejects an id that is taken.
        if stores.contains_key(&self.id) {
            return Ok(());
        }
        let owner = || self.owner.clone();
        if let Some((has, limit)) = self.exceeded(limits.stores, stores, |status| status != StoreStatus::Deleting) {
            return Err(Error::LimitReached { owner: owner(), has, limit });
        }
        if let Some((has, limit)) =
            self.exceeded(limits.provisioning, stores, |status| status == StoreStatus::Provisioning)
        {
            return Err(Error::ProvisioningLimit { owner: owner(), has, limit });
        }
        Ok(())
    }

    /// The number of counted stores and the limit, if this creation would exceed it. The creations ahead count in their
    /// order up to the limit, because those beyond it were rejected. Repetitions of a creation share a place.
    fn exceeded(
        &self,
        limit: Option<usize>,
        stores: &HashMap<StoreId, StoreStatus>,
        counts: impl Fn(StoreStatus) -> bool,
    ) -> Option<(usize, usize)> {
        let limit = limit?;
        let mut places: HashSet<&StoreId> =
            stores.iter().filter(|(_, status)| counts(**status)).map(|(id, _)| id).collect();
        for id in self.ahead.iter().filter(|id| !stores.contains_key(*id)) {
            if places.len() < limit {
                places.insert(id);
            }
        }
        (places.len() >= limit && !places.contains(&self.id)).then_some((places.len(), limit))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = under_way.get_mut(&self.owner) {
            if let Some(at) = ids.iter().position(|id| *id == self.id) {
                ids.remove(at);
            }
            if ids.is_empty() {
                under_way.remove(&self.owner);
            }
        }
    }
}
