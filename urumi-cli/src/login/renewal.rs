//! The token of a saved login, renewed before it expires.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;
use urumi_core::error::{Error, ErrorKind, Result};
use urumi_core::http_client::TokenSource;
use urumi_core::secret::SecretString;

use super::issuer::{Issuer, IssuerError};
use super::saved::{Login, LoginFile};
use crate::exit::{CommandError, ExitStatus};
use crate::output::Out;

/// How long to use a token that is still valid after a renewal has failed.
const PAUSE: Duration = Duration::from_secs(10);

/// Gives the token of a saved login.
#[derive(Debug)]
pub(crate) struct RenewingToken {
    file: LoginFile,
    /// PEM certificates to trust in addition to the system's.
    ca: Option<Vec<u8>>,
    out: Out,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    login: Login,
    /// When a renewal failed.
    failed: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Fresh,
    /// Valid, but to be renewed.
    Due,
    Expired,
}

impl RenewingToken {
    pub(crate) fn new(file: LoginFile, login: Login, ca: Option<Vec<u8>>, out: Out) -> Self {
        RenewingToken { file, ca, out, state: Mutex::new(State { login, failed: None }) }
    }

    /// Renews the login, unless another command has done it.
    async fn renew(&self) -> Result<Login> {
        let _lock = self.file.lock().await.map_err(|error| internal(self.file.failed("lock", &error)))?;
        // Another command may have renewed the login, or signed out.
        let Some(login) = self.file.load().map_err(internal)? else { return Err(self.sign_in("is over")) };
        let (age, renewal) = match (age(&login), &login.renewal) {
            (Age::Fresh, _) | (Age::Due, None) => return Ok(login),
            (Age::Expired, None) => return Err(self.sign_in("has expired")),
            (age, Some(renewal)) => (age, renewal),
        };
        match Issuer::renew(&login, renewal, self.ca.as_deref()).await {
            Ok(renewed) => {
                if let Err(error) = self.file.save(&renewed) {
                    let failed = self.file.failed("save", &error);
                    self.out.warn(&format!("{}; sign in again with `urumi login`", failed.errors.join("; ")));
                }
                Ok(renewed)
            }
            Err(_) if age == Age::Due => Ok(login),
            Err(IssuerError { code: ExitStatus::NotPermitted, text }) => {
                Err(self.sign_in(&format!("has expired ({text})")))
            }
            Err(IssuerError { code, text }) => {
                let kind = match code {
                    ExitStatus::Unreachable => ErrorKind::Unreachable,
                    _ => ErrorKind::Internal,
                };
                Err(error(kind, format!("cannot renew the login at {}: {text}", self.file.server())))
            }
        }
    }

    /// The error of a login without a valid token.
    fn sign_in(&self, why: &str) -> Error {
        let server = self.file.server();
        error(ErrorKind::NotPermitted, format!("your login at {server} {why}: run `urumi login {server}`"))
    }
}

#[async_trait]
impl TokenSource for RenewingToken {
    async fn token(&self) -> Result<SecretString> {
        let mut state = self.state.lock().await;
        let has_failed = state.failed.is_some_and(|at| at.elapsed() < PAUSE);
        let is_usable = match age(&state.login) {
            Age::Fresh => true,
            Age::Due => has_failed || state.login.renewal.is_none(),
            Age::Expired => false,
        };
        if !is_usable {
            state.login = self.renew().await?;
            state.failed = (age(&state.login) == Age::Due).then(Instant::now);
        }
        Ok(state.login.token.0.clone())
    }
}

fn age(login: &Login) -> Age {
    let Some(claims) = login.claims() else { return Age::Fresh };
    let now = Timestamp::now();
    match (claims.expires(), claims.renew_at()) {
        (Some(expires), _) if expires <= now => Age::Expired,
        (_, Some(due)) if due <= now => Age::Due,
        _ => Age::Fresh,
    }
}

/// The code is of no server, so that no hint for a server's problem is added.
fn error(kind: ErrorKind, detail: String) -> Error {
    Error::Server { kind, code: "login".to_owned(), detail, retryable: false }
}

fn internal(failure: CommandError) -> Error {
    error(ErrorKind::Internal, [failure.errors, failure.hints].concat().join("; "))
}
