//! `urumi whoami`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use urumi_core::HttpOrchestrator;
use urumi_core::error::Result;

use crate::choice::{Choice, choose};
use crate::cli::{ClusterChoice, Format, GlobalArgs};
use crate::exit::CommandError;
use crate::output::{Out, facts};
use crate::target;

/// The user's identity on a server. Roles and methods are strings, because a newer server may have more.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) subject: String,
    #[serde(default)]
    pub(super) teams: Vec<String>,
    pub(super) role: String,
    #[serde(default)]
    pub(super) how: String,
}

/// Gets the user's identity from a server.
pub(super) async fn ask(server: &HttpOrchestrator) -> Result<Identity> {
    server.ask(&["whoami"]).await
}

pub(super) async fn run(global: &GlobalArgs, out: &Out) -> Result<(), CommandError> {
    let choice = choose(global)?;
    match (&choice, target::validator(&choice, global, out)?.as_server()) {
        (Choice::Cluster(cluster), _) => to_cluster(global, out, *cluster),
        (_, Some(server)) => to_server(out, server).await,
        (_, None) => Ok(()),
    }
}

async fn to_server(out: &Out, server: &HttpOrchestrator) -> Result<(), CommandError> {
    let identity = ask(server).await?;
    if out.structured(&json!({
        "server": server.address(), "subject": identity.subject, "teams": identity.teams, "role": identity.role,
        "how": identity.how,
    }))? {
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        return out.data(&format!("{}\n", crate::output::safe(&identity.subject)));
    }
    let teams = if identity.teams.is_empty() { "-".to_owned() } else { identity.teams.join(", ") };
    out.data(&facts(vec![
        ("Server", server.address().into()),
        ("Subject", identity.subject.into()),
        ("Teams", teams.into()),
        ("Role", identity.role.into()),
        ("Authentication", identity.how.into()),
    ]))
}

/// Prints the kubeconfig context. A cluster has no roles of urumi; it has its own access control.
fn to_cluster(global: &GlobalArgs, out: &Out, cluster: ClusterChoice) -> Result<(), CommandError> {
    let (name, context) = match cluster {
        ClusterChoice::Kube => ("kube", global.context.clone().or_else(|| current_context(global))),
        ClusterChoice::Memory => ("memory", None),
    };
    if out.structured(&json!({"cluster": name, "context": context}))? {
        return Ok(());
    }
    let context = context.unwrap_or_else(|| "-".to_owned());
    if out.format() == Some(Format::Name) {
        return out.data(&format!("{}\n", crate::output::safe(&context)));
    }
    out.data(&facts(vec![("Cluster", name.into()), ("Context", context.into())]))?;
    out.note("the cluster decides what this context's user may do; `urumi doctor` checks it");
    Ok(())
}

/// The current context, like kubectl: the one of the first kubeconfig that names any.
fn current_context(global: &GlobalArgs) -> Option<String> {
    let files: Vec<PathBuf> = match (&global.kubeconfig, std::env::var_os("KUBECONFIG")) {
        (Some(file), _) => vec![file.clone()],
        (None, Some(list)) if !list.is_empty() => std::env::split_paths(&list).collect(),
        _ => std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".kube/config")).into_iter().collect(),
    };
    files.iter().find_map(|file| {
        let config: Value = crate::yaml::parse(std::fs::read(file).ok()?).ok()?;
        let context = config.get("current-context")?.as_str()?;
        (!context.is_empty()).then(|| context.to_owned())
    })
}
