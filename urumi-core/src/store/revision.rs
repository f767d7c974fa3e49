//! The history of a store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::request::Options;
use super::seconds;
use super::update::OptionChange;

/// How many revisions of a store are kept, the present one included.
pub const KEPT_REVISIONS: usize = 10;

/// A revision of a store: its name and options between two changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Revision {
    /// Its number; a store is created as revision 1.
    pub number: u64,
    /// When it was requested.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    #[serde(deserialize_with = "seconds::deserialize")]
    pub at: Timestamp,
    /// Who requested it, where that is known; `urumi` if urumi went back by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The revision whose name and options this one has again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<u64>,
    /// Whether it is the present one.
    pub current: bool,
    /// Why it could not be rolled out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The display name.
    pub name: String,
    /// The options that were requested; secret values are shown as `REDACTED`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub requested: Options,
    /// The number of the engine's way of rendering it. `urumi update --refresh` takes the newest.
    #[serde(default = "super::first")]
    pub renderer: u32,
    /// The options in force that differ from those of the revision before; none for the first one that is kept.
    pub changes: Vec<OptionChange>,
}
