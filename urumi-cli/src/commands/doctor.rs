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
    /// Not checked.
    Skip,
}

/// The result of a check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    /// The name of the check, e.g. `clock`.
    check: String,
    result: CheckResult,
    /// What the check found.
    what: String,
    /// How to fix the problem, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_do: Option<String>,
}

impl Finding {
    fn new(result: CheckResult, what: impl Into<String>, to_do: Option<String>) -> Self {
        Finding { check: String::new(), result, what: what.into(), to_do }
    }

    /// Names the check.
    fn of(mut self, check: impl Into<String>) -> Self {
        self.check = check.into();
        self
    }
}

fn ok(what: impl Into<String>) -> Finding {
    Finding::new(CheckResult::Ok, what, None)
}

fn warn(what: impl Into<String>, to_do: impl Into<String>) -> Finding {
    Finding::new(CheckResult::Warn, what, Some(to_do.into()))
}

fn fail(what: impl Into<String>, to_do: impl Into<String>) -> Finding {
    Finding::new(CheckResult::Fail, what, Some(to_do.into()))
}

fn skip(what: impl Into<String>, to_do: impl Into<String>) -> Finding {
    Finding::new(CheckResult::Skip, what, Some(to_do.into()))
}

pub(super) async fn run(global: &GlobalArgs, out: &Out) -> Result<(), CommandError> {
    let choice = choose(global)?;
    let findings = match &choice {
        Choice::Cluster(_) => cluster::check(&choice, global, out).await,
        Choice::Server(address) => server::check(address, &choice, global, out).await,
    };
    if !out.structured(&findings)? {
        out.data(&columns(findings.iter().flat_map(rows).collect()))?;
    }
    if findings.iter().any(|f| f.result == CheckResult::Fail) {
        return Err(CommandError::shown(ExitStatus::Other));
    }
    Ok(())
}

/// A finding, and below it what to do.
fn rows(finding: &Finding) -> Vec<Vec<Cell>> {
    use urumi_core::store::status::StoreStatus;
    let (word, like) = match finding.result {
        CheckResult::Ok => ("ok", StoreStatus::Ready),
        CheckResult::Warn => ("warn", StoreStatus::Degraded),
        CheckResult::Fail => ("fail", StoreStatus::Failed),
        CheckResult::Skip => ("skip", StoreStatus::Deleting),
    };
    let mut rows = vec![vec![Cell::status_like(word, like), (&finding.what).into()]];
    rows.extend(finding.to_do.as_ref().map(|to_do| vec!["".into(), format!("→ {to_do}").into()]));
    rows
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
            if stores.is_empty() {
                ok("the stores can be listed; there are none")
            } else if unreadable.is_empty() {
                let records = if stores.len() == 1 { "its record is" } else { "all records are" };
                ok(format!("{count}; {records} readable"))
            } else {
                warn(
                    format!("{count}; these records are unreadable: {}", unreadable.join(", ")),
                    "`urumi get STORE` shows the reason; a newer version of urumi may have written the records",
                )
            }
        }
        Err(error) => fail(error.to_string(), "urumi must be able to list the stores"),
    }
}
