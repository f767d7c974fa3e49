//! Secrets: a string that does not show itself, and where new ones come from.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;

/// A secret text. Neither `Debug` nor `Display` nor serde shows it; [`SecretString::reveal`] is the only way to it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretString(String);

impl SecretString {
    /// Takes a secret in.
    pub fn new(secret: impl Into<String>) -> Self {
        SecretString(secret.into())
    }

    /// The secret itself. Never pass it to a log, an error or a command line.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString(redacted)")
    }
}

/// Where new secrets come from, so that rendering itself stays pure.
pub trait SecretSource: Send + Sync {
    /// A new secret of `length` characters out of `[A-Za-z0-9]`, safe in URLs, shells and YAML.
    ///
    /// # Errors
    /// When the source has no randomness to give.
    fn password(&self, length: usize) -> Result<SecretString, NoRandomness>;
}

/// The operating system's random generator failed.
#[derive(Debug, thiserror::Error)]
#[error("the operating system's random generator failed: {0}")]
pub struct NoRandomness(String);

/// Draws from the operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsSecrets;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl SecretSource for OsSecrets {
    fn password(&self, length: usize) -> Result<SecretString, NoRandomness> {
        let mut secret = String::with_capacity(length);
        let mut bytes = [0_u8; 64];
        while secret.len() < length {
            SysRng.try_fill_bytes(&mut bytes).map_err(|e| NoRandomness(e.to_string()))?;
            // 248 is the largest multiple of 62 in a byte: what lies above it would favour the first letters.
            let drawn = bytes.iter().filter(|b| **b < 248).filter_map(|b| ALPHABET.get(usize::from(*b % 62)));
            secret.extend(drawn.take(length - secret.len()).map(|b| char::from(*b)));
        }
        Ok(SecretString(secret))
    }
}

/// Gives the text `REDACTED` for every secret: for manifests that are only shown or compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct RedactedSecrets;

impl RedactedSecrets {
    /// What stands in place of every secret.
    pub const TEXT: &'static str = "REDACTED";
}

impl SecretSource for RedactedSecrets {
    fn password(&self, _length: usize) -> Result<SecretString, NoRandomness> {
        Ok(SecretString::new(Self::TEXT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_the_asked_length_and_alphabet_and_differ() {
        for length in [0, 1, 20, 32, 64, 200] {
            let secret = OsSecrets.password(length).unwrap();
            assert_eq!(secret.reveal().len(), length);
            assert!(secret.reveal().bytes().all(|b| b.is_ascii_alphanumeric()));
        }
        let drawn: std::collections::HashSet<_> =
            (0..1000).map(|_| OsSecrets.password(20).unwrap().reveal().to_owned()).collect();
        assert_eq!(drawn.len(), 1000);
    }

    #[test]
    fn every_character_is_drawn_about_equally_often() {
        let text = OsSecrets.password(62_000).unwrap();
        for letter in ALPHABET {
            let count = text.reveal().bytes().filter(|b| b == letter).count();
            assert!((800..1200).contains(&count), "{} was drawn {count} times of 1000", char::from(*letter));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretString::new("hunter2")), "SecretString(redacted)");
    }
}
