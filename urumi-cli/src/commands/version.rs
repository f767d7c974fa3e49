//! `urumi version`.

use serde_json::{Value, json};
use urumi_core::HttpOrchestrator;
use urumi_core::error::Result;

use crate::choice::{Choice, choose};
use crate::cli::Global;
use crate::exit::Failure;
use crate::output::{Out, safe};
use crate::target;

/// This program's version.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn run(global: &Global, out: &Out) -> std::result::Result<(), Failure> {
    let choice = choose(global)?;
    let judge = match choice {
        Choice::Server(_) => Some(target::judge(&choice, global, out)?),
        Choice::Cluster(_) => None,
    };
    let mut version = json!({"name": "urumi", "version": VERSION});
    let mut text = format!("urumi {VERSION}\n");
    if let Some(server) = judge.as_ref().and_then(|judge| judge.as_server()) {
        // One's own version is worth knowing when the server is away, too.
        let theirs = match of_server(server).await {
            Ok(theirs) => Some(theirs),
            Err(error) => {
                out.warn(&format!("the server's version is not known: {error}"));
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

/// A server's version, which the description of its API has.
pub(super) async fn of_server(server: &HttpOrchestrator) -> Result<String> {
    let document: Value = server.ask(&["openapi.json"]).await?;
    let version = document.pointer("/info/version").and_then(Value::as_str);
    Ok(version.unwrap_or("of unknown version").to_owned())
}
