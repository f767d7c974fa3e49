//! `urumi version`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::json;
use urumi_core::HttpOrchestrator;
use urumi_core::error::Result;

use crate::choice::{Choice, choose};
use crate::cli::GlobalArgs;
use crate::exit::CommandError;
use crate::output::{Out, safe};
use crate::target;

/// The version of this command.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit from which this command was built, if its build knew it.
const COMMIT: Option<&str> = option_env!("URUMI_COMMIT");

/// The version of this command, with its commit if that is known.
pub(crate) fn with_commit() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| match COMMIT {
        Some(commit) if !commit.is_empty() => format!("{VERSION} ({commit})"),
        _ => VERSION.to_owned(),
    });
    &TEXT
}

pub(super) async fn run(global: &GlobalArgs, out: &Out) -> std::result::Result<(), CommandError> {
    let choice = choose(global)?;
    let validator = match choice {
        Choice::Server(_) => Some(target::validator(&choice, global, out)?),
        Choice::Cluster(_) => None,
    };
    let mut version = json!({"name": "urumi", "version": VERSION, "commit": COMMIT});
    let mut text = format!("urumi {}\n", with_commit());
    if let Some(server) = validator.as_ref().and_then(|target| target.as_server()) {
        // Print this command's version even if the server is unreachable.
        let theirs = match of_server(server).await {
            Ok(theirs) => theirs,
            Err(error) => {
                out.warn(&format!("the server's version is unknown: {error}"));
                ServerInfo::default()
            }
        };
        let ServerInfo { version: theirs, commit, cluster, notices } = theirs;
        let shown = theirs.as_deref().map_or_else(|| "?".to_owned(), safe);
        let built = commit.as_deref().map(|commit| format!(" ({})", safe(commit))).unwrap_or_default();
        text.push_str(&format!("server {shown}{built} at {}\n", server.address()));
        notices.iter().for_each(|notice| out.note(&format!("note: {notice}")));
        if let Some(fields) = version.as_object_mut() {
            fields.insert(
                "server".into(),
                json!({
                    "address": server.address(), "version": theirs, "commit": commit, "cluster": cluster,
                    "notices": notices,
                }),
            );
        }
    }
    if out.structured(&version)? { Ok(()) } else { out.data(&text) }
}

/// A server's version, and what its users should know.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ServerInfo {
    pub(super) version: Option<String>,
    #[serde(default)]
    commit: Option<String>,
    /// The kind of cluster, e.g. `memory`.
    #[serde(default)]
    cluster: Option<String>,
    #[serde(default)]
    pub(super) notices: Vec<String>,
}

/// Asks a server for its version.
pub(super) async fn of_server(server: &HttpOrchestrator) -> Result<ServerInfo> {
    server.ask(&["version"]).await
}

/// Prints what users of the server should know, e.g. that it only simulates stores.
pub(super) async fn note_notices(out: &Out, server: &HttpOrchestrator) {
    // The answer is not what the user asked for.
    if let Ok(info) = of_server(server).await {
        info.notices.iter().for_each(|notice| out.note(&format!("note: {notice}")));
    }
}
