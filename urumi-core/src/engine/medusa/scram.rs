//! What PostgreSQL keeps of a password: a SCRAM-SHA-256 verifier (RFC 5803), from which nobody can tell the password.
//!
//! A role that is made with it never has its password in a statement, where a server's log might keep it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::secret::SecretString;

/// PostgreSQL's own number.
const ITERATIONS: u32 = 4096;

/// The verifier of a password of ASCII letters and digits, which need no normalising.
pub(super) fn verifier(password: &SecretString, salt: &SecretString) -> SecretString {
    let salt = salt.reveal().as_bytes();
    let salted = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.reveal().as_bytes(), salt, ITERATIONS);
    let stored = Sha256::digest(keyed(&salted, b"Client Key"));
    let server = keyed(&salted, b"Server Key");
    SecretString::new(format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        BASE64.encode(salt),
        BASE64.encode(stored),
        BASE64.encode(server)
    ))
}

fn keyed(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    // A key may have any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PostgreSQL 15 lets a role in that was made with this verifier and comes with this password.
    #[test]
    fn it_is_what_postgresql_makes() {
        let verifier = verifier(&SecretString::new("pencil"), &SecretString::new("0123456789abcdef"));
        assert_eq!(
            verifier.reveal(),
            "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$nQpbZ77WudtqufPwikHXGRt6g2QJ4zns8bZLw273DRM=:\
             jn2amWP1q1h+jgjy0YTO14S6/F02SV7taipOeB7ef20="
        );
    }
}
