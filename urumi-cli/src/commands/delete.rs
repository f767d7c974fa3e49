//! `urumi delete`.

use std::io::{self, BufRead as _, IsTerminal as _};

use urumi_core::store::wait::Deleted;
use urumi_core::{Precondition, Store, StoreOrchestratorExt as _};

use crate::cli::{GlobalArgs, StoreArg, WaitArgs};
use crate::exit::{CommandError, ExitStatus};
use crate::output::Out;
use crate::{follow, target};

pub(super) async fn run(
    global: &GlobalArgs,
    out: &Out,
    which: &StoreArg,
    yes: bool,
    expected: &Precondition,
    wait: &WaitArgs,
) -> Result<(), CommandError> {
    if !yes && !io::stdin().is_terminal() {
        return Err(CommandError::usage(
            "cannot ask for confirmation without a terminal; pass --yes to delete the store",
        )
        .hint("this deletes the store and all its data"));
    }
    let target = target::connect(global, out).await?;
    let store = target.stores.find(&which.store).await?;
    if !yes && !confirmed(out, &store)? {
        return Err(CommandError::new(ExitStatus::Other, format!("store {} was not deleted", store.id)));
    }
    // No later store of the same id: the question may have stood for long. A server does not show uids.
    let expected = match store.uid {
        Some(_) => expected.clone().pinned_to(&store),
        None => expected.clone(),
    };
    let id = store.id;
    let store = target.stores.delete_if(&id, &expected).await?;
    if !wait.wait {
        out.store(&store)?;
        out.note(&format!("store {id} is being deleted; `urumi wait {id} --for deleted` waits for it"));
        return Ok(());
    }
    // A monitor cleans up what the store has outside its namespace.
    let waiting = follow::wait_until(&target, out, &id, "deleting", Deleted, wait.timeout);
    let work = follow::attended(&target, &id, wait.timeout, waiting);
    let consequence = format!("store {id} is still being deleted; `urumi wait {id} --for deleted` waits for it");
    let last = follow::unless_interrupted(&consequence, work).await?;
    out.note(&format!("store {id} is deleted"));
    out.store(&last.unwrap_or(store))
}

/// Shows the store, and asks for confirmation.
fn confirmed(out: &Out, store: &Store) -> Result<bool, CommandError> {
    let id = &store.id;
    // Ask even with --quiet, which hides only notes.
    let asking = Out::new(out.format(), false);
    asking.note(&format!(
        "store {id} {:?} ({}, {}), namespace {}",
        store.name, store.engine, store.status, store.namespace
    ));
    asking.note("This deletes the store with all orders, customers and other data. It cannot be undone.");
    asking.note(&format!("Type y or the id ({id}) to delete the store:"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(answer == id.as_str() || answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
}
