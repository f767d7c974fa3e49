//! Sign-in with a browser on this computer: authorization code with PKCE, and a redirect to a loopback address (RFC 8252).

mod redirect;

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::time::Duration;

use oauth2::url::Url;
use oauth2::{AuthUrl, AuthorizationCode, CsrfToken, PkceCodeChallenge, RedirectUrl};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use urumi_core::secret::SecretString;

use self::redirect::Expected;
use super::issuer::{Endpoint, Issuer};
use super::saved::Login;
use crate::exit::{CommandError, ExitStatus};
use crate::output::Out;

/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// How to reach the browser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Browser {
    /// Whether to open it.
    pub(crate) open: bool,
    /// The port of the redirect; 0 for a free one.
    pub(crate) port: u16,
}

/// Signs the user in to a server.
pub(super) async fn sign_in(
    issuer: &Issuer,
    server: &str,
    scopes: &[String],
    browser: Browser,
    out: &Out,
) -> Result<Login, CommandError> {
    let Some(endpoint) = issuer.endpoint(Endpoint::Authorization)? else {
        return Err(issuer.unusable("it has no authorization_endpoint").into());
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, browser.port)).await;
    let listener = listener.map_err(|error| cannot_listen(browser.port, &error))?;
    let port = listener.local_addr().map_err(|error| cannot_listen(browser.port, &error))?.port();
    let redirect = RedirectUrl::new(format!("http://127.0.0.1:{port}{}", redirect::PATH))
        .map_err(|error| CommandError::new(ExitStatus::Other, format!("cannot prepare the redirect: {error}")))?;

    let client = issuer.client()?.set_auth_uri(AuthUrl::from_url(endpoint));
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let nonce = CsrfToken::new_random();
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(issuer.scopes(scopes))
        .add_extra_param("nonce", nonce.secret().as_str())
        .set_pkce_challenge(challenge)
        .set_redirect_uri(Cow::Borrowed(&redirect))
        .url();
    show(&url, server, browser, out);

    let expected = Expected {
        state: SecretString::new(state.into_secret()),
        issuer: issuer.url.clone(),
        must_name_issuer: issuer.names_itself_in_redirects(),
    };
    let code = match timeout(PATIENCE, receive(listener, expected)).await {
        Ok(Ok(code)) => code,
        Ok(Err(why)) => return Err(CommandError::new(ExitStatus::NotPermitted, format!("the sign-in failed: {why}"))),
        Err(_elapsed) => {
            let minutes = PATIENCE.as_secs() / 60;
            return Err(CommandError::new(ExitStatus::TimedOut, format!("nobody signed in within {minutes} minutes")));
        }
    };
    let answer = client
        .exchange_code(AuthorizationCode::new(code.reveal().to_owned()))
        .set_redirect_uri(Cow::Borrowed(&redirect))
        .set_pkce_verifier(verifier)
        .request_async(issuer)
        .await
        .map_err(|error| issuer.failed(error))?;
    Ok(issuer.login(server, &answer, Some(nonce.secret()))?)
}

/// Prints the URL, and opens it.
fn show(url: &Url, server: &str, browser: Browser, out: &Out) {
    // The user needs the URL even with --quiet.
    let asking = out.asking();
    asking.note(&format!("to sign in to {server}, open this URL in a browser on this computer:"));
    asking.note(&format!("  {url}"));
    if browser.open
        && let Err(error) = crate::browser::open(url.as_str())
    {
        out.warn(&format!("cannot open a browser: {error}"));
    }
}

/// Waits for the redirect, and returns its code.
async fn receive(listener: TcpListener, expected: Expected) -> Result<SecretString, String> {
    let expected = std::sync::Arc::new(expected);
    let (outcomes, mut arrived) = mpsc::channel(1);
    // Browsers open connections in advance, without a request. Dropping the set closes them.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(redirect::serve(stream, expected.clone(), outcomes.clone()));
                }
                Err(error) => return Err(format!("cannot accept the redirect: {error}")),
            },
            // `outcomes` lives here, so the channel is open.
            Some(outcome) = arrived.recv() => return outcome,
            Some(_) = connections.join_next() => {}
        }
    }
}

fn cannot_listen(port: u16, error: &std::io::Error) -> CommandError {
    CommandError::new(ExitStatus::Other, format!("cannot listen on 127.0.0.1:{port} for the redirect: {error}"))
        .hint("choose another port with --port, or sign in with --device")
}
