//! A store's display name and its owner: text that people read.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::field::FieldError;

/// A store's display name: 1 to 100 characters, nothing invisible, no white space at either end.
///
/// It is shown to people and never becomes part of a Kubernetes name, a label or a selector; quotes and emoji are
/// fine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct StoreName(String);

impl StoreName {
    /// The most characters (Unicode scalar values) a name may have.
    pub const MAX_CHARS: usize = 100;

    /// Takes a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has control or text-direction characters.
    pub fn parse(name: &str) -> Result<Self, FieldError> {
        let bad = |message: String| Err(FieldError::new("name", message));
        if name.trim().is_empty() {
            return bad("must not be empty".into());
        }
        if name.trim() != name {
            return bad("must not begin or end with white space".into());
        }
        let chars = name.chars().count();
        if chars > Self::MAX_CHARS {
            return bad(format!("has {chars} characters, at most {} are allowed", Self::MAX_CHARS));
        }
        if let Some(c) = name.chars().find(|c| is_invisible(*c)) {
            return bad(format!("contains the character U+{:04X}, which cannot be shown", u32::from(c)));
        }
        Ok(StoreName(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The maximum length of an owner in bytes: a name of 256 bytes after `user:` or `team:`.
pub const MAX_OWNER: usize = "user:".len() + 256;

/// Checks an owner.
///
/// # Errors
/// When it is empty, longer than [`MAX_OWNER`], or not one visible line.
pub(crate) fn check_owner(owner: &str) -> Result<(), FieldError> {
    let bad = |message: String| Err(FieldError::new("owner", message));
    if owner.is_empty() {
        return bad("must not be empty".into());
    }
    if owner.len() > MAX_OWNER {
        return bad(format!("has {} bytes, at most {MAX_OWNER} are allowed", owner.len()));
    }
    if owner.trim() != owner {
        return bad("must not begin or end with white space".into());
    }
    match owner.chars().find(|c| is_invisible(*c)) {
        Some(c) => bad(format!("contains the character U+{:04X}, which cannot be shown", u32::from(c))),
        None => Ok(()),
    }
}

/// Control characters, line separators and those that change the direction of the text around them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for StoreName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        StoreName::parse(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_owner_is_one_visible_line_of_limited_length() {
        for owner in ["ann", "team:web", &"x".repeat(MAX_OWNER)] {
            assert_eq!(check_owner(owner), Ok(()), "{owner}");
        }
        for owner in ["", " ann", "ann ", "a\nb", "a\u{202e}b", &"x".repeat(MAX_OWNER + 1)] {
            assert_eq!(check_owner(owner).unwrap_err().field, "owner", "{owner}");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_one_visible_line(name in any::<String>()) {
            if let Ok(name) = StoreName::parse(&name) {
                prop_assert!(!name.as_str().chars().any(char::is_control));
                prop_assert!(name.as_str().chars().count() <= StoreName::MAX_CHARS);
            }
        }
    }
}
