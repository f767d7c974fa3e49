//! The format of the server's own tokens: `urumi_`, 43 random characters, a checksum of 6 characters.
//!
//! The prefix lets scanners find tokens in repositories, and the checksum excludes false matches. Scanners search for
//! `\burumi_[0-9A-Za-z]{49}\b`; the checksum is the CRC-32 (as in gzip) of the 43 characters in base 62 (digits, upper case,
//! lower case), with leading zeros.

use urumi_core::secret::{NoRandomness, OsSecrets, SecretSource, SecretString};

/// The prefix of the server's own tokens.
pub const PREFIX: &str = "urumi_";
/// 43 characters of 62 carry 256 bits.
const RANDOM: usize = 43;
const CHECKSUM: usize = 6;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Generates a token.
///
/// # Errors
/// If the operating system provides no randomness.
pub fn new_token() -> Result<SecretString, NoRandomness> {
    let random = OsSecrets.password(RANDOM)?;
    let random = random.reveal();
    Ok(SecretString::new(format!("{PREFIX}{random}{}", checksum(random))))
}

/// Whether a text has the format of a token and the right checksum. This needs no secret.
pub fn is_well_formed(text: &str) -> bool {
    let Some(body) = text.strip_prefix(PREFIX) else { return false };
    if body.len() != RANDOM + CHECKSUM || !body.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    body.split_at_checked(RANDOM).is_some_and(|(random, sum)| checksum(random) == sum)
}

fn checksum(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// CRC-32 as in gzip, bit by bit: fast enough for 43 characters.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn new_tokens_are_well_formed_and_differ() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            let token = new_token().unwrap();
            assert!(is_well_formed(token.reveal()));
            assert_eq!(token.reveal().len(), PREFIX.len() + RANDOM + CHECKSUM);
            assert!(seen.insert(token.reveal().to_owned()));
        }
    }

    /// Must never change: scanners and existing tokens depend on it.
    #[test]
    fn the_checksum_is_what_the_documentation_says() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(checksum(&"a".repeat(RANDOM)).len(), CHECKSUM);
        assert_eq!(checksum("123456789"), "3jZRME");
    }

    #[test]
    fn every_slip_is_noticed() {
        let token = new_token().unwrap().reveal().to_owned();
        for cut in 0..token.len() {
            assert!(!is_well_formed(&token[..cut]), "{cut}");
        }
        for at in PREFIX.len()..token.len() {
            let mut slip = token.clone().into_bytes();
            slip[at] = if slip[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(std::str::from_utf8(&slip).unwrap()), "{at}");
        }
        assert!(!is_well_formed(&format!("{token}a")) && !is_well_formed(&format!(" {token}")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(urumi_)?\\PC{0,60}") {
            let _ = is_well_formed(&text);
        }
    }
}
