//! How somebody signs in to a store for the first time.

use crate::secret::SecretString;

/// How somebody signs in to a store for the first time. What they change there later is not seen here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// The address of the page to sign in at.
    pub address: String,
    /// The name, or e-mail address, to sign in with.
    pub username: String,
    /// The password that was generated for the store; `None` where it was not asked for.
    pub password: Option<SecretString>,
}

impl Credentials {
    /// `username` signs in at `address`; the password is `None` unless it was asked for.
    pub fn new(address: impl Into<String>, username: impl Into<String>, password: Option<SecretString>) -> Self {
        Credentials { address: address.into(), username: username.into(), password }
    }
}
