//! Tokens from the server's own file: for scripts, and for installations without an issuer.
//!
//! The file contains only the SHA-256 of each token. A salt or a slow hash, as for passwords, is not needed: a token has 256
//! random bits, too many for a brute-force attack. `urumi-http token` creates a token and its entry for the file.
//!
//! ```yaml
//! - subject: ann
//!   role: operator
//!   teams: [shop]
//!   sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
//!   expires: 2027-01-31
//! ```
//!
//! The file is read again after each change: when it is overwritten, replaced, or, as with a Secret that Kubernetes mounts,
//! when a symbolic link changes. An invalid file leaves the tokens unchanged.

mod file;
mod token;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use urumi_core::secret::SecretString;

pub use self::file::{Entry, Expiry, TokenFileError, TokenHash};
pub use self::token::{PREFIX, is_well_formed, new_token};
use super::chain::Authenticator;
use super::error::AuthError;
use super::principal::{Method, Principal};

/// The default interval at which the file is checked for changes.
pub const POLL: Duration = Duration::from_secs(5);

/// The maximum size of the file.
const MAX_FILE: u64 = 4 << 20;

/// The current tokens of a file.
pub struct StaticTokens {
    path: PathBuf,
    entries: watch::Sender<Arc<[Entry]>>,
    seen: Mutex<Seen>,
    warned: AtomicBool,
}

/// The state of the file at the last check.
#[derive(PartialEq, Eq)]
enum Seen {
    Content([u8; 32]),
    Trouble(String),
}

/// The result of checking the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The file has not changed.
    Unchanged,
    /// The file has changed; the number of its tokens.
    Loaded(usize),
    /// The file is invalid, for this reason; the tokens are unchanged.
    Kept(String),
}

impl StaticTokens {
    /// Reads the file.
    ///
    /// # Errors
    /// If the file cannot be read or is invalid.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, TokenFileError> {
        let path = path.into();
        let warned = AtomicBool::new(false);
        let text = read(&path, &warned)?;
        let entries = file::parse(&text).map_err(|error| error.at(&path))?;
        tracing::info!(path = %path.display(), tokens = entries.len(), "tokens loaded");
        let seen = Mutex::new(Seen::Content(Sha256::digest(&text).into()));
        Ok(StaticTokens { path, entries: watch::Sender::new(entries.into()), seen, warned })
    }

    /// Checks the file for changes. It compares the content, because a replaced file may have the same modification time.
    pub fn reload(&self) -> Reload {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = read(&self.path, &self.warned).and_then(|text| {
            let now = Seen::Content(Sha256::digest(&text).into());
            if *seen == now {
                return Ok(None);
            }
            let entries = file::parse(&text).map_err(|error| error.at(&self.path))?;
            Ok(Some((now, entries)))
        });
        match fresh {
            Ok(None) => Reload::Unchanged,
            Ok(Some((now, entries))) => {
                *seen = now;
                let tokens = entries.len();
                tracing::info!(path = %self.path.display(), tokens, "tokens loaded again");
                self.entries.send_replace(entries.into());
                Reload::Loaded(tokens)
            }
            Err(error) => {
                let (trouble, cause) = (error.to_string(), error.cause());
                let now = Seen::Trouble(format!("{trouble}{cause}"));
                if *seen != now {
                    tracing::error!(cause, "{trouble}; the tokens stay as they were");
                    *seen = now;
                }
                Reload::Kept(trouble)
            }
        }
    }

    /// Checks the file at each interval until `stop` is cancelled. Without it, the tokens stay as loaded.
    pub async fn run(self: Arc<Self>, every: Duration, stop: CancellationToken) {
        // A zero interval panics.
        let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let tokens = self.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || tokens.reload()).await {
                tracing::error!(%error, "checking the file of tokens failed");
            }
        }
    }

    /// The number of tokens, including expired ones.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn find(&self, token: &SecretString, now: Timestamp) -> Result<Principal, AuthError> {
        if !is_well_formed(token.reveal()) {
            return Err(AuthError::Invalid("its checksum is wrong, so it is mistyped or truncated".to_owned()));
        }
        let hash: [u8; 32] = Sha256::digest(token.reveal()).into();
        let entries = self.entries.borrow().clone();
        // Compares all entries in full, so that the time reveals neither whether nor where a hash matches.
        let (mut found, mut at) = (Choice::from(0), 0_u64);
        for (index, entry) in (0_u64..).zip(entries.iter()) {
            let fits = entry.sha256.0.ct_eq(&hash);
            at.conditional_assign(&index, fits);
            found |= fits;
        }
        let entry = usize::try_from(at).ok().and_then(|at| entries.get(at)).filter(|_| found.into());
        let entry = entry.ok_or_else(|| AuthError::Invalid("it is unknown or was revoked".to_owned()))?;
        if entry.expires.is_some_and(|expiry| expiry.instant() <= now) {
            return Err(AuthError::Invalid("it has expired".to_owned()));
        }
        Ok(Principal {
            subject: entry.subject.clone(),
            teams: entry.teams.clone(),
            role: entry.role,
            how: Method::StaticToken,
        })
    }
}

#[async_trait]
impl Authenticator for StaticTokens {
    /// Claims every token that begins with [`PREFIX`].
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError> {
        if !token.reveal().starts_with(PREFIX) {
            return Ok(None);
        }
        self.find(token, Timestamp::now()).map(Some)
    }
}

impl fmt::Debug for StaticTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticTokens").field("path", &self.path).field("tokens", &self.len()).finish_non_exhaustive()
    }
}

fn read(path: &Path, warned: &AtomicBool) -> Result<String, TokenFileError> {
    let unreadable = |source| TokenFileError::Unreadable { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    #[cfg(unix)]
    warn_if_open(path, &file.metadata().map_err(unreadable)?, warned);
    let mut text = String::new();
    let length = file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(length).is_ok_and(|length| length > MAX_FILE) {
        return Err(TokenFileError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}

/// Warns once. The file contains no token, but its readers learn the roles of all users, and its writers can add tokens.
#[cfg(unix)]
fn warn_if_open(path: &Path, metadata: &std::fs::Metadata, warned: &AtomicBool) {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o006 != 0 && !warned.swap(true, Ordering::Relaxed) {
        let mode = format!("{mode:o}");
        tracing::warn!(path = %path.display(), mode, "all users can read or write the file of tokens; run chmod o-rw on it");
    }
}

#[cfg(test)]
mod tests;
