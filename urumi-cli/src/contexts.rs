//! The saved servers (contexts), in a file that never contains a token.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::exit::{CommandError, ExitStatus};
use crate::{private_file, yaml};

/// The maximum length of a context's name.
const MAX_NAME: usize = 63;

/// The saved servers, and which one is the default.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contexts {
    /// The default server's name. Without one, commands use the kubeconfig's cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    /// The servers by name.
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Context>,
}

/// A saved server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Context {
    /// The server's address.
    pub(crate) server: String,
    /// The file with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    /// The file with additional trusted CA certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
}

impl Contexts {
    /// Reads the user's contexts. A missing file means no contexts.
    ///
    /// # Errors
    /// When the file exists but cannot be read.
    pub(crate) fn load() -> Result<Self, CommandError> {
        match file() {
            Some(file) => Contexts::read(&file),
            None => Ok(Contexts::default()),
        }
    }

    fn read(file: &Path) -> Result<Self, CommandError> {
        let unreadable = |why: String| {
            CommandError::usage(format!("cannot read the saved contexts in {}: {why}", file.display()))
                .hint("correct or remove the file, or pass --server or --cluster, which do not need it")
        };
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            // A home directory that is not a directory contains no file either.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Contexts::default());
            }
            Err(error) => return Err(unreadable(error.to_string())),
        };
        if text.trim().is_empty() {
            return Ok(Contexts::default());
        }
        yaml::parse(&text).map_err(|error| unreadable(error.to_string()))
    }

    /// Saves the contexts, readable only by this user. Replaces the file atomically.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save(&self) -> Result<PathBuf, CommandError> {
        let Some(file) = file() else {
            return Err(CommandError::new(ExitStatus::Other, "cannot save contexts: there is no home directory")
                .hint("set HOME or XDG_CONFIG_HOME to an absolute path"));
        };
        self.write(&file).map_err(|error| {
            CommandError::new(ExitStatus::Other, format!("cannot save the contexts in {}: {error}", file.display()))
        })?;
        Ok(file)
    }

    fn write(&self, file: &Path) -> io::Result<()> {
        private_file::write(file, yaml::to_string(self).map_err(io::Error::other)?.as_bytes())
    }

    /// The default server, if there is one.
    ///
    /// # Errors
    /// When no server with its name is saved.
    pub(crate) fn current(&self) -> Result<Option<&Context>, CommandError> {
        let Some(name) = &self.current else { return Ok(None) };
        match self.contexts.get(name) {
            Some(saved) => Ok(Some(saved)),
            None => Err(CommandError::usage(format!("the default context {name:?} does not exist"))
                .hint("choose another with `urumi context use NAME`, or the cluster with `urumi context none`")),
        }
    }

    /// The context with this name.
    ///
    /// # Errors
    /// When there is none. The hint lists the existing names.
    pub(crate) fn require(&self, name: &str) -> Result<&Context, CommandError> {
        self.contexts.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
            let hint = match names.is_empty() {
                true => "no contexts are saved; save one with `urumi context set NAME --server URL`".to_owned(),
                false => format!("saved contexts: {}", names.join(", ")),
            };
            CommandError::usage(format!("there is no context {name:?}")).hint(hint)
        })
    }
}

/// Checks the name of a context.
///
/// # Errors
/// When the name is not valid.
pub(crate) fn check_name(name: &str) -> Result<(), CommandError> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(fine) {
        return Ok(());
    }
    Err(CommandError::usage(format!("a context's name must have 1 to {MAX_NAME} letters, digits, '-', '_' or '.'")))
}

/// The file with the contexts.
fn file() -> Option<PathBuf> {
    Some(private_file::folder("XDG_CONFIG_HOME", ".config")?.join("config.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["prod", "a", "eu-1.prod_2", &"x".repeat(MAX_NAME)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a/b", "ü", "a\nb", &"x".repeat(MAX_NAME + 1)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("new").join("config.yaml");
        assert_eq!(Contexts::read(&file).unwrap(), Contexts::default());
        let saved = Context { server: "https://x".into(), token_file: Some("/t".into()), ca_file: None };
        let mut contexts = Contexts { current: Some("a".into()), contexts: BTreeMap::from([("a".into(), saved)]) };
        contexts.write(&file).unwrap();
        assert_eq!(Contexts::read(&file).unwrap(), contexts);
        contexts.current = None;
        contexts.write(&file).unwrap();
        assert_eq!(Contexts::read(&file).unwrap(), contexts);
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 1, "a draft is left");
        for text in ["", "\n", "{}"] {
            fs::write(&file, text).unwrap();
            assert_eq!(Contexts::read(&file).unwrap(), Contexts::default(), "{text:?}");
        }
        for text in ["[", "current: [x]", "contexts: {a: {server: x, token: secret}}"] {
            fs::write(&file, text).unwrap();
            assert!(Contexts::read(&file).is_err(), "{text:?}");
        }
    }
}
