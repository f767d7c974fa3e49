//! A store's id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::field::FieldError;

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

    /// Generates a new id: 12 characters that carry 62 random bits of a version 4 UUID.
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
    }
}
