//! Fetches and caches the issuer's keys, and verifies signatures with them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::super::error::AuthError;
use super::client::Client;
use super::jwt::{Algorithm, Header, Jwt, decode};

/// The maximum number of keys of an issuer.
const MOST_KEYS: usize = 100;

/// A public key of the issuer.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    /// The only algorithm of this key, if the issuer names one.
    alg: Option<String>,
    material: Material,
}

enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Material::Rsa { .. } => "RSA",
            Material::P256(_) => "P-256",
            Material::P384(_) => "P-384",
            Material::Ed25519(_) => "Ed25519",
        })
    }
}

/// The part of RFC 7517 about public keys for signatures.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Key {
    /// Parses a key; `None` for a key with another use, of an unknown kind, or malformed. Such keys are skipped.
    fn read(jwk: &Value) -> Option<Self> {
        let jwk = Jwk::deserialize(jwk).ok()?;
        if jwk.r#use.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |field: &Option<String>| decode(field.as_deref()?);
        let point = |length: usize| {
            let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
            // The uncompressed form of SEC 1.
            (x.len() == length && y.len() == length).then(|| [&[4], x.as_slice(), y.as_slice()].concat())
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                // Some issuers add a leading zero, which ring refuses.
                let mut n = bytes(&jwk.n)?;
                let zeros = n.iter().take_while(|byte| **byte == 0).count();
                n.drain(..zeros);
                Material::Rsa { n, e: bytes(&jwk.e)? }
            }
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(&jwk.x)?),
            _ => return None,
        };
        Some(Key { id: jwk.kid, alg: jwk.alg, material })
    }

    /// Whether the key fits the algorithm. The kind of the key decides, never the token alone.
    fn is_for(&self, alg: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let kind = match alg {
            RS256 | RS384 | RS512 | PS256 | PS384 | PS512 => matches!(self.material, Material::Rsa { .. }),
            ES256 => matches!(self.material, Material::P256(_)),
            ES384 => matches!(self.material, Material::P384(_)),
            EdDSA => matches!(self.material, Material::Ed25519(_)),
        };
        // `Ed25519` is the new name of `EdDSA` (RFC 9864).
        let named = |name: &str| name == format!("{alg:?}") || (alg == EdDSA && name == "Ed25519");
        kind && self.alg.as_deref().is_none_or(named)
    }

    /// Whether the token's signature was made with this key.
    pub(super) fn verifies(&self, alg: Algorithm, jwt: &Jwt<'_>) -> bool {
        let (message, signature) = (jwt.message.as_bytes(), jwt.signature.as_slice());
        let plain = |alg: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(alg, key).verify(message, signature).is_ok()
        };
        match (&self.material, alg) {
            (Material::P256(key), Algorithm::ES256) => plain(&signature::ECDSA_P256_SHA256_FIXED, key),
            (Material::P384(key), Algorithm::ES384) => plain(&signature::ECDSA_P384_SHA384_FIXED, key),
            (Material::Ed25519(key), Algorithm::EdDSA) => plain(&signature::ED25519, key),
            (Material::Rsa { n, e }, alg) => {
                rsa(alg).is_some_and(|alg| RsaPublicKeyComponents { n, e }.verify(alg, message, signature).is_ok())
            }
            _ => false,
        }
    }
}

