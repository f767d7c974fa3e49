//! The servers that are kept under names, in a file that never holds a token.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exit::{Code, Failure};

/// The most characters a name may have.
const MAX_NAME: usize = 63;

/// The servers that are kept, and which one is chosen.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contexts {
    /// The one that commands go to; the cluster of the kubeconfig without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    /// All of them by their names.
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Saved>,
}

/// A server that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Saved {
    /// Its address.
    pub(crate) server: String,
    /// Where its token is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    /// Where the certificates are by which it is trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
}

impl Contexts {
    /// Those of the user; none where there is no file.
    ///
    /// # Errors
    /// When there is a file that cannot be read.
    pub(crate) fn load() -> Result<Self, Failure> {
        match file() {
            Some(file) => Contexts::read(&file),
            None => Ok(Contexts::default()),
        }
    }

    fn read(file: &Path) -> Result<Self, Failure> {
        let unreadable = |why: String| {
            Failure::usage(format!("the saved contexts in {} cannot be read: {why}", file.display()))
                .hint("correct or remove the file; --server and --cluster do without it")
        };
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            // A home that is none holds no file either.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Contexts::default());
            }
            Err(error) => return Err(unreadable(error.to_string())),
        };
        if text.trim().is_empty() {
            return Ok(Contexts::default());
        }
        serde_norway::from_str(&text).map_err(|error| unreadable(error.to_string()))
    }

    /// Keeps them, for this user's eyes only. Whoever reads meanwhile sees the old ones or the new ones.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save(&self) -> Result<PathBuf, Failure> {
        let Some(file) = file() else {
            return Err(Failure::new(Code::Other, "there is no place to keep contexts in")
                .hint("set HOME, or XDG_CONFIG_HOME to an absolute path"));
        };
        self.write(&file).map_err(|error| {
            Failure::new(Code::Other, format!("cannot write the contexts to {}: {error}", file.display()))
        })?;
        Ok(file)
    }

    fn write(&self, file: &Path) -> io::Result<()> {
        let text = serde_norway::to_string(self).map_err(io::Error::other)?;
        let Some(directory) = file.parent() else { return Err(io::ErrorKind::InvalidInput.into()) };
        create_private(directory)?;
        let draft = directory.join(format!(".config.yaml.{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // A run that was killed may have left one of the same name.
        let _ = fs::remove_file(&draft);
        let written = options.open(&draft).and_then(|mut open| {
            open.write_all(text.as_bytes())?;
            open.sync_all()
        });
        let placed = written.and_then(|()| fs::rename(&draft, file));
        if placed.is_err() {
            let _ = fs::remove_file(&draft);
        }
        placed
    }

    /// The server that was chosen, if one was.
    ///
    /// # Errors
    /// When it is not there any more.
    pub(crate) fn current(&self) -> Result<Option<&Saved>, Failure> {
        let Some(name) = &self.current else { return Ok(None) };
        match self.contexts.get(name) {
            Some(saved) => Ok(Some(saved)),
            None => Err(Failure::usage(format!("the context {name:?}, which is in use, does not exist"))
                .hint("`urumi context use NAME` chooses another, `urumi context none` the cluster")),
        }
    }

    /// A context by its name.
    ///
    /// # Errors
    /// When there is none; says which there are.
    pub(crate) fn require(&self, name: &str) -> Result<&Saved, Failure> {
        self.contexts.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
            let there = match names.is_empty() {
                true => "none is kept; `urumi context set NAME --server URL` keeps one".to_owned(),
                false => format!("there is {}", names.join(", ")),
            };
            Failure::usage(format!("there is no context {name:?}")).hint(there)
        })
    }
}

/// Checks the name of a context.
///
/// # Errors
/// When it cannot be one.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(fine) {
        return Ok(());
    }
    Err(Failure::usage(format!("a context's name has 1 to {MAX_NAME} letters, digits, '-', '_' and '.'")))
}

/// Where contexts are kept, by the XDG Base Directory Specification.
fn file() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join("urumi").join("config.yaml"))
}

fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
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
        let saved = Saved { server: "https://x".into(), token_file: Some("/t".into()), ca_file: None };
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
