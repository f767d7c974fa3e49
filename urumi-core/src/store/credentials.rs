//! How somebody signs in to a store for the first time.

use crate::secret::SecretString;

/// How somebody signs in to a store for the first time. What they change there later is not seen here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The address of the page to sign in at.
    pub address: String,
    /// The name, or e-mail address, to sign in with.
    pub username: String,
    /// The password that was generated for the store; `None` where it was not asked for.
    pub password: Option<SecretString>,
}
