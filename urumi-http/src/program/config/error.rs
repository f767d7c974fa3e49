//! Why the server cannot be configured.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why the server cannot be configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The arguments or variables, or no error at all: `--help`, `--version`.
    #[error("{0}")]
    Arguments(#[from] clap::Error),
    /// The file cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no list of settings.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file has a key that means nothing.
    #[error("{}: there is no setting {key:?}{}", path.display(), nearest.as_ref().map(|it| format!("; did you mean {it:?}?")).unwrap_or_default())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The setting that is named most alike.
        nearest: Option<String>,
    },
    /// A value in the file is not acceptable.
    #[error("{}: {key}: {why}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: String,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// The file of defaults for engines cannot be used.
    #[error("{}", each_of_file(path, wrong))]
    EngineDefaults {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it; options by their paths, e.g. `medusa.api.replicas: …`.
        wrong: Vec<String>,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Conflict(String),
    /// Everybody could reach the API without being asked who they are.
    #[error(
        "--listen {listen} can be reached from elsewhere, but nothing says who may call: give --tokens-file, \
         --oidc-issuer or --token-review, or listen on 127.0.0.1 and have something in front that knows its callers"
    )]
    Exposed {
        /// The address.
        listen: std::net::SocketAddr,
    },
}

/// What is wrong with a file, a line each.
fn each_of_file(path: &Path, wrong: &[String]) -> String {
    wrong.iter().map(|why| format!("{}: {why}", path.display())).collect::<Vec<_>>().join("\n")
}

impl ConfigError {
    /// Says it on stdout or stderr, as clap does with its own, and returns the exit code.
    pub fn exit(&self) -> ExitCode {
        let code = match self {
            ConfigError::Arguments(error) => {
                // When the terminal is gone there is nobody to tell.
                let _ = error.print();
                error.exit_code()
            }
            other => {
                let cause = std::error::Error::source(other).map(|it| format!(": {it}")).unwrap_or_default();
                let _ = io::Write::write_all(&mut anstream::stderr(), format!("error: {other}{cause}\n").as_bytes());
                2
            }
        };
        ExitCode::from(u8::try_from(code).unwrap_or(2))
    }
}
