//! How many stores an owner may have, and how many of them may be provisioning at once.
//!
//! A creation counts the owner's stores on the cluster, and the creations that this process has begun before it. Creations
//! in other processes are counted once their stores are on record, so several processes may together exceed a limit by
//! the creations that they begin at the same moment.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::store::StoreId;
use crate::store::status::StoreStatus;

/// How many stores an owner may have. A creation without an owner is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerLimits {
    /// The most stores of one owner, those that are being deleted not counted; unlimited if `None`.
    pub stores: Option<usize>,
    /// The most stores of one owner that are provisioning at once; unlimited if `None`.
    pub provisioning: Option<usize>,
}

impl OwnerLimits {
    /// Limits the stores of one owner.
    #[must_use]
    pub fn stores(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.stores = limit.into();
        self
    }

    /// Limits the stores of one owner that are provisioning at once.
    #[must_use]
    pub fn provisioning(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.provisioning = limit.into();
        self
    }
}

/// The creations of each owner that are under way in this process, in the order in which they began.
type UnderWay = Arc<Mutex<HashMap<String, Vec<StoreId>>>>;

/// The limits, and the creations that the cluster may not show yet.
#[derive(Debug, Default)]
pub(super) struct OwnerCounts {
    pub(super) limits: OwnerLimits,
    under_way: UnderWay,
}

/// The place of a creation among those of its owner; it is given up when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    owner: String,
    id: StoreId,
    /// The creations that were under way when this one began.
    ahead: Vec<StoreId>,
    under_way: UnderWay,
}

impl OwnerCounts {
    /// Takes a place behind the creations of this owner that are under way. It must be taken before the owner's stores are
    /// listed: a creation that ends in between is then one of those ahead.
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
        // Repetitions create nothing, and the API server refuses an id that is taken.
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

    /// The number of stores that count and the limit, if they leave no room for this creation. The creations ahead are
    /// admitted in their order as far as there is room, which is how they were decided; repetitions of one creation
    /// share a place.
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
