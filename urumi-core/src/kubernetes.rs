//! Kubernetes as plain data: objects, queries, the changes urumi makes and the errors it gets. Nothing here talks to a
//! cluster; [`crate::cluster`] does.

mod access;
mod change;
mod compressed;
mod error;
mod logs;
pub(crate) mod merge_keys;
mod object;
mod object_list;
mod query;
pub mod syntax;
mod watch;

pub use self::access::{Access, TokenReview};
pub use self::change::{FIELD_MANAGER, MetadataPatch, Preconditions};
pub(crate) use self::compressed::Compressed;
#[cfg(feature = "kube")]
pub(crate) use self::compressed::ObjectText;
pub use self::error::{ClusterError, ClusterErrorKind, Verb};
pub use self::logs::{LogOptions, LogsSince};
pub use self::object::{Kind, MalformedObject, Object, ObjectRef, Scope, is_older};
pub use self::object_list::ObjectList;
pub use self::query::{LabelRequirement, Query};
pub use self::watch::WatchEvent;
