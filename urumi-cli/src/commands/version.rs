//! `urumi version`.

use std::sync::LazyLock;

use serde_json::{Value, json};
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
            Ok(theirs) => Some(theirs),
            Err(error) => {
                out.warn(&format!("the server's version is unknown: {error}"));
                None
            }
        };
        text.push_str(&format!("server {} at {}\n", safe(theirs.as_deref().unwrap_or("?")), server.address()));
        if let Some(fields) = version.as_object_mut() {
            fields.insert("server".into(), json!({"address": server.address(), "version": theirs}));
        }
    }
    if out.structured(&version)? { Ok(()) } else { out.data(&text) }
}

/// A server's version, read from its OpenAPI description.
pub(super) async fn of_server(server: &HttpOrchestrator) -> Result<String> {
    let document: Value = server.ask(&["openapi.json"]).await?;
    let version = document.pointer("/info/version").and_then(Value::as_str);
    Ok(version.unwrap_or("of unknown version").to_owned())
}
