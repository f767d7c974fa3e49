//! Sign-in to a server, and the tokens that it gives.
//!
//! A token belongs to the address of one server: it is saved under this address and sent to no other. Where the server
//! accepts tokens of an OpenID Connect issuer, the flows of `oauth2` get one; a command that uses it renews it before it
//! expires.

mod browser;
mod device;
mod http;
mod id_token;
mod issuer;
mod renewal;
mod saved;
mod token_text;

use serde::Deserialize;

pub(crate) use self::browser::Browser;
pub(crate) use self::id_token::claims;
use self::issuer::Issuer;
pub(crate) use self::renewal::RenewingToken;
pub(crate) use self::saved::{Login, LoginFile, normalized};
pub(crate) use self::token_text::TokenText;
use crate::exit::CommandError;
use crate::output::Out;

/// How a server authenticates callers: the answer of `GET /authentication`. Methods are strings, because a newer server may
/// have more.
#[derive(Debug, Deserialize)]
pub(crate) struct SignInMethods {
    #[serde(default)]
    pub(crate) methods: Vec<String>,
    #[serde(default)]
    pub(crate) oidc: Option<OidcClient>,
}

/// The issuer of a server, and the client for this program there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OidcClient {
    pub(crate) issuer: String,
    #[serde(default)]
    pub(crate) client_id: Option<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
}

impl SignInMethods {
    /// Whether the server has no authentication.
    pub(crate) fn is_open(&self) -> bool {
        self.methods.iter().any(|method| method == "local")
    }
}

/// How the user signs in at the issuer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flow {
    Browser(Browser),
    Device,
    /// With a browser on this computer if there seems to be one, otherwise with a device code if the issuer offers it.
    Automatic,
}

/// Signs the user in to a server at its issuer. `ca` has PEM certificates to trust in addition to the system's.
pub(crate) async fn sign_in(
    server: &str,
    oidc: &OidcClient,
    client_id: &str,
    flow: Flow,
    ca: Option<&[u8]>,
    out: &Out,
) -> Result<Login, CommandError> {
    let issuer = Issuer::discover(&oidc.issuer, client_id, ca).await?;
    let flow = match flow {
        Flow::Automatic if crate::browser::is_available() => Flow::Browser(Browser { open: true, port: 0 }),
        flow => flow,
    };
    let browser = match flow {
        Flow::Browser(browser) => browser,
        Flow::Automatic if !device::is_offered(&issuer)? => {
            out.note(
                "the issuer offers no sign-in with a device code; over SSH, run `urumi login --no-browser --port 8250` here, \
                 and `ssh -L 8250:127.0.0.1:8250 HOST` on the computer with the browser",
            );
            Browser { open: false, port: 0 }
        }
        Flow::Device | Flow::Automatic => return device::sign_in(&issuer, server, &oidc.scopes, out).await,
    };
    browser::sign_in(&issuer, server, &oidc.scopes, browser, out).await
}

/// Revokes the refresh token of a login. Returns whether there was one and the issuer can do it.
pub(crate) async fn revoke(login: &Login, ca: Option<&[u8]>) -> Result<bool, CommandError> {
    match &login.renewal {
        Some(renewal) => Ok(Issuer::revoke(renewal, ca).await?),
        None => Ok(false),
    }
}
