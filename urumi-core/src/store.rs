//! What a store is: its id, name, spec and state, as plain data.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::field::FieldError;
use crate::idempotency::Idempotency;
use crate::status::{Condition, StoreStatus};

/// What every store's namespace begins with.
pub const NAMESPACE_PREFIX: &str = "store-";

/// A store's identity: 1 to 50 characters of `[a-z0-9-]`, beginning and ending with a letter or digit.
///
/// It is part of the store's namespace (`store-<id>`) and of its host names, so it is a valid DNS label in all of
/// them. A random one has 12 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
#[serde(transparent)]
pub struct StoreId(String);

impl StoreId {
    /// The most characters an id may have, so that `store-<id>` and every name made from it fits a DNS label.
    pub const MAX_LENGTH: usize = 50;

    /// Draws a new id: 12 characters that carry 62 random bits of a version 4 UUID.
    pub fn random() -> Self {
        // The low 62 bits of a version 4 UUID are random; its version and variant lie above them.
        Self::from_bits(Uuid::new_v4().as_u64_pair().1)
    }

    /// The id of 12 characters that carries the low 62 bits.
    pub(crate) fn from_bits(bits: u64) -> Self {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut bits = bits & ((1 << 62) - 1);
        let mut id = String::with_capacity(12);
        for _ in 0..12 {
            let digit = DIGITS.get((bits % 36) as usize).copied().unwrap_or(b'0');
            id.push(char::from(digit));
            bits /= 36;
        }
        StoreId(id)
    }

