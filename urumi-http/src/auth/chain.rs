//! The chain of token sources.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use urumi_core::secret::SecretString;

use super::error::AuthError;
use super::principal::Principal;

/// One source of tokens.
///
/// # Contract
/// - The token is never logged and never part of an error, nor is any value derived from it except the subject.
/// - An implementation limits the rate and the concurrency of its requests to other servers. A flood of tokens, equal or
///   different, valid or not, must not reach them.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// The principal of this token; `None` if the token belongs to another source, so that the next source is asked.
    ///
    /// # Errors
    /// If the token belongs to this source but is invalid, its principal has no role, or the source does not answer.
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError>;
}

#[async_trait]
impl<T: Authenticator + ?Sized> Authenticator for Arc<T> {
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError> {
        (**self).authenticate(token).await
    }
}

/// How the server authenticates callers. Clones share their sources.
#[derive(Clone)]
pub enum Authentication {
    /// No authentication: every caller is [`Principal::local`], an admin. Only for servers that listen on loopback.
    Open,
    /// The sources in order; the first that a token belongs to decides. An empty chain refuses all tokens.
    Chain(Arc<[Arc<dyn Authenticator>]>),
}

impl Authentication {
    /// Asks these sources in order. A source that claims every token must be the last.
    pub fn chain(sources: Vec<Arc<dyn Authenticator>>) -> Self {
        Authentication::Chain(sources.into())
    }

    /// Whether there is no authentication.
    pub fn is_open(&self) -> bool {
        matches!(self, Authentication::Open)
    }

    /// The principal of this token.
    ///
    /// # Errors
    /// If no source knows the token, or its source refuses or cannot verify it.
    pub async fn authenticate(&self, token: &SecretString) -> Result<Principal, AuthError> {
        let Authentication::Chain(sources) = self else { return Ok(Principal::local()) };
        for source in sources.iter() {
            if let Some(principal) = source.authenticate(token).await? {
                return Ok(principal);
            }
        }
        Err(AuthError::Invalid("no issuer that this server trusts has issued it".to_owned()))
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Authentication::Open => f.write_str("Open"),
            Authentication::Chain(sources) => write!(f, "Chain({} sources)", sources.len()),
        }
    }
}
