//! The owner of a store.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use urumi_core::error::FieldError;
use urumi_core::store::MAX_OWNER;

/// The maximum length of the name of a user or team, in bytes.
pub(crate) const MAX_NAME: usize = MAX_OWNER - "user:".len();

/// The owner of a store, written `user:<subject>` or `team:<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// One user.
    User(String),
    /// All members of a team.
    Team(String),
}

/// Checks the name of a user or team: 1 to 256 bytes, one line of visible characters, no white space at either end. Names
/// come from outside (claims of an issuer) and are displayed and logged.
///
/// # Errors
/// The reason, without the name: it may be a secret in the wrong field.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if name.len() > MAX_NAME {
        return Err(format!("has {} bytes, at most {MAX_NAME} are allowed", name.len()));
    }
    if name.trim() != name {
        return Err("must not begin or end with white space".to_owned());
    }
    match name.chars().find(|c| is_hidden(*c)) {
        Some(c) => Err(format!("contains the character U+{:04X}, which cannot be shown", u32::from(c))),
        None => Ok(()),
    }
}

/// Control characters, invisible characters, and characters that change the direction of text.
fn is_hidden(c: char) -> bool {
    let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control() || invisible || matches!(c, '\u{feff}' | '\u{61c}')
}

impl Owner {
    /// Parses `user:<subject>` or `team:<name>`.
    ///
    /// # Errors
    /// If the text has another form, or the name is invalid.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let bad = |message: String| FieldError::new("owner", message);
        let (kind, name) =
            text.split_once(':').ok_or_else(|| bad("must be user:<subject> or team:<name>".to_owned()))?;
        check_name(name).map_err(|why| bad(format!("its name {why}")))?;
        match kind {
            "user" => Ok(Owner::User(name.to_owned())),
            "team" => Ok(Owner::Team(name.to_owned())),
            _ => Err(bad("must be user:<subject> or team:<name>".to_owned())),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::User(subject) => write!(f, "user:{subject}"),
            Owner::Team(name) => write!(f, "team:{name}"),
        }
    }
}

impl FromStr for Owner {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        Owner::parse(text)
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Owner::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_name_makes_the_longest_owner() {
        for kind in ["user:", "team:"] {
            let owner = format!("{kind}{}", "a".repeat(256));
            assert_eq!(Owner::parse(&owner).map(|owner| owner.to_string().len()), Ok(MAX_OWNER), "{kind}");
        }
    }

    #[test]
    fn what_is_no_owner_is_refused() {
        for text in ["", "ann", "user:", "User:ann", "group:ann", "user: ann", "user:a\nb", "team:a\u{202e}b", ":ann"] {
            assert!(Owner::parse(text).is_err(), "{text:?}");
        }
        assert!(Owner::parse(&format!("user:{}", "a".repeat(MAX_NAME + 1))).is_err());
        // A ServiceAccount's name has colons of its own.
        let account = Owner::User("system:serviceaccount:shops:deployer".into());
        assert_eq!(Owner::parse("user:system:serviceaccount:shops:deployer"), Ok(account));
    }

    proptest! {
        #[test]
        fn an_accepted_owner_is_written_as_it_was_read(text in "(user|team|x)?:?\\PC{0,20}|.{0,20}") {
            if let Ok(owner) = Owner::parse(&text) {
                prop_assert_eq!(owner.to_string(), text);
            }
        }

        #[test]
        fn every_owner_is_read_as_it_was_written(name in "[a-z:@.\\-]{1,40}", team: bool) {
            let owner = if team { Owner::Team(name) } else { Owner::User(name) };
            prop_assert_eq!(Owner::parse(&owner.to_string()), Ok(owner));
        }
    }
}
