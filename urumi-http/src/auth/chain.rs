//! The sources of tokens, asked in order.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use urumi_core::secret::SecretString;

use super::error::AuthError;
use super::principal::Principal;

/// One source of tokens.
///
/// # Contract
/// - The token is never logged, and part of no error; neither is anything made from it but the name of its bearer.
/// - An implementation limits by itself what tokens make it do: how often and how concurrently it asks others. A flood
///   of tokens, equal or different, valid or not, is not passed on.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Who bears this token; `None` when it is not one of this source, so that the next may be asked.
    ///
    /// # Errors
    /// When the token is one of this source but is not valid, its bearer has no role, or the source cannot be asked.
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError>;
}

#[async_trait]
impl<T: Authenticator + ?Sized> Authenticator for Arc<T> {
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError> {
        (**self).authenticate(token).await
    }
}

/// How the server recognises who is asking. Clones share their sources.
#[derive(Clone)]
pub enum Authentication {
    /// It does not: everybody is [`Principal::local`], an admin. Only for servers that listen on loopback.
    Open,
    /// The sources in order; the first that knows a token decides. None at all lets nobody in.
    Chain(Arc<[Arc<dyn Authenticator>]>),
}

impl Authentication {
    /// Asks these sources in order. One that takes any token for its own comes last.
    pub fn chain(sources: Vec<Arc<dyn Authenticator>>) -> Self {
        Authentication::Chain(sources.into())
    }

    /// Whether everybody is let in.
    pub fn is_open(&self) -> bool {
        matches!(self, Authentication::Open)
    }

    /// Who bears this token.
    ///
    /// # Errors
    /// When no source knows it, or the one that does will not accept or cannot judge it.
    pub async fn authenticate(&self, token: &SecretString) -> Result<Principal, AuthError> {
        let Authentication::Chain(sources) = self else { return Ok(Principal::local()) };
        for source in sources.iter() {
            if let Some(principal) = source.authenticate(token).await? {
                return Ok(principal);
            }
        }
        Err(AuthError::Invalid("nothing that this server trusts has issued it".to_owned()))
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
