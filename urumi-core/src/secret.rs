//! Secret texts, and the sources of new ones.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

/// A secret text. `Debug` prints a placeholder; there is no `Display` and no serialisation. The memory is overwritten when
/// the value is dropped, and a comparison takes the same time wherever the texts differ.
#[derive(Clone)]
pub struct SecretString(secrecy::SecretString);

impl SecretString {
    /// Protects a text.
    pub fn new(secret: impl Into<String>) -> Self {
        SecretString(secret.into().into())
    }

    /// The text. Never pass it to a log, an error or a command line.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for SecretString {
    fn eq(&self, other: &Self) -> bool {
        self.reveal().as_bytes().ct_eq(other.reveal().as_bytes()).into()
    }
}

impl Eq for SecretString {}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString(redacted)")
    }
}

/// A source of new secrets. Rendering takes one as an argument and stays pure.
pub trait SecretSource: Send + Sync {
    /// A new secret of `length` characters from `[A-Za-z0-9]`, which is safe in URLs, shells and YAML.
    ///
    /// # Errors
    /// When the source of randomness fails.
    fn password(&self, length: usize) -> Result<SecretString, NoRandomness>;
}

/// The operating system's random generator failed.
#[derive(Debug, thiserror::Error)]
#[error("the operating system's random generator failed: {0}")]
pub struct NoRandomness(String);

/// Generates secrets with the operating system's random generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsSecrets;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl SecretSource for OsSecrets {
    fn password(&self, length: usize) -> Result<SecretString, NoRandomness> {
        let mut secret = String::with_capacity(length);
        let mut bytes = [0_u8; 64];
        while secret.len() < length {
            SysRng.try_fill_bytes(&mut bytes).map_err(|e| NoRandomness(e.to_string()))?;
            // 248 is the largest multiple of 62 in a byte: higher values would make the first letters more frequent.
            let drawn = bytes.iter().filter(|b| **b < 248).filter_map(|b| ALPHABET.get(usize::from(*b % 62)));
            secret.extend(drawn.take(length - secret.len()).map(|b| char::from(*b)));
        }
        Ok(SecretString::new(secret))
    }
}

/// Returns the text `REDACTED` for every secret: for manifests that are only shown or compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct RedactedSecrets;

impl RedactedSecrets {
    /// The placeholder.
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
    fn equal_texts_are_equal() {
        assert_eq!(SecretString::new("hunter2"), SecretString::new("hunter2"));
        for other in ["hunter3", "hunter", "hunter22", ""] {
            assert_ne!(SecretString::new("hunter2"), SecretString::new(other));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretString::new("hunter2")), "SecretString(redacted)");
    }
}
