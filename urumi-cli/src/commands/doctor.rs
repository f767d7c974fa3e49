//! `urumi doctor`.

mod cluster;
mod server;

use serde::Serialize;
use urumi_core::StoreOrchestrator;

use crate::choice::{Choice, choose};
use crate::cli::GlobalArgs;
use crate::exit::{CommandError, ExitStatus};
use crate::output::{Cell, Out, columns, counted};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum CheckResult {
    Ok,
    Warn,
    Fail,
}

/// The result of a check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    result: CheckResult,
    /// What the check found.
    what: String,
    /// How to fix the problem, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_do: Option<String>,
}

fn ok(what: impl Into<String>) -> Finding {
    Finding { result: CheckResult::Ok, what: what.into(), to_do: None }
}

fn warn(what: impl Into<String>, to_do: impl Into<String>) -> Finding {
    Finding { result: CheckResult::Warn, what: what.into(), to_do: Some(to_do.into()) }
}

fn fail(what: impl Into<String>, to_do: impl Into<String>) -> Finding {
    Finding { result: CheckResult::Fail, what: what.into(), to_do: Some(to_do.into()) }
}

pub(super) async fn run(global: &GlobalArgs, out: &Out) -> Result<(), CommandError> {
    let choice = choose(global)?;
    let findings = match &choice {
        Choice::Cluster(_) => cluster::check(&choice, global, out).await,
        Choice::Server(address) => server::check(address, &choice, global, out).await,
    };
    if !out.structured(&findings)? {
        out.data(&columns(findings.iter().map(row).collect()))?;
    }
    if findings.iter().any(|f| f.result == CheckResult::Fail) {
        return Err(CommandError::shown(ExitStatus::Other));
    }
    Ok(())
}

fn row(finding: &Finding) -> Vec<Cell> {
    use urumi_core::store::status::StoreStatus;
    let (word, like) = match finding.result {
        CheckResult::Ok => ("ok", StoreStatus::Ready),
        CheckResult::Warn => ("warn", StoreStatus::Degraded),
        CheckResult::Fail => ("fail", StoreStatus::Failed),
    };
    let text = match &finding.to_do {
        Some(to_do) => format!("{} — {to_do}", finding.what),
        None => finding.what.clone(),
    };
    vec![Cell::status_like(word, like), text.into()]
}

/// Checks that the stores can be listed, and their records read.
async fn stores(stores: &dyn StoreOrchestrator) -> Finding {
    match stores.list().await {
        Ok(stores) => {
            let unreadable: Vec<&str> = stores
                .iter()
                .filter(|s| s.reason.as_deref().is_some_and(|reason| reason.starts_with("RecordUnreadable")))
                .map(|s| s.id.as_str())
                .collect();
            let count = counted(stores.len(), "store", "stores");
            if unreadable.is_empty() {
                ok(format!("{count}; all records are readable"))
            } else {
                warn(
                    format!("{count}; these have unreadable records: {}", unreadable.join(", ")),
                    "`urumi get STORE` shows the reason; a newer version of urumi may have written the records",
                )
            }
        }
        Err(error) => fail(error.to_string(), "urumi must be able to list the stores"),
    }
}
