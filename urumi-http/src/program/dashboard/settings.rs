//! The settings of the dashboard, public before sign-in.

use serde::{Deserialize, Serialize};

/// The settings of the dashboard, public before sign-in, at `/ui/settings.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The server's version.
    pub version: String,
    /// How people sign in.
    pub sign_in: SignIn,
}

/// How people sign in. Without any method, there is no sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// With a bearer token.
    pub token: bool,
    /// At an OpenID Connect issuer.
    pub oidc: Option<OidcSignIn>,
}

/// How people sign in at an OpenID Connect issuer: authorization code with PKCE, as a public client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcSignIn {
    /// The URL of the issuer. Its token endpoint must have the same origin and allow the dashboard's origin (CORS).
    pub issuer: String,
    /// The client id of the dashboard, an accepted audience of the API.
    pub client_id: String,
    /// The requested scopes, separated by spaces.
    pub scope: String,
}

impl Settings {
    /// The settings of this version of urumi.
    pub fn new(sign_in: SignIn) -> Self {
        Settings { version: crate::program::version().to_owned(), sign_in }
    }

    /// Whether the API has authentication.
    pub(super) fn has_authentication(&self) -> bool {
        self.sign_in.token || self.sign_in.oidc.is_some()
    }
}
