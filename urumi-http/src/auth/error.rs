//! Errors of authentication.

use crate::problem::{Code, Problem};

/// A token is refused or cannot be verified. No text contains any part of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The token is not valid; the text has the reason, for the caller.
    #[error("the token is not valid: {0}")]
    Invalid(String),
    /// The token is valid, but its subject has no role.
    #[error("{subject} has no role on this server")]
    NoRole {
        /// The subject.
        subject: String,
    },
    /// The server that verifies the token does not answer.
    #[error("{0}")]
    Unavailable(String),
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match &error {
            AuthError::Invalid(_) => Problem::new(Code::Unauthenticated, error.to_string()),
            AuthError::NoRole { .. } => {
                Problem::new(Code::Forbidden, format!("{error}; ask its operator for a role binding"))
            }
            AuthError::Unavailable(_) => {
                Problem::new(Code::AuthUnavailable, format!("{error}; try again")).retry_after(5)
            }
        }
    }
}
