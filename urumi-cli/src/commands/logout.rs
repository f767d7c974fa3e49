//! `urumi logout`.

use super::login::{ca, connect, server};
use crate::cli::{GlobalArgs, LogoutArgs};
use crate::exit::CommandError;
use crate::login::{self, LoginFile, normalized};
use crate::output::Out;

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &LogoutArgs) -> Result<(), CommandError> {
    let choice = server(global, args.address.as_deref())?;
    let server = connect(&choice)?;
    let address = normalized(server.address());
    let signed_out = || out.note(&format!("you are not signed in to {address}"));
    let Some(file) = LoginFile::of(&server) else {
        signed_out();
        return Ok(());
    };
    // Also so that nothing is written where nothing is saved.
    if let Ok(None) = file.load() {
        signed_out();
        return Ok(());
    }
    let held = file.lock().await.map_err(|error| file.failed("lock", &error))?;
    let login = file.load();
    // Before the revocation, so that nothing is left if the issuer does not answer.
    file.delete().map_err(|error| file.failed("delete", &error))?;
    drop(held);
    let login = match login {
        Ok(Some(login)) => login,
        Ok(None) => {
            signed_out();
            return Ok(());
        }
        Err(_) => {
            out.note(&format!("the login at {address} could not be read, and was deleted"));
            return Ok(());
        }
    };
    match login::revoke(&login, ca(&choice)?.as_deref()).await {
        Ok(true) => out.note(&format!("signed out of {address}; the issuer has revoked the refresh token")),
        Ok(false) => out.note(&format!("signed out of {address}")),
        Err(error) => {
            out.note(&format!("signed out of {address}"));
            out.warn(&format!("the refresh token was not revoked: {}", error.errors.join("; ")));
        }
    }
    if let Some(expires) = login.expires() {
        out.note(&format!("a copy of the deleted token would be valid until {expires:.0}"));
    }
    Ok(())
}
