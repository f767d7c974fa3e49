//! What the dashboard is told before anybody has signed in.

use serde::{Deserialize, Serialize};

/// What the dashboard is told before anybody has signed in; `/ui/settings.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The server's version.
    pub version: String,
    /// How people sign in.
    pub sign_in: SignIn,
}

/// How people sign in. Where nothing is offered, nobody is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// By entering a bearer token.
    pub token: bool,
    /// At an OpenID Connect issuer.
    pub oidc: Option<OidcSignIn>,
}

/// How people sign in at an OpenID Connect issuer: authorization code with PKCE, as a public client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcSignIn {
    /// The issuer's address. Its token endpoint must be of the same origin, and allow the dashboard's (CORS).
    pub issuer: String,
    /// The client that the issuer knows the dashboard by, for whom its ID tokens are meant.
    pub client_id: String,
    /// What the dashboard asks for, between spaces.
    pub scope: String,
}

impl Settings {
    /// Those of this version of urumi.
    pub fn new(sign_in: SignIn) -> Self {
        Settings { version: env!("CARGO_PKG_VERSION").to_owned(), sign_in }
    }

    /// Whether anybody is asked who they are.
    pub(super) fn asks_who(&self) -> bool {
        self.sign_in.token || self.sign_in.oidc.is_some()
    }
}
