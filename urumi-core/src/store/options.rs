//! The options of a store that exists.

use serde::{Deserialize, Serialize};

use super::request::Options;

/// The options of a store. Secret values that a request handed over are shown as `REDACTED`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct StoreOptions {
    /// The options that the request chose. A store whose record does not have them was created by an early version of
    /// urumi; then these are the effective options.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub requested: Options,
    /// The options in force: those of the request, completed with the defaults when the store was created.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub effective: Options,
}

impl StoreOptions {
    /// The options of a store.
    pub fn new(requested: Options, effective: Options) -> Self {
        StoreOptions { requested, effective }
    }
}
