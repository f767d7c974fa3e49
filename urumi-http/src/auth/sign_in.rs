//! How clients obtain a token, as far as everybody may know.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::principal::Method;

/// How clients authenticate. Public: it contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SignInMethods {
    /// The accepted methods, as `how` of `GET /whoami`; new ones may come. `local` means that there is no authentication.
    pub methods: Vec<Method>,
    /// The OpenID Connect issuer, if `oidc` is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub oidc: Option<OidcClient>,
}

/// How a command-line client signs users in at an OpenID Connect issuer: as a public client, by authorization code with PKCE
/// and a loopback redirect, or by device code. The ID token is the bearer token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OidcClient {
    /// The URL of the issuer.
    pub issuer: String,
    /// The client id for command-line clients; left out if the server has none for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_id: Option<String>,
    /// The scopes to request.
    pub scopes: Vec<String>,
}

impl SignInMethods {
    /// Accepts these methods.
    pub fn new(methods: impl IntoIterator<Item = Method>) -> Self {
        SignInMethods { methods: methods.into_iter().collect(), oidc: None }
    }

    /// Sets the issuer and its client for command-line clients.
    #[must_use]
    pub fn oidc(mut self, client: impl Into<Option<OidcClient>>) -> Self {
        self.oidc = client.into();
        self
    }
}

impl OidcClient {
    /// An issuer without a client for command-line clients.
    pub fn new(issuer: impl Into<String>) -> Self {
        OidcClient { issuer: issuer.into(), client_id: None, scopes: Vec::new() }
    }

    /// Sets the client id, and the scopes to request.
    #[must_use]
    pub fn client<S: Into<String>>(mut self, id: impl Into<String>, scopes: impl IntoIterator<Item = S>) -> Self {
        self.client_id = Some(id.into());
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }
}
