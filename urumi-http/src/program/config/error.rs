//! Errors of the configuration.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The configuration is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The arguments or variables are invalid, or are `--help` or `--version`.
    #[error("{0}")]
    Arguments(#[from] clap::Error),
    /// The file cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is not a mapping of settings.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error.
        why: String,
    },
    /// The file has an unknown key.
    #[error("{}: there is no setting {key:?}{}", path.display(), nearest.as_ref().map(|it| format!("; did you mean {it:?}?")).unwrap_or_default())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The setting with the most similar name.
        nearest: Option<String>,
    },
    /// A value in the file is invalid.
    #[error("{}: {key}: {why}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: String,
        /// The error, and a valid value.
        why: String,
    },
    /// The file of engine defaults is invalid.
    #[error("{}", each_of_file(path, wrong))]
    EngineDefaults {
        /// The file.
        path: PathBuf,
        /// All errors; options by their paths, e.g. `medusa.api.replicas: …`.
        wrong: Vec<String>,
    },
    /// Settings contradict each other.
    #[error("{0}")]
    Conflict(String),
    /// Other computers could reach an API without authentication.
    #[error(
        "--listen {listen} accepts connections from other computers, but there is no authentication: set --tokens-file, --oidc-issuer or \
         --token-review, or listen on 127.0.0.1 behind a proxy that authenticates its clients"
    )]
    Exposed {
        /// The address.
        listen: std::net::SocketAddr,
    },
}

/// The errors of a file, one per line.
fn each_of_file(path: &Path, wrong: &[String]) -> String {
    wrong.iter().map(|why| format!("{}: {why}", path.display())).collect::<Vec<_>>().join("\n")
}

impl ConfigError {
    /// Prints the error on stdout or stderr, as clap does, and returns the exit code.
    pub fn exit(&self) -> ExitCode {
        let code = match self {
            ConfigError::Arguments(error) => {
                // If the output is closed, the exit code remains.
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
