//! How many stores an owner may have, and have made at once.
//!
//! Counted from memory together with the creations that this process is just at. Several replicas may, at the same
//! moment, let as many more pass as there are replicas.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use urumi_core::StoreId;
use urumi_core::store::status::StoreStatus;

use crate::auth::Owner;
use crate::problem::{Code, Problem};
use crate::view::View;

/// The limits; none where there is no number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnerLimits {
    /// How many stores an owner may have.
    pub stores: Option<usize>,
    /// How many of them may be provisioning at once.
    pub provisioning: Option<usize>,
}

type UnderWay = Arc<Mutex<HashMap<Owner, Vec<StoreId>>>>;

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct OwnerCounts {
    limits: OwnerLimits,
    /// Creations that are under way and may not be seen in the view yet.
    under_way: UnderWay,
}

/// A creation under way; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    owner: Owner,
    id: StoreId,
    under_way: UnderWay,
}

impl OwnerCounts {
    pub(crate) fn new(limits: OwnerLimits) -> Self {
        OwnerCounts { limits, under_way: Arc::default() }
    }

    /// Lets the creation of `id` begin, unless the owner has reached a limit.
    pub(crate) fn reserve(&self, owner: &Owner, id: &StoreId, view: &View) -> Result<Reservation, Problem> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = under_way.get(owner).into_iter().flatten();
        // Repetitions of this very creation make one store: they do not count each other.
        let pending: HashSet<&StoreId> = theirs.filter(|other| *other != id && view.get(other).is_none()).collect();
        let pending = pending.len();
        let OwnerLimits { stores, provisioning } = self.limits;
        if stores.is_some() || provisioning.is_some() {
            let all = view.all();
            let theirs =
                || all.entries.iter().filter(|entry| entry.owner.as_ref() == Some(owner)).map(|e| e.store.status);
            let has = pending + theirs().filter(|status| *status != StoreStatus::Deleting).count();
            if let Some(limit) = stores.filter(|limit| has >= *limit) {
                return Err(Problem::new(
                    Code::LimitReached,
                    format!(
                        "{owner} has {has} of {limit} stores; delete one, or ask whoever runs this server for more"
                    ),
                ));
            }
            let busy = pending + theirs().filter(|status| *status == StoreStatus::Provisioning).count();
            if let Some(limit) = provisioning.filter(|limit| busy >= *limit) {
                let detail = format!("{busy} stores of {owner} are provisioning, {limit} may; wait until one is ready");
                return Err(Problem::new(Code::ProvisioningLimit, detail).retry_after(10));
            }
        }
        under_way.entry(owner.clone()).or_default().push(id.clone());
        Ok(Reservation { owner: owner.clone(), id: id.clone(), under_way: self.under_way.clone() })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = under_way.get_mut(&self.owner) {
            if let Some(at) = ids.iter().position(|id| *id == self.id) {
                ids.swap_remove(at);
            }
            if ids.is_empty() {
                under_way.remove(&self.owner);
            }
        }
    }
}
