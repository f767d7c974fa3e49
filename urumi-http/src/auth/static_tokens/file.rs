//! The format of the file of tokens, and its errors.
//!
//! No message repeats a value of the file that may be a token, pasted instead of its hash.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use urumi_core::secret::SecretString;

use super::super::owner::check_name;
use super::super::principal::Role;
use super::token::PREFIX;
use crate::yaml;

/// A token and its principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The subject.
    #[serde(deserialize_with = "name")]
    pub subject: String,
    /// The role.
    pub role: Role,
    /// The teams.
    #[serde(default, deserialize_with = "names", skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// The token's SHA-256.
    pub sha256: TokenHash,
    /// When it expires; never without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
}

/// The SHA-256 of a token, written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub(super) [u8; 32]);

impl TokenHash {
    /// Hashes a token.
    pub fn of(token: &SecretString) -> Self {
        TokenHash(Sha256::digest(token.reveal()).into())
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(redacted)")
    }
}

/// A text that is not a hash. The error does not contain the text: it may be the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sha256 must be the 64 hexadecimal digits of a token's SHA-256, as `urumi-http token` prints them")]
pub struct NoHash;

impl FromStr for TokenHash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let mut hash = [0; 32];
        let length = base16ct::mixed::decode(text, &mut hash).map_err(|_| NoHash)?.len();
        if length == hash.len() { Ok(TokenHash(hash)) } else { Err(NoHash) }
    }
}

/// The expiry of a token: the end of a day in UTC, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The end of this day in UTC.
    Day(Date),
    /// This instant.
    At(Timestamp),
}

impl Expiry {
    /// The first instant at which the token is invalid.
    pub fn instant(self) -> Timestamp {
        match self {
            Expiry::At(instant) => instant,
            Expiry::Day(day) => {
                let next = day.tomorrow().and_then(|next| TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)));
                // The last representable day has no next day.
                next.unwrap_or(Timestamp::MAX)
            }
        }
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expiry::Day(day) => day.fmt(f),
            Expiry::At(instant) => instant.fmt(f),
        }
    }
}

/// A text that is not an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expires must be a date like 2027-01-31 or a time like 2027-01-31T12:00:00Z")]
pub struct NoExpiry;

impl FromStr for Expiry {
    type Err = NoExpiry;

    fn from_str(text: &str) -> Result<Self, NoExpiry> {
        if let Ok(instant) = text.parse() {
            return Ok(Expiry::At(instant));
        }
        // jiff would also parse a time without an offset as a date, and drop the time.
        if text.len() == "2027-01-31".len() {
            text.parse().map(Expiry::Day).map_err(|_| NoExpiry)
        } else {
            Err(NoExpiry)
        }
    }
}

macro_rules! as_text {
    ($($type:ident),+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

as_text!(TokenHash, Expiry);

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    check_name(&name).map_err(|why| serde::de::Error::custom(format!("the subject {why}")))?;
    Ok(name)
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    for name in &names {
        check_name(name).map_err(|why| serde::de::Error::custom(format!("a team {why}")))?;
    }
    Ok(names)
}

/// The file of tokens is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFileError {
    /// The file cannot be read.
    #[error("cannot read the file of tokens {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The content is invalid.
    #[error("the file of tokens {} is invalid: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The error, with its line if known.
        message: String,
    },
    /// The file is too large.
    #[error("the file of tokens {} is larger than 4 MiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

impl TokenFileError {
    /// The underlying error, for logs.
    pub(super) fn cause(&self) -> String {
        std::error::Error::source(self).map(ToString::to_string).unwrap_or_default()
    }
}

/// An error in the content of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) String);

impl Wrong {
    pub(super) fn at(self, path: &Path) -> TokenFileError {
        TokenFileError::Wrong { path: path.to_owned(), message: self.0 }
    }
}

