//! The addresses of a store.

use serde::{Deserialize, Serialize};

/// Where a store is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct StoreUrls {
    /// The shop, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storefront: Option<String>,
    /// The commerce API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

impl StoreUrls {
    /// The addresses of the storefront and of the API.
    pub fn new(storefront: Option<String>, api: Option<String>) -> Self {
        StoreUrls { storefront, api }
    }
}
