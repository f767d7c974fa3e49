//! Why somebody was not recognised.

use crate::problem::{Code, Problem};

/// A token that is not accepted, or cannot be judged. No text in here has anything of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The token is not valid, or no longer; what is wrong, for whoever sent it.
    #[error("the token is not valid: {0}")]
    Invalid(String),
    /// The token is valid, but its bearer has no role here.
    #[error("{subject} has no role on this server")]
    NoRole {
        /// Who it is.
        subject: String,
    },
    /// Whoever could judge the token gave no answer.
    #[error("{0}")]
    Unavailable(String),
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match &error {
            AuthError::Invalid(_) => Problem::new(Code::Unauthenticated, error.to_string()),
            AuthError::NoRole { .. } => {
                Problem::new(Code::Forbidden, format!("{error}; ask whoever runs it for a role binding"))
            }
            AuthError::Unavailable(_) => {
                Problem::new(Code::AuthUnavailable, format!("{error}; try again")).retry_after(5)
            }
        }
    }
}
