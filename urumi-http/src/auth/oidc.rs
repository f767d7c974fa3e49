//! Tokens of an OpenID Connect issuer: signed JWTs, verified here with the keys that the issuer publishes.
//!
//! - Only asymmetric algorithms count (RS*, PS*, ES256, ES384, EdDSA), each with keys of its own kind only: neither
//!   `none` nor an HMAC made with a public key passes.
//! - `iss`, `aud` and `exp` must be there and right, `nbf` right where it is there, within [`LEEWAY`].
//! - Keys are fetched when a token first needs them, in the background before they grow old, and when a token names one
//!   that is not known, but that seldom enough that nobody can make this server flood the issuer.

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

/// How far the issuer's clock and ours may be apart.
pub const LEEWAY: Duration = Duration::from_secs(60);
/// How long a verified token is not verified again, if it does not expire before.
const KEEP: Duration = Duration::from_secs(300);
/// How long a token that was found wrong is not looked at again.
const KEEP_REFUSED: Duration = Duration::from_secs(5);

/// Which issuer is trusted, and how its tokens are read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OidcOptions {
    /// The issuer's address, letter for letter as in its tokens' `iss`. `https`, except on loopback.
    pub issuer: String,
    /// Whom tokens must be meant for: one of these must be in `aud`.
    pub audiences: Vec<String>,
    /// The claim that names the bearer; `sub` by default. `email` counts only with `email_verified`.
    pub subject_claim: String,
    /// The claim that lists the bearer's teams; `groups` by default. One that begins with `/` is a JSON pointer, e.g.
    /// `/realm_access/roles`.
    pub teams_claim: String,
    /// What people may do.
    pub bindings: Bindings,
    /// A PEM file of certificate authorities to trust for the issuer, besides the system's.
    pub ca: Option<PathBuf>,
    /// How often keys are fetched anew in the background; 15 minutes by default.
    pub refresh: Duration,
    /// How long keys count while the issuer gives no answer; 6 hours by default.
    pub keep: Duration,
    /// The least time between two fetches that tokens cause; 10 seconds by default.
    pub gap: Duration,
}

impl OidcOptions {
    /// Tokens of this issuer, meant for this audience.
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

    /// Sets what people may do.
    #[must_use]
    pub fn bindings(mut self, bindings: Bindings) -> Self {
        self.bindings = bindings;
        self
    }
}

/// Options that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// The issuer's address is none.
    #[error("the issuer {issuer:?} {why}")]
    Issuer {
        /// What was given.
        issuer: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody is named whom tokens must be meant for.
    #[error("name an audience: without one, tokens that the issuer made for others would be accepted")]
    NoAudience,
    /// The file of certificate authorities cannot be used.
    #[error("cannot use the certificate authorities in {}: {why}", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is no TLS to be had.
    #[error("cannot prepare to talk to the issuer: {0}")]
    Tls(String),
}

/// Recognises the bearers of one issuer's tokens.
pub struct Oidc {
    issuer: String,
    claims: Claims,
    keyring: Keyring,
    cache: Cache,
}

impl Oidc {
    /// Prepares to ask the issuer; nothing is asked yet.
    ///
    /// # Errors
    /// When the options cannot be used.
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

    /// Keeps the keys fresh until `stop`; whoever spawns this owns it. Without it, keys are fetched when a token needs
    /// them.
    pub async fn run(&self, stop: CancellationToken) {
        let _ = stop.run_until_cancelled(self.keyring.keep_fresh()).await;
    }

    /// What is to be said of a token, and for how long that holds.
    async fn judge(&self, jwt: &Jwt<'_>) -> (Verdict, Duration) {
        let refused = |error: AuthError| (Err(error), KEEP_REFUSED);
        let header = match jwt.header() {
            Ok(header) => header,
            Err(error) => return refused(error),
        };
        // Who names a key that is not known is not remembered: the issuer may just be publishing it.
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
    /// Takes every JWT whose `iss` is this issuer for its own.
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
