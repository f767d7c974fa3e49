//! What would be, or what a repair would do: answers without any effect.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field::OptionWarning;
use super::id::StoreId;
use super::request::Options;
use super::urls::StoreUrls;

/// What a request for a store would make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Preview {
    /// The id that was asked for, or an example of a random one.
    pub id: StoreId,
    /// The display name.
    pub name: String,
    /// The engine's name.
    pub engine: String,
    /// The namespace.
    pub namespace: String,
    /// Where the store would be reached.
    pub urls: StoreUrls,
    /// Its options, completed with the engine's defaults; secret values of the request are shown as `REDACTED`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub options: Options,
    /// Every manifest, the namespace first; generated secrets are shown as `REDACTED`.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub objects: Vec<Value>,
    /// What to know about options of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<OptionWarning>,
}

/// What a repair would do to one object. Generated secrets are never compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Difference {
    /// What would be done.
    pub action: Repair,
    /// The object, e.g. `Deployment store-abc/medusa-api`.
    pub object: String,
    /// Every field that differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Drift>,
}

/// What a repair does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Repair {
    /// It is missing and would be made.
    Create,
    /// Fields of it would be set back.
    Repair,
    /// It would be removed, since the change makes it superfluous.
    Delete,
}

/// A field that urumi owns and that has not the value it should have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Drift {
    /// The field's path, e.g. `spec.template.spec.containers[name=medusa-api].image`.
    pub path: String,
    /// What it should be.
    pub desired: Value,
    /// What it is; `None` where it is missing.
    pub actual: Option<Value>,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.actual {
            Some(actual) => write!(f, "{}: {actual} should be {}", self.path, self.desired),
            None => write!(f, "{}: missing, should be {}", self.path, self.desired),
        }
    }
}
