//! `urumi doctor`.

mod cluster;
mod server;

use serde::Serialize;
use urumi_core::StoreOrchestrator;

use crate::choice::{Choice, choose};
use crate::cli::Global;
use crate::exit::{Code, Failure};
use crate::output::{Cell, Out, columns};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// What was looked at, how it is, and what to do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    result: Verdict,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_do: Option<String>,
}

fn ok(what: impl Into<String>) -> Finding {
    Finding { result: Verdict::Ok, what: what.into(), to_do: None }
}

fn warn(what: impl Into<String>, to_do: impl Into<String>) -> Finding {
    Finding { result: Verdict::Warn, what: what.into(), to_do: Some(to_do.into()) }
}

fn fail(what: impl Into<String>, to_do: impl Into<String>) -> Finding {
    Finding { result: Verdict::Fail, what: what.into(), to_do: Some(to_do.into()) }
}

pub(super) async fn run(global: &Global, out: &Out) -> Result<(), Failure> {
    let choice = choose(global)?;
    let findings = match &choice {
        Choice::Cluster(_) => cluster::look(&choice, global, out).await,
        Choice::Server(address) => server::look(address, &choice, global, out).await,
    };
    if !out.structured(&findings)? {
        out.data(&columns(findings.iter().map(row).collect()))?;
    }
    if findings.iter().any(|f| f.result == Verdict::Fail) {
        return Err(Failure::shown(Code::Other));
    }
    Ok(())
}

fn row(finding: &Finding) -> Vec<Cell> {
    use urumi_core::store::status::StoreStatus;
    let (word, like) = match finding.result {
        Verdict::Ok => ("ok", StoreStatus::Ready),
        Verdict::Warn => ("warn", StoreStatus::Degraded),
        Verdict::Fail => ("fail", StoreStatus::Failed),
    };
    let text = match &finding.to_do {
        Some(to_do) => format!("{} — {to_do}", finding.what),
        None => finding.what.clone(),
    };
    vec![Cell::status_like(word, like), text.into()]
}

/// Whether the stores can be listed, and their records read.
async fn stores(stores: &dyn StoreOrchestrator) -> Finding {
    match stores.list().await {
        Ok(stores) => {
            let unreadable: Vec<&str> = stores
                .iter()
                .filter(|s| s.reason.as_deref().is_some_and(|reason| reason.starts_with("RecordUnreadable")))
                .map(|s| s.id.as_str())
                .collect();
            if unreadable.is_empty() {
                ok(format!("{} stores, all records are readable", stores.len()))
            } else {
                warn(
                    format!("{} stores, these records are not readable: {}", stores.len(), unreadable.join(", ")),
                    "`urumi get STORE` says why; a newer urumi may have written them",
                )
            }
        }
        Err(error) => fail(error.to_string(), "the stores must be listable"),
    }
}