/// Reads all entries.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Wrong> {
    let entries: Option<Vec<Entry>> = yaml::from_str(text).map_err(|error| Wrong(redact(&error)))?;
    // The file is probably being written; nobody locks out all users on purpose this way.
    let entries = entries.ok_or_else(|| Wrong("it is empty; write [] for no tokens".to_owned()))?;
    for (index, entry) in entries.iter().enumerate() {
        if let Some(other) = entries.iter().take(index).position(|other| other.sha256 == entry.sha256) {
            let message = format!("entries {} and {} have the same token", other + 1, index + 1);
            return Err(Wrong(message));
        }
    }
    Ok(entries)
}

/// Removes possible tokens.
fn redact(message: &str) -> String {
    let mut parts = message.split(PREFIX);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(PREFIX);
        out.push('…');
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::token::new_token;
    use super::*;
    use proptest::prelude::*;

    const HASH: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let text = format!(
            "# who may\n- {{subject: ann, role: operator, teams: [shop], sha256: {HASH}, expires: 2027-01-31}}\n\
             - subject: bob\n  role: viewer\n  sha256: {}\n",
            HASH.replace('2', "A")
        );
        let entries = parse(&text).unwrap();
        assert_eq!(entries[0].sha256, TokenHash::of(&SecretString::new("foo")));
        assert_eq!(entries[0].expires.unwrap().instant().to_string(), "2027-02-01T00:00:00Z");
        assert_eq!((entries[1].role, entries[1].expires), (Role::Viewer, None));
        assert_eq!(parse(&serde_saphyr::to_string(&entries).unwrap()), Ok(entries));
        assert_eq!(parse("[]"), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let good = format!("- {{subject: ann, role: viewer, sha256: {HASH}}}\n");
        for (text, wanted) in [
            (String::new(), "it is empty"),
            ("# nothing\n".to_owned(), "it is empty"),
            (format!("{good}- {{subject: bob, role: root, sha256: {HASH}}}\n"), "at line 2"),
            (format!("{good}- subject: bob\n  role: viewer\n  sha256: abc\n"), "64 hexadecimal digits"),
            (format!("{good}- subject: bob\n  role: viewer\n  sha256: abc\n"), "s them at line 4"),
            (format!("{good}- {{subject: bob, role: viewer}}\n"), "missing field `sha256`"),
            (format!("{good}- {{subject: '', role: viewer, sha256: {HASH}}}\n"), "the subject must not be empty"),
            (good.replace("role", "rule"), "unknown field `rule`"),
            (good.replace("ann", "ann, expires: tomorrow"), "expires must be a date"),
            (good.replace("ann", "ann, expires: 2027-01-31T12:00"), "expires must be a date"),
            (format!("{good}{good}"), "entries 1 and 2 have the same token"),
            ("- {".to_owned(), "unclosed bracket '{' at line 1"),
        ] {
            let Wrong(message) = parse(&text).unwrap_err();
            assert!(message.contains(wanted), "{text}: {message}");
        }
    }

    #[test]
    fn a_token_in_the_wrong_place_is_not_repeated() {
        let token = new_token().unwrap();
        for field in ["subject", "role", "teams", "sha256", "expires", "x"] {
            let good = format!("subject: ann, role: viewer, sha256: {HASH}, teams: [a]");
            let wrong = match field {
                "x" => format!("- {{{good}, {}: 1}}", token.reveal()),
                "teams" => format!("- {{{good}, teams: {}}}", token.reveal()),
                _ => format!("- {{{field}: {}, role: 1, x: 1}}", token.reveal()),
            };
            let Wrong(message) = parse(&wrong).unwrap_err();
            assert!(!message.contains(&token.reveal()[PREFIX.len()..]), "{field}: {message}");
        }
        assert!(!format!("{:?}", TokenHash::of(&token)).contains(&TokenHash::of(&token).to_string()));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}", hash in "[0-9a-fA-Fx]{60,66}", date in "[0-9TZ:.-]{8,20}") {
            let _ = parse(&text);
            let _ = date.parse::<Expiry>().map(Expiry::instant);
            if let Ok(read) = hash.parse::<TokenHash>() {
                prop_assert_eq!(read.to_string(), hash.to_lowercase());
            }
        }
    }
}
