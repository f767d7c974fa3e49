//! What one can wait for: pure, three-valued conditions on a store.

use std::fmt;

use crate::store::Store;
use crate::store::status::{Condition, ConditionStatus, StoreStatus};

/// What a condition says of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Not yet.
    Pending,
    /// It holds.
    Met,
    /// It will not hold without somebody's help.
    Failed,
}

/// Something to wait for. Its `Display` completes "did not become …".
pub trait WaitCondition: fmt::Display + Send + Sync {
    /// Judges a store; `None` is a store that does not exist.
    fn check(&self, store: Option<&Store>) -> Verdict;
}

/// The store is ready. A store that does not exist or is being deleted has failed it; one that is `failed` is pending
/// still, since it may recover: see [`Ready::or_failed`].
#[derive(Clone, Copy, Debug)]
pub struct Ready;

impl Ready {
    /// The same, but a store that is `failed` ends the wait.
    #[must_use]
    pub fn or_failed(self) -> ReadyOrFailed {
        ReadyOrFailed
    }
}

impl WaitCondition for Ready {
    fn check(&self, store: Option<&Store>) -> Verdict {
        match store.map(|s| s.status) {
            Some(StoreStatus::Ready) => Verdict::Met,
            Some(StoreStatus::Deleting) | None => Verdict::Failed,
            Some(_) => Verdict::Pending,
        }
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ready")
    }
}

/// The store is ready, or has failed: made by [`Ready::or_failed`].
#[derive(Clone, Copy, Debug)]
pub struct ReadyOrFailed;

impl WaitCondition for ReadyOrFailed {
    fn check(&self, store: Option<&Store>) -> Verdict {
        match store.map(|s| s.status) {
            Some(StoreStatus::Failed) => Verdict::Failed,
            _ => Ready.check(store),
        }
    }
}

impl fmt::Display for ReadyOrFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ready.fmt(f)
    }
}

/// The store's present revision is rolled out. One that cannot be rolled out, or that was taken back, has failed it.
#[derive(Clone, Copy, Debug)]
pub struct UpToDate;

impl WaitCondition for UpToDate {
    fn check(&self, store: Option<&Store>) -> Verdict {
        let Some(store) = store.filter(|store| store.status != StoreStatus::Deleting) else { return Verdict::Failed };
        if store.observed_revision != store.revision {
            return Verdict::Pending;
        }
        match store.conditions.iter().find(|condition| condition.type_ == Condition::UP_TO_DATE) {
            Some(condition) if condition.status != ConditionStatus::True => match condition.reason.as_str() {
                "Rolling" => Verdict::Pending,
                "NewRenderer" => Verdict::Met,
                _ => Verdict::Failed,
            },
            // A store that was never changed has no such condition.
            _ => Verdict::Met,
        }
    }
}

impl fmt::Display for UpToDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("up to date")
    }
}

/// The store and its namespace are gone.
#[derive(Clone, Copy, Debug)]
pub struct Deleted;

impl WaitCondition for Deleted {
    fn check(&self, store: Option<&Store>) -> Verdict {
        if store.is_none() { Verdict::Met } else { Verdict::Pending }
    }
}

impl fmt::Display for Deleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deleted")
    }
}
