//! A request for a new store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::authority::Authority;
use super::handed::HandedSecrets;

/// An engine's options as JSON: keys and shapes are the engine's own.
pub type Options = Map<String, Value>;

/// A request for a new store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateStore {
    /// The display name: 1 to 100 characters, nothing invisible, no white space at either end.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 100,
            pattern = r"^[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]([^\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]*[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff])?$",
            example = "My Shop"
        )
    )]
    pub name: String,
    /// The engine's name, e.g. `medusa`.
    #[cfg_attr(feature = "openapi", schema(example = "medusa"))]
    pub engine: String,
    /// The id to use, 1 to 50 characters of `[a-z0-9-]`; generated at random if left out.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    )]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Options for the engine; what is left out takes the installation's defaults. `GET /engines` has their JSON Schema
    /// for each engine, and docs/OPTIONS.md describes those of `medusa`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub options: Options,
    /// Whose store it is, e.g. `user:alice` or `team:web`: up to 261 bytes, see [`MAX_OWNER`](crate::store::MAX_OWNER).
    /// urumi keeps it and shows it; what it permits is up to the frontend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 261, example = "team:web"))]
    pub owner: Option<String>,
    /// Labels to select the store by: up to 32, with keys and values in the syntax of Kubernetes' labels. Keys with the
    /// prefix `kubernetes.io`, `k8s.io` or `urumi.ai`, or one that ends in such a domain, are reserved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// A key by which a repetition of this request is known: see [`idempotency`](crate::store::idempotency).
    #[serde(skip)]
    pub idempotency_key: Option<String>,
    /// On whose authority the options are chosen. It is never part of a request's JSON: a frontend knows its caller.
    #[serde(skip)]
    pub authority: Authority,
    /// The secret values that were taken out of the options.
    #[serde(skip)]
    pub(crate) handed: HandedSecrets,
}

impl CreateStore {
    /// A request with a random id and the engine's default options.
    pub fn new(name: impl Into<String>, engine: impl Into<String>) -> Self {
        CreateStore {
            name: name.into(),
            engine: engine.into(),
            id: None,
            options: Options::new(),
            owner: None,
            labels: BTreeMap::new(),
            idempotency_key: None,
            authority: Authority::default(),
            handed: HandedSecrets::default(),
        }
    }

    /// Chooses the options on this authority instead of an operator's.
    #[must_use]
    pub fn on_authority_of(mut self, authority: Authority) -> Self {
        self.authority = authority;
        self
    }

    /// Asks for a certain id.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the engine's options: as JSON, or typed, e.g. [`MedusaOptions`](crate::engine::medusa::MedusaOptions).
    #[must_use]
    pub fn options(mut self, options: impl Into<Options>) -> Self {
        self.options = options.into();
        self
    }

    /// Says whose store it is.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Adds a label; a later value of the same key replaces an earlier one.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Makes repetitions of this request safe: however often it is sent with this key, one store is made.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}
