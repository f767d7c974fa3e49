//! Tokens and their users.

use crate::kubernetes::TokenReview;
use crate::secret::SecretString;

#[derive(Clone, Debug)]
struct Known {
    token: SecretString,
    username: String,
    groups: Vec<String>,
}

/// A list of tokens; a linear search is enough for the few of a test.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens(Vec<Known>);

impl Tokens {
    pub(super) fn add(&mut self, token: SecretString, username: String, mut groups: Vec<String>) {
        self.revoke(&token);
        // Every authenticated user is in this group.
        groups.push("system:authenticated".to_owned());
        self.0.push(Known { token, username, groups });
    }

    pub(super) fn revoke(&mut self, token: &SecretString) -> bool {
        let before = self.0.len();
        self.0.retain(|known| known.token != *token);
        self.0.len() < before
    }

    pub(super) fn review(&self, token: &SecretString, audiences: &[String]) -> TokenReview {
        let Some(known) = self.0.iter().find(|known| known.token == *token) else { return TokenReview::default() };
        TokenReview {
            authenticated: true,
            username: known.username.clone(),
            groups: known.groups.clone(),
            audiences: audiences.to_vec(),
        }
    }
}
