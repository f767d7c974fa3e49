//! The result of a creation.

use super::Store;

/// The result of a creation: the store, and whether this request or an earlier one created it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Creation {
    /// This request created the store.
    New(Store),
    /// An earlier request with the same idempotency key created the store; this request changed nothing.
    Repeated(Store),
}

impl Creation {
    /// The store as it is now.
    pub fn store(&self) -> &Store {
        match self {
            Creation::New(store) | Creation::Repeated(store) => store,
        }
    }

    /// The store, without the answer to who created it.
    pub fn into_store(self) -> Store {
        match self {
            Creation::New(store) | Creation::Repeated(store) => store,
        }
    }

    /// Whether an earlier request created the store.
    pub fn is_repeated(&self) -> bool {
        matches!(self, Creation::Repeated(_))
    }
}
