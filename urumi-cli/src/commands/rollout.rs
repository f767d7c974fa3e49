//! How a change of a store is followed: shared by `urumi update` and `urumi rollback`.

use std::fmt;

use urumi_core::store::status::Condition;
use urumi_core::store::wait::{UpToDate, Verdict, WaitCondition};
use urumi_core::{Store, StoreId};

use crate::cli::WaitArgs;
use crate::exit::{CommandError, ExitStatus, Via};
use crate::follow;
use crate::output::Out;
use crate::target::Target;

/// The present revision is rolled out, or was given up.
struct Settled;

impl WaitCondition for Settled {
    fn check(&self, store: Option<&Store>) -> Verdict {
        match UpToDate.check(store) {
            Verdict::Failed if store.is_some_and(|store| reason(store).is_some()) => Verdict::Met,
            verdict => verdict,
        }
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        UpToDate.fmt(f)
    }
}

/// Why the present revision is not up to date and will not be.
fn reason(store: &Store) -> Option<&Condition> {
    let condition = store.conditions.iter().find(|condition| condition.type_ == Condition::UP_TO_DATE)?;
    matches!(condition.reason.as_str(), "Failed" | "RolledBack").then_some(condition)
}

/// Prints the store, after the change is rolled out if that is wanted.
pub(super) async fn follow(target: &Target, out: &Out, store: Store, wait: &WaitArgs) -> Result<(), CommandError> {
    let id = store.id.clone();
    if !wait.wait {
        out.store(&store)?;
        mention(target, out, &id, store.revision);
        return Ok(());
    }
    let consequence = format!("the change of store {id} goes on; `urumi history {id}` shows its revisions");
    let waiting = async {
        let limit = wait.limit.timeout;
        follow::wait_until(target, out, &id, "changing", Settled, limit).await
    };
    let attended = follow::attended(target, &id, wait.limit.timeout, waiting);
    let Some(changed) = follow::unless_interrupted(&consequence, attended).await? else { return Ok(()) };
    out.store(&changed)?;
    match reason(&changed) {
        Some(condition) => Err(CommandError::new(ExitStatus::StoreFailed, condition.message.clone())),
        None => {
            out.note(&format!("store {id} is up to date with revision {}", changed.revision));
            Ok(())
        }
    }
}

/// Prints how the change goes on.
fn mention(target: &Target, out: &Out, id: &StoreId, revision: u64) {
    let by = match target.via() {
        Via::Memory => return,
        Via::Server => "is being rolled out by the server",
        Via::Cluster => "needs a running monitor (`urumi monitor` or urumi-http) to be rolled out",
    };
    out.note(&format!("note: revision {revision} {by}; `urumi get {id}` shows whether it is up to date"));
}
