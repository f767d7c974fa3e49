//! Tokens of an OpenID Connect issuer: signed JWTs, verified with the keys that the issuer publishes.
//!
//! - Only asymmetric algorithms are accepted (RS*, PS*, ES256, ES384, EdDSA), each only with keys of its own kind. Tokens
//!   with `none`, or with an HMAC whose secret is a public key, are refused.
//! - `iss`, `aud` and `exp` are required and checked; `nbf` is checked if present, within [`LEEWAY`].
//! - Keys are fetched when a token first needs them, in the background before they expire, and when a token names an
//!   unknown key. Fetches of the last kind are rate limited, so that clients cannot make this server flood the issuer.

mod claims;
mod client;
mod jwt;
mod keys;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use urumi_core::secret::SecretString;

use self::claims::Claims;
use self::client::Client;
use self::jwt::Jwt;
use self::keys::{Keyring, Timing};
use super::bindings::Bindings;
use super::cache::{Cache, Verdict, fingerprint};
use super::chain::Authenticator;
use super::error::AuthError;
use super::principal::Method;

/// The tolerated clock difference between the issuer and this server.
pub const LEEWAY: Duration = Duration::from_secs(60);
/// How long the verdict on a valid token is cached, at most until the token expires.
const KEEP: Duration = Duration::from_secs(300);
/// How long the verdict on an invalid token is cached.
const KEEP_REFUSED: Duration = Duration::from_secs(5);

/// The trusted issuer, and how to read its tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OidcOptions {
    /// The URL of the issuer, exactly as in `iss` of its tokens. `https`, except on loopback.
    pub issuer: String,
    /// The accepted audiences: `aud` must contain one of them.
    pub audiences: Vec<String>,
    /// The claim with the subject; `sub` by default. `email` is accepted only with `email_verified`.
    pub subject_claim: String,
    /// The claim with the teams; `groups` by default. A value that begins with `/` is a JSON pointer, e.g.
    /// `/realm_access/roles`.
    pub teams_claim: String,
    /// The role bindings.
    pub bindings: Bindings,
    /// A PEM file of certificate authorities for the issuer, in addition to the system's.
    pub ca: Option<PathBuf>,
    /// How often the keys are refreshed in the background; 15 minutes by default.
    pub refresh: Duration,
    /// How long the keys stay valid while the issuer does not answer; 6 hours by default.
    pub keep: Duration,
    /// The minimum time between two fetches that tokens cause; 10 seconds by default.
    pub gap: Duration,
}

impl OidcOptions {
    /// Accepts tokens of this issuer for this audience.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        OidcOptions {
            issuer: issuer.into(),
            audiences: vec![audience.into()],
            subject_claim: "sub".to_owned(),
            teams_claim: "groups".to_owned(),
            bindings: Bindings::default(),
            ca: None,
            refresh: Duration::from_secs(15 * 60),
            keep: Duration::from_secs(6 * 3600),
            gap: Duration::from_secs(10),
        }
    }

    /// Sets the role bindings.
    #[must_use]
    pub fn bindings(mut self, bindings: Bindings) -> Self {
        self.bindings = bindings;
        self
    }
}

/// Invalid options.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// The URL of the issuer is invalid.
    #[error("the issuer {issuer:?} {why}")]
    Issuer {
        /// The given value.
        issuer: String,
        /// The error.
        why: String,
    },
    /// No audience is given.
    #[error("set an audience: without one, tokens that the issuer made for other applications would be accepted")]
    NoAudience,
    /// The file of certificate authorities is invalid.
    #[error("cannot use the certificate authorities in {}: {why}", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS for the issuer: {0}")]
    Tls(String),
}

/// Authenticates the tokens of one issuer.
pub struct Oidc {
    issuer: String,
    claims: Claims,
    keyring: Keyring,
    cache: Cache,
}

impl Oidc {
    /// Sets up the client; sends no request yet.
    ///
    /// # Errors
    /// If the options are invalid.
    pub fn new(options: OidcOptions) -> Result<Self, OidcError> {
        if options.audiences.is_empty() {
            return Err(OidcError::NoAudience);
        }
        let client = Client::new(&options)?;
        let timing = Timing { refresh: options.refresh, keep: options.keep, gap: options.gap };
        Ok(Oidc {
            issuer: options.issuer.clone(),
            claims: Claims::new(options),
            keyring: Keyring::new(client, timing),
            cache: Cache::new(),
        })
    }

    /// Refreshes the keys in the background until `stop` is cancelled. Without it, keys are fetched when a token needs
    /// them.
    pub async fn run(&self, stop: CancellationToken) {
        let _ = stop.run_until_cancelled(self.keyring.keep_fresh()).await;
    }

    /// The verdict on a token, and how long it may be cached.
    async fn judge(&self, jwt: &Jwt<'_>) -> (Verdict, Duration) {
        let refused = |error: AuthError| (Err(error), KEEP_REFUSED);
        let header = match jwt.header() {
            Ok(header) => header,
            Err(error) => return refused(error),
        };
        // A token with an unknown key is not cached: the issuer may be publishing the key just now.
        let key = match self.keyring.find(&header).await {
            Ok(key) => key,
            Err(error) => return (Err(error), Duration::ZERO),
        };
        if !key.verifies(header.alg, jwt) {
            return refused(AuthError::Invalid("its signature is wrong".to_owned()));
        }
        let now = Timestamp::now().as_second();
        match self.claims.bearer(&jwt.claims, now) {
            Ok(bearer) => {
                let verdict = self.claims.bindings().principal(bearer.subject, bearer.teams, Method::Oidc);
                (verdict.map(Some), bearer.remaining.min(KEEP))
            }
            Err(error) => refused(error),
        }
    }
}

#[async_trait]
impl Authenticator for Oidc {
    /// Claims every JWT whose `iss` is this issuer.
    async fn authenticate(&self, token: &SecretString) -> Verdict {
        let mark = fingerprint(token);
        if let Some(verdict) = self.cache.get(&mark) {
            return verdict;
        }
        let Some(jwt) = Jwt::read(token.reveal()).filter(|jwt| jwt.issuer() == Some(&self.issuer)) else {
            return Ok(None);
        };
        let (verdict, keep) = self.judge(&jwt).await;
        self.cache.put(mark, &verdict, keep);
        verdict
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Oidc");
        f.field("issuer", &self.issuer).field("claims", &self.claims).field("cache", &self.cache);
        f.finish_non_exhaustive()
    }
}