/// RSA keys need at least 2048 bits.
fn rsa(alg: Algorithm) -> Option<&'static RsaParameters> {
    match alg {
        Algorithm::RS256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

/// Parses a JWKS.
fn read_set(set: &Value) -> Option<Vec<Arc<Key>>> {
    let keys = set.get("keys")?.as_array()?;
    Some(keys.iter().filter_map(Key::read).take(MOST_KEYS).map(Arc::new).collect())
}

#[derive(Clone, Copy)]
pub(super) struct Timing {
    pub(super) refresh: Duration,
    pub(super) keep: Duration,
    pub(super) gap: Duration,
}

/// The keys of one fetch.
struct Known {
    keys: Vec<Arc<Key>>,
    at: Instant,
}

impl Known {
    /// The key for a token. A token without a key id can only use an only key.
    fn find(&self, header: &Header) -> Option<Arc<Key>> {
        let mut fit = self.keys.iter().filter(|key| key.is_for(header.alg));
        match &header.kid {
            Some(kid) => fit.find(|key| key.id.as_ref() == Some(kid)).cloned(),
            None => match (fit.next(), fit.next()) {
                (Some(only), None) => Some(only.clone()),
                _ => None,
            },
        }
    }
}

/// The last fetch.
#[derive(Default)]
struct Attempt {
    at: Option<Instant>,
    failed: bool,
}

/// The issuer's keys, fetched on demand.
pub(super) struct Keyring {
    client: Client,
    timing: Timing,
    known: ArcSwapOption<Known>,
    /// Held during a fetch: concurrent requests wait for its result instead of fetching themselves.
    attempt: Mutex<Attempt>,
}

impl Keyring {
    pub(super) fn new(client: Client, timing: Timing) -> Self {
        Keyring { client, timing, known: ArcSwapOption::empty(), attempt: Mutex::default() }
    }

    /// Whether the cached keys are still valid.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh().is_some()
    }

    fn fresh(&self) -> Option<Arc<Known>> {
        self.known.load_full().filter(|known| known.at.elapsed() <= self.timing.keep)
    }

    /// The key that a token names.
    pub(super) async fn find(&self, header: &Header) -> Result<Arc<Key>, AuthError> {
        let known = || self.fresh().and_then(|known| known.find(header));
        if let Some(key) = known() {
            return Ok(key);
        }
        let mut attempt = self.attempt.lock().await;
        if let Some(key) = known() {
            return Ok(key);
        }
        if attempt.at.is_none_or(|at| at.elapsed() >= self.timing.gap) {
            self.fetch(&mut attempt).await;
            if let Some(key) = known() {
                return Ok(key);
            }
        }
        if attempt.failed || !self.is_fresh() {
            return Err(AuthError::Unavailable("the issuer of the token does not answer".to_owned()));
        }
        Err(AuthError::Invalid("it is signed with a key that its issuer does not publish".to_owned()))
    }

    /// Refreshes the keys forever.
    pub(super) async fn keep_fresh(&self) {
        let mut failures = 0_u32;
        loop {
            let failed = {
                let mut attempt = self.attempt.lock().await;
                self.fetch(&mut attempt).await;
                attempt.failed
            };
            failures = if failed { failures.saturating_add(1) } else { 0 };
            let pause = match failures {
                0 => self.timing.refresh,
                n => self.timing.gap.saturating_mul(2_u32.saturating_pow(n - 1)).min(self.timing.refresh),
            };
            // No busy loop, whatever the options.
            sleep(pause.max(Duration::from_millis(10))).await;
        }
    }

    async fn fetch(&self, attempt: &mut Attempt) {
        // Recorded before the fetch: a caller that disconnects during it must not make the next fetch unlimited.
        *attempt = Attempt { at: Some(Instant::now()), failed: true };
        match self
            .client
            .keys()
            .await
            .and_then(|set| read_set(&set).ok_or_else(|| "the answer is not a key set".to_owned()))
        {
            Ok(keys) => {
                attempt.failed = false;
                tracing::debug!(issuer = self.client.issuer(), keys = keys.len(), "the issuer's keys were fetched");
                self.known.store(Some(Arc::new(Known { keys, at: Instant::now() })));
            }
            Err(error) => {
                let known = if self.is_fresh() { "the cached keys stay valid" } else { "no keys are cached" };
                tracing::warn!(issuer = self.client.issuer(), error, known, "cannot fetch the issuer's keys");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(jwk: Value) -> Option<Key> {
        Key::read(&jwk)
    }

    #[test]
    fn keys_that_are_not_for_signatures_are_left_out() {
        let (x, y) = ("A".repeat(43), "A".repeat(43));
        let good = json!({"kty": "EC", "crv": "P-256", "kid": "1", "x": x, "y": y});
        assert!(key(good.clone()).unwrap().is_for(Algorithm::ES256));
        let with = |name: &str, value: Value| {
            let mut jwk = good.clone();
            jwk[name] = value;
            key(jwk)
        };
        assert!(with("use", json!("enc")).is_none());
        assert!(with("crv", json!("secp256k1")).is_none());
        assert!(with("x", json!("AAAA")).is_none());
        assert!(with("x", json!("!")).is_none());
        assert!(with("kty", json!("oct")).is_none(), "a shared secret is no key of ours");
        assert!(!with("alg", json!("ES384")).unwrap().is_for(Algorithm::ES256));
        let set = json!({"keys": [good, {"kty": "oct", "k": "AAAA"}, 7, {"kty": "EC"}, null]});
        assert_eq!(read_set(&set).unwrap().len(), 1);
        assert!(read_set(&json!({})).is_none() && read_set(&json!({"keys": {}})).is_none());
    }

    #[test]
    fn a_key_is_for_the_algorithms_of_its_kind_only() {
        let rsa = key(json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"})).unwrap();
        let ed = key(json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "alg": "Ed25519"})).unwrap();
        assert!(rsa.is_for(Algorithm::RS256) && rsa.is_for(Algorithm::PS512) && !rsa.is_for(Algorithm::ES256));
        assert!(ed.is_for(Algorithm::EdDSA) && !ed.is_for(Algorithm::RS256));
        let jwt = Jwt::read("e30.e30.AAAA").unwrap();
        for alg in [Algorithm::RS256, Algorithm::PS384, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
            assert!(!rsa.verifies(alg, &jwt) && !ed.verifies(alg, &jwt), "{alg:?}");
        }
    }

    #[test]
    fn a_token_that_names_no_key_means_the_only_one() {
        let ed = |id: &str| Arc::new(key(json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": id})).unwrap());
        let find = |keys: &[&str], kid: Option<&str>| {
            let known = Known { keys: keys.iter().map(|id| ed(id)).collect(), at: Instant::now() };
            let found = known.find(&Header { alg: Algorithm::EdDSA, kid: kid.map(str::to_owned) });
            found.and_then(|key| key.id.clone())
        };
        assert_eq!(find(&["a"], None).as_deref(), Some("a"));
        assert_eq!(find(&["a", "b"], None), None);
        assert_eq!(find(&["a", "b"], Some("b")).as_deref(), Some("b"));
        assert_eq!(find(&["a"], Some("b")), None);
    }
}
