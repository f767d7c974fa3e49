//! Idempotency keys: however often a creation is repeated with one key, one store is made.
//!
//! Nothing is stored besides the stores themselves. The id of a store is derived from the owner and the key, so the API
//! server's refusal of a second namespace of that name is the lock, across processes, replicas and restarts. The
//! namespace's record has hashes of the key and of the request. They distinguish a repetition from another request with
//! the same key. A key stands for its store for [`LIFETIME`], as long as the store exists; used again later, it creates
//! another store.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::field::FieldError;
use super::id::StoreId;
use super::request::CreateStore;

/// How long a key stands for its store.
pub const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The most characters a key may have.
pub const MAX_KEY: usize = 255;

/// How many hexadecimal digits of a hash a label has: 128 bits.
const LABEL_HASH: usize = 32;

/// The hashes in a store's record of the request that created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// The hash of owner and key.
    key: String,
    /// The hash of the request.
    request: String,
    /// The number of the store among those that the key has created.
    #[serde(default, skip_serializing_if = "is_first")]
    pub(crate) generation: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(generation: &u32) -> bool {
    *generation == 0
}

/// How the request that created a store relates to another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repetition {
    /// The requests have different keys, or the key no longer stands for the store.
    None,
    /// The requests are the same.
    Same,
    /// The requests differ and have the same key.
    Different,
}

impl Idempotency {
    /// The hashes of a request; `None` if it has no key.
    pub fn of(request: &CreateStore) -> Option<Self> {
        let key = request.idempotency_key.as_deref()?;
        // The key is not part of the JSON, and the order of fields in a body does not count.
        let mut body = serde_json::to_value(request).unwrap_or_default();
        body.sort_all_objects();
        Some(Idempotency {
            key: hash(&["key", request.owner.as_deref().unwrap_or_default(), key]),
            request: hash(&["request", &body.to_string()]),
            generation: 0,
        })
    }

    /// Whether a store that was made by `self`, at `made`, was made by the request `other`.
    pub fn repeated_by(&self, other: &Idempotency, made: Timestamp, now: Timestamp) -> Repetition {
        let age = Duration::try_from(now.duration_since(made)).unwrap_or_default();
        if self.key != other.key || age >= LIFETIME {
            Repetition::None
        } else if self.request == other.request {
            Repetition::Same
        } else {
            Repetition::Different
        }
    }

    /// Whether both have the same owner and key.
    pub(crate) fn has_key_of(&self, other: &Idempotency) -> bool {
        self.key == other.key
    }

    /// The beginning of the key's hash, short enough for a label.
    pub(crate) fn key_label(&self) -> &str {
        self.key.get(..LABEL_HASH).unwrap_or_default()
    }

    /// The id of the store of this generation. Each generation is created when the key no longer stands for the store of
    /// the one before.
    pub fn store_id(&self) -> StoreId {
        let digest = Sha256::digest(format!("{}/{}", self.key, self.generation));
        let bits = digest.iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        StoreId::from_bits(bits)
    }
}

/// Checks a key: 1 to 255 visible ASCII characters, spaces among them allowed.
///
/// # Errors
/// When it is anything else.
pub fn check_key(key: &str) -> Result<(), FieldError> {
    let bad = |message: &str| Err(FieldError::new("Idempotency-Key", message));
    if key.is_empty() || key.len() > MAX_KEY {
        return bad("must have 1 to 255 characters");
    }
    if !key.bytes().all(|b| matches!(b, b' '..=b'~')) || key.trim() != key {
        return bad("must be visible ASCII characters, without spaces at either end");
    }
    Ok(())
}

/// The hash of an owner, short enough for a label.
pub(crate) fn owner_label(owner: &str) -> String {
    hash(&["owner", owner]).chars().take(LABEL_HASH).collect()
}

/// Each part is preceded by its length, so that no two lists of parts look the same.
fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    base16ct::lower::encode_string(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> CreateStore {
        CreateStore::new("Shop", "medusa").owner("user:a").idempotency_key("k")
    }

    #[test]
    fn owner_and_key_make_the_id_and_the_body_the_fingerprint() {
        let one = Idempotency::of(&request()).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(one.repeated_by(&Idempotency::of(&request()).unwrap(), now, now), Repetition::Same);
        assert_eq!(one.store_id(), Idempotency::of(&request()).unwrap().store_id());
        assert_ne!(one.store_id(), Idempotency { generation: 1, ..one.clone() }.store_id());

        let renamed = CreateStore { name: "Other".into(), ..request() };
        let renamed = Idempotency::of(&renamed).unwrap();
        assert_eq!(one.repeated_by(&renamed, now, now), Repetition::Different);
        assert_eq!(one.store_id(), renamed.store_id());

        for other in [request().owner("user:b"), request().idempotency_key("l"), request().owner("user:ak")] {
            let other = Idempotency::of(&other).unwrap();
            assert_eq!(one.repeated_by(&other, now, now), Repetition::None);
            assert_ne!(one.store_id(), other.store_id());
        }
        assert_eq!(Idempotency::of(&CreateStore::new("Shop", "medusa")), None);
    }

    #[test]
    fn a_key_is_forgotten_after_a_day() {
        let key = Idempotency::of(&request()).unwrap();
        let made = Timestamp::UNIX_EPOCH;
        let after = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        assert_eq!(key.repeated_by(&key, made, after(86_399)), Repetition::Same);
        assert_eq!(key.repeated_by(&key, made, after(86_400)), Repetition::None);
        // The API server's clock may be ahead of ours.
        assert_eq!(key.repeated_by(&key, after(60), made), Repetition::Same);
    }

    #[test]
    fn keys() {
        for key in ["a", "8e03978e-40d5-43dd-bc93-6894a57f9324", &"x".repeat(255), "two words", "\"quoted\""] {
            assert_eq!(check_key(key), Ok(()), "{key}");
        }
        for key in ["", " a", "a ", "ü", "a\nb", "\u{7f}", &"x".repeat(256)] {
            assert!(check_key(key).is_err(), "{key:?} is accepted");
        }
    }
}
