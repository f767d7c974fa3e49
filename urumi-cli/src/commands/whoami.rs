//! `urumi whoami`.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use urumi_core::HttpOrchestrator;
use urumi_core::error::Result;

use crate::choice::{Choice, ServerChoice, choose};
use crate::cli::{ClusterChoice, GlobalArgs};
use crate::commands::version;
use crate::exit::CommandError;
use crate::format::Format;
use crate::login;
use crate::output::{Cell, Out, facts, short};
use crate::target::{self, Credential};

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
        (Choice::Server(choice), Some(server)) => {
            to_server(out, choice, server).await?;
            version::note_notices(out, server).await;
            Ok(())
        }
        (Choice::Server(_), None) => Ok(()),
    }
}

async fn to_server(out: &Out, choice: &ServerChoice, server: &HttpOrchestrator) -> Result<(), CommandError> {
    let identity = ask(server).await?;
    // After the request, which may have renewed the token.
    let (expires, is_renewed) = match target::credential(choice, server)? {
        Some(Credential::Given(token)) => (login::claims(token.reveal()).and_then(|claims| claims.expires()), false),
        Some(Credential::Saved(_, login)) => (login.expires(), login.renewal.is_some()),
        None => (None, false),
    };
    let mut shown = json!({
        "server": server.address(), "subject": identity.subject, "teams": identity.teams, "role": identity.role,
        "how": identity.how,
    });
    if let (Some(expires), Some(fields)) = (expires, shown.as_object_mut()) {
        fields.insert("tokenExpires".to_owned(), json!(expires));
        fields.insert("renewable".to_owned(), json!(is_renewed));
    }
    if out.structured(&shown)? {
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        return out.data(&format!("{}\n", crate::output::safe(&identity.subject)));
    }
    let teams = if identity.teams.is_empty() { "-".to_owned() } else { identity.teams.join(", ") };
    let mut lines: Vec<(&str, Cell)> = vec![
        ("Server", server.address().into()),
        ("Subject", identity.subject.into()),
        ("Teams", teams.into()),
        ("Role", identity.role.into()),
        ("Authentication", identity.how.into()),
    ];
    if let Some(expires) = expires {
        let renewal = if is_renewed { "; it is renewed before" } else { "" };
        let rest = short(expires.duration_since(Timestamp::now()));
        lines.push(("Token expires", format!("{expires:.0} (in {rest}){renewal}").into()));
    }
    out.data(&facts(lines))
}

/// Prints the kubeconfig context. A cluster has no roles of urumi; it has its own access control.
fn to_cluster(global: &GlobalArgs, out: &Out, cluster: ClusterChoice) -> Result<(), CommandError> {
    let (name, context) = match cluster {
        ClusterChoice::Kube => ("kube", global.kube_context.clone().or_else(|| current_context(global))),
        ClusterChoice::Memory => ("memory", None),
    };
    if out.structured(&json!({"cluster": name, "kubeContext": context}))? {
        return Ok(());
    }
    let context = context.unwrap_or_else(|| "-".to_owned());
    if out.format() == Some(Format::Name) {
        return out.data(&format!("{}\n", crate::output::safe(&context)));
    }
    out.data(&facts(vec![("Cluster", name.into()), ("Kubeconfig context", context.into())]))?;
    out.note(match cluster {
        ClusterChoice::Kube => "the cluster decides what this context's user may do; `urumi doctor` checks it",
        ClusterChoice::Memory => "this is no real cluster: its stores exist only in the command's memory",
    });
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
