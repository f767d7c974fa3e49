//! Saved logins: a file for each server, which only this user can read.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use urumi_core::HttpOrchestrator;

use super::id_token::{self, Claims};
use super::token_text::TokenText;
use crate::exit::{CommandError, ExitStatus};
use crate::private_file;

/// How long to wait for another command that holds the lock. It holds the lock during two requests to the issuer.
const LOCK_TIMEOUT: Duration = Duration::from_secs(90);

/// A token for one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Login {
    /// The address of the server, the only one that receives the token.
    pub(crate) server: String,
    /// The bearer token.
    pub(crate) token: TokenText,
    /// How to renew the token. Without it, the token is used until it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) renewal: Option<Renewal>,
}

/// A refresh token and its issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Renewal {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) refresh_token: TokenText,
}

impl Login {
    /// The token's claims, if it is a JWT.
    pub(super) fn claims(&self) -> Option<Claims> {
        id_token::claims(self.token.0.reveal())
    }

    /// When the token expires, if it says so.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.claims()?.expires()
    }
}

/// The file with the login at one server.
#[derive(Clone, Debug)]
pub(crate) struct LoginFile {
    path: PathBuf,
    server: String,
}

impl LoginFile {
    /// The file for this server; `None` without a home directory, where no login can be saved.
    pub(crate) fn of(server: &HttpOrchestrator) -> Option<LoginFile> {
        let folder = private_file::folder("XDG_STATE_HOME", ".local/state")?.join("logins");
        let server = normalized(server.address()).to_owned();
        Some(LoginFile { path: folder.join(file_name(&server)), server })
    }

    /// The server's address.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Reads the login. A missing file means no login, as does a login at another server.
    ///
    /// # Errors
    /// When the file exists but cannot be read. The error quotes none of its content.
    pub(crate) fn load(&self) -> Result<Option<Login>, CommandError> {
        let unreadable = |why: String| {
            CommandError::usage(format!("cannot read the login in {}: {why}", self.path.display()))
                .hint(format!("`urumi login {}` replaces it", self.server))
        };
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) => match error.kind() {
                // A long address has no file. A home directory that is not a directory contains no file either.
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => {
                    return Ok(None);
                }
                _ => return Err(unreadable(error.to_string())),
            },
        };
        let login: Login = serde_json::from_slice(&text).map_err(|error| {
            unreadable(format!("it is invalid at line {}, column {}", error.line(), error.column()))
        })?;
        Ok((login.server == self.server).then_some(login))
    }

    /// Saves the login.
    pub(crate) fn save(&self, login: &Login) -> io::Result<()> {
        private_file::write(&self.path, &serde_json::to_vec_pretty(login)?)
    }

    /// Deletes the login, if there is one.
    pub(crate) fn delete(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Locks the login until the returned file is dropped, so that no two commands use the same refresh token.
    pub(crate) async fn lock(&self) -> io::Result<File> {
        let path = self.path.with_extension("lock");
        let locking = tokio::task::spawn_blocking(move || -> io::Result<File> {
            let file = private_file::open_lock(&path)?;
            file.lock()?;
            Ok(file)
        });
        match tokio::time::timeout(LOCK_TIMEOUT, locking).await {
            Ok(locked) => locked.map_err(io::Error::other)?,
            Err(_elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, "another command holds the lock")),
        }
    }

    /// The error of a failed access to the file.
    pub(crate) fn failed(&self, what: &str, error: &io::Error) -> CommandError {
        CommandError::new(ExitStatus::Other, format!("cannot {what} the login in {}: {error}", self.path.display()))
    }
}

/// The address as contexts have it.
pub(crate) fn normalized(address: &str) -> &str {
    address.trim_end_matches('/')
}

/// A name that differs for different addresses.
fn file_name(server: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    server.bytes().map(escaped).chain([".json".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use urumi_core::secret::SecretString;

    fn file(home: &std::path::Path, server: &str) -> LoginFile {
        LoginFile { path: home.join(file_name(server)), server: server.to_owned() }
    }

    fn login(server: &str) -> Login {
        let text = |text: &str| TokenText(SecretString::new(text));
        let renewal =
            Renewal { issuer: "https://i".into(), client_id: "cli".into(), refresh_token: text("s3cr3t-refresh") };
        Login { server: server.into(), token: text("s3cr3t-token"), renewal: Some(renewal) }
    }

    #[test]
    fn a_login_is_read_as_it_was_saved_and_only_for_its_server() {
        let home = tempfile::tempdir().unwrap();
        let (here, there) = (file(home.path(), "https://a"), file(home.path(), "https://b"));
        assert_eq!(here.load().unwrap(), None);
        here.save(&login("https://a")).unwrap();
        assert_eq!(here.load().unwrap(), Some(login("https://a")));
        assert_eq!(there.load().unwrap(), None);
        // A copy of the file is still bound to its server.
        fs::copy(&here.path, &there.path).unwrap();
        assert_eq!(there.load().unwrap(), None);
        here.delete().unwrap();
        here.delete().unwrap();
        assert_eq!(here.load().unwrap(), None);
        assert_eq!(file(home.path(), &"a".repeat(400)).load().unwrap(), None);
    }

    #[test]
    fn no_message_contains_a_token() {
        let home = tempfile::tempdir().unwrap();
        let here = file(home.path(), "https://a");
        assert!(!format!("{:?}", login("https://a")).contains("s3cr3t"));
        for broken in [r#"{"server": "https://a", "token": ["s3cr3t"]}"#, r#"{"s3cr3t"}"#, r#""s3cr3t""#, "s3cr3t"] {
            fs::write(&here.path, broken).unwrap();
            let error = here.load().unwrap_err();
            assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
            assert!(error.hints.iter().any(|hint| hint.contains("`urumi login https://a`")), "{error:?}");
        }
    }

    #[test]
    fn different_addresses_have_different_names_without_separators() {
        let addresses = ["https://a", "http://a", "https://a:1", "https://a/1", "https://a%2F1", "https://[::1]/../x"];
        let names: std::collections::BTreeSet<String> = addresses.iter().map(|address| file_name(address)).collect();
        assert_eq!(names.len(), addresses.len());
        assert!(names.iter().all(|name| !name.contains(['/', '\\', ':'])), "{names:?}");
    }

    #[tokio::test]
    async fn a_lock_is_held_until_it_is_dropped() {
        let home = tempfile::tempdir().unwrap();
        let here = file(home.path(), "https://a");
        let held = here.lock().await.unwrap();
        let other = private_file::open_lock(&here.path.with_extension("lock")).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        assert!(other.try_lock().is_ok());
    }
}