    /// Takes a given id.
    ///
    /// # Errors
    /// When it is empty, too long, or has a character that a DNS label may not have.
    pub fn parse(id: &str) -> Result<Self, FieldError> {
        let bad = |message: String| Err(FieldError::new("id", message));
        if id.is_empty() {
            return bad("must not be empty".into());
        }
        if id.len() > Self::MAX_LENGTH {
            return bad(format!("has {} characters, at most {} are allowed", id.len(), Self::MAX_LENGTH));
        }
        if let Some(c) = id.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
            return bad(format!("contains {c:?}; only lower-case letters a-z, digits and '-' are allowed"));
        }
        if id.starts_with('-') || id.ends_with('-') {
            return bad("must begin and end with a letter or digit".into());
        }
        Ok(StoreId(id.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the store's namespace, `store-<id>`.
    pub fn namespace(&self) -> String {
        format!("{NAMESPACE_PREFIX}{}", self.0)
    }

    /// The id whose namespace has this name, if it can be one.
    pub fn from_namespace(namespace: &str) -> Option<Self> {
        StoreId::parse(namespace.strip_prefix(NAMESPACE_PREFIX)?).ok()
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StoreId {
    type Err = FieldError;
    fn from_str(s: &str) -> Result<Self, FieldError> {
        StoreId::parse(s)
    }
}

impl<'de> Deserialize<'de> for StoreId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        StoreId::parse(&id).map_err(serde::de::Error::custom)
    }
}

/// A store's display name: 1 to 100 characters, nothing invisible, no white space at either end.
///
/// It is shown to people and never becomes part of a Kubernetes name, a label or a selector; quotes and emoji are
/// fine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct StoreName(String);

impl StoreName {
    /// The most characters (Unicode scalar values) a name may have.
    pub const MAX_CHARS: usize = 100;

    /// Takes a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has control or text-direction characters.
    pub fn parse(name: &str) -> Result<Self, FieldError> {
        let bad = |message: String| Err(FieldError::new("name", message));
        if name.trim().is_empty() {
            return bad("must not be empty".into());
        }
        if name.trim() != name {
            return bad("must not begin or end with white space".into());
        }
        let chars = name.chars().count();
        if chars > Self::MAX_CHARS {
            return bad(format!("has {chars} characters, at most {} are allowed", Self::MAX_CHARS));
        }
        if let Some(c) = name.chars().find(|c| is_invisible(*c)) {
            return bad(format!("contains the character U+{:04X}, which cannot be shown", u32::from(c)));
        }
        Ok(StoreName(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks whose store it is said to be.
///
/// # Errors
/// When it is empty, longer than 300 bytes, or not one visible line.
pub(crate) fn check_owner(owner: &str) -> Result<(), FieldError> {
    const MAX_BYTES: usize = 300;
    let bad = |message: String| Err(FieldError::new("owner", message));
    if owner.is_empty() {
        return bad("must not be empty".into());
    }
    if owner.len() > MAX_BYTES {
        return bad(format!("has {} bytes, at most {MAX_BYTES} are allowed", owner.len()));
    }
    if owner.trim() != owner {
        return bad("must not begin or end with white space".into());
    }
    match owner.chars().find(|c| is_invisible(*c)) {
        Some(c) => bad(format!("contains the character U+{:04X}, which cannot be shown", u32::from(c))),
        None => Ok(()),
    }
}

/// Control characters, line separators and those that change the direction of the text around them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for StoreName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        StoreName::parse(&name).map_err(serde::de::Error::custom)
    }
}

/// An engine's options as JSON: keys and shapes are the engine's own.
pub type Options = Map<String, Value>;

/// A request for a new store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
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
    /// The id to use, 1 to 50 characters of `[a-z0-9-]`; drawn at random where there is none.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    )]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Options for the engine; what is left out takes the engine's defaults.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub options: Options,
    /// Whose store it is, e.g. `user:alice` or `team:web`: up to 300 bytes. urumi keeps it and shows it;
    /// what it permits is up to the frontend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 300, example = "team:web"))]
    pub owner: Option<String>,
    /// A key by which a repetition of this request is known: see [`idempotency`](crate::idempotency).
    #[serde(skip)]
    pub idempotency_key: Option<String>,
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
            idempotency_key: None,
        }
    }

    /// Asks for a certain id.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the engine's options.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Says whose store it is.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Makes repetitions of this request safe: however often it is sent with this key, one store is made.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// All that is needed to make a store, or to finish or repair it after a crash. Kept on the store's namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreSpec {
    /// The store's id.
    pub id: StoreId,
    /// The display name.
    pub name: StoreName,
    /// The engine's name.
    pub engine: String,
    /// The engine's options as it resolved them: complete, so that a later change of defaults changes no store.
    pub options: Options,
}

impl StoreSpec {
    /// The name of the store's namespace.
    pub fn namespace(&self) -> String {
        self.id.namespace()
    }
}

/// Where a store is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreUrls {
    /// The shop, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storefront: Option<String>,
    /// The commerce API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// A store as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
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
    /// Each aspect of its state.
    pub conditions: Vec<Condition>,
    /// Changes whenever anything of this changes; equal versions mean the same state. Its namespace's
    /// `resourceVersion`.
    pub resource_version: String,
    /// The request that made it, where that came with a key. Never shown.
    #[serde(skip)]
    pub made_by: Option<Idempotency>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn random_ids_are_valid_and_differ() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| StoreId::random()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in &ids {
            assert_eq!(id.as_str().len(), 12);
            assert_eq!(StoreId::parse(id.as_str()).as_ref(), Ok(id));
            assert_eq!(StoreId::from_namespace(&id.namespace()).as_ref(), Some(id));
        }
    }

    proptest! {
        #[test]
        fn an_accepted_id_makes_a_dns_label(id in "\\PC{0,70}") {
            if let Ok(id) = StoreId::parse(&id) {
                let namespace = id.namespace();
                prop_assert!(namespace.len() <= 63);
                prop_assert!(namespace.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
                prop_assert!(!namespace.ends_with('-'));
            }
        }

        #[test]
        fn an_accepted_name_is_one_visible_line(name in any::<String>()) {
            if let Ok(name) = StoreName::parse(&name) {
                prop_assert!(!name.as_str().chars().any(char::is_control));
                prop_assert!(name.as_str().chars().count() <= StoreName::MAX_CHARS);
            }
        }
    }
}
