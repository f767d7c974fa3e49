//! Stores as plain data: what people ask for, what is on record, and what they see.

mod authority;
mod creation;
pub mod credentials;
pub(crate) mod field;
mod handed;
mod id;
pub mod idempotency;
mod labels;
pub mod logs;
pub(crate) mod merge_patch;
mod name;
mod options;
pub mod preview;
mod problem;
mod request;
pub mod revision;
pub(crate) mod seconds;
pub mod selector;
pub mod smoke;
pub mod status;
pub mod timeline;
pub mod update;
mod urls;
pub mod wait;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::authority::Authority;
pub use self::creation::Creation;
pub use self::field::{FieldError, OptionWarning};
pub use self::handed::{HANDED_SECRET, HandedSecrets};
pub use self::id::{NAMESPACE_PREFIX, StoreId};
use self::idempotency::Idempotency;
pub(crate) use self::labels::check_labels;
pub use self::labels::{Labels, MAX_LABELS};
pub(crate) use self::name::check_owner;
pub use self::name::{MAX_OWNER, StoreName};
pub use self::options::StoreOptions;
pub use self::problem::ProblemCode;
pub use self::request::{CreateStore, Options};
use self::status::{Condition, StoreStatus};
pub use self::urls::StoreUrls;

/// All that is needed to make a store, or to finish or repair it after a crash. Kept on the store's namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StoreSpec {
    /// The store's id.
    pub id: StoreId,
    /// The display name.
    pub name: StoreName,
    /// The engine's name.
    pub engine: String,
    /// The engine's options as it resolved them: complete, so that a later change of defaults changes no store.
    pub options: Options,
    /// The number of the engine's way of rendering it: [`Engine::renderer`](crate::engine::Engine::renderer) as it was when the
    /// store was created or refreshed, so that a later version of the engine restarts no store.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub renderer: u32,
}

/// The renderer of specs that do not say it.
pub(crate) fn first() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
pub(crate) fn is_first(renderer: &u32) -> bool {
    *renderer == first()
}

impl StoreSpec {
    /// The name of the store's namespace.
    pub fn namespace(&self) -> String {
        self.id.namespace()
    }
}

/// A store as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Store {
    /// The store's id.
    pub id: StoreId,
    /// The display name.
    pub name: String,
    /// The engine's name.
    pub engine: String,
    /// Where it is in its life.
    pub status: StoreStatus,
    /// Why it is not ready, in one line; none for a ready store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The Kubernetes namespace that holds all of it.
    pub namespace: String,
    /// Where it is reached (once ready).
    pub urls: StoreUrls,
    /// When its namespace was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it first became ready; none where it never was, and where that is so many changes ago that it is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub ready_at: Option<Timestamp>,
    /// Whose it is, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its labels, which its request chose.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Each aspect of its state.
    pub conditions: Vec<Condition>,
    /// The number of its revision: 1 when it is created, and one more with each change.
    #[serde(default = "first_revision")]
    pub revision: u64,
    /// The revision that the conditions are about.
    #[serde(default = "first_revision")]
    pub observed_revision: u64,
    /// Changes whenever anything of this changes; equal versions mean the same state. Its namespace's
    /// `resourceVersion`.
    pub resource_version: String,
    /// The uid of its namespace: no other store ever has it, whereas an id may belong to another store later. `None` for
    /// a store that was read through a server, which does not show it.
    #[serde(skip)]
    pub uid: Option<String>,
    /// The request that made it, where that came with a key. Never shown.
    #[serde(skip)]
    pub made_by: Option<Idempotency>,
}

impl Store {
    /// A new store: it is `provisioning`, and nobody knows more of it yet.
    pub fn new(id: StoreId, name: impl Into<String>, engine: impl Into<String>, created_at: Timestamp) -> Self {
        Store {
            namespace: id.namespace(),
            id,
            name: name.into(),
            engine: engine.into(),
            status: StoreStatus::Provisioning,
            reason: None,
            urls: StoreUrls::default(),
            created_at: seconds::whole(created_at),
            ready_at: None,
            owner: None,
            labels: Labels::new(),
            conditions: Vec::new(),
            revision: first_revision(),
            observed_revision: first_revision(),
            resource_version: String::new(),
            uid: None,
            made_by: None,
        }
    }
}

/// The revision of a store that was never changed; also of stores of servers that do not tell it.
fn first_revision() -> u64 {
    1
}
