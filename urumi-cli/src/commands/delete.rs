//! `urumi delete`.

use std::io::{self, BufRead as _, IsTerminal as _};

use urumi_core::store::wait::Deleted;
use urumi_core::{Precondition, Store, StoreOrchestratorExt as _};

use crate::cli::{Global, WaitArgs, Which};
use crate::exit::{Code, Failure};
use crate::output::Out;
use crate::{follow, target};

pub(super) async fn run(
    global: &Global,
    out: &Out,
    which: &Which,
    yes: bool,
    expected: &Precondition,
    wait: &WaitArgs,
) -> Result<(), Failure> {
    if !yes && !io::stdin().is_terminal() {
        return Err(Failure::usage("deleting without a terminal to ask on needs --yes")
            .hint("the store would be deleted with everything in it, its data included"));
    }
    let target = target::connect(global, out).await?;
    let store = target.stores.find(&which.store).await?;
    if !yes && !confirmed(out, &store)? {
        return Err(Failure::new(Code::Other, format!("store {} was not deleted", store.id)));
    }
    let id = store.id;
    let store = target.stores.delete_if(&id, expected).await?;
    if !wait.wait {
        out.store(&store)?;
        out.note(&format!("store {id} is being deleted; `urumi wait {id} --for deleted` waits until it is gone"));
        return Ok(());
    }
    // What the store has outside of its namespace is for a monitor to undo.
    let waiting = follow::wait_until(&target, out, &id, "deleting", Deleted, wait.timeout);
    let work = follow::attended(&target, &id, wait.timeout, waiting);
    let left = format!("the deletion of store {id} goes on: `urumi wait {id} --for deleted` follows it");
    let last = follow::unless_interrupted(&left, work).await?;
    out.note(&format!("store {id} is gone"));
    out.store(&last.unwrap_or(store))
}

/// Shows what would be deleted, and asks.
fn confirmed(out: &Out, store: &Store) -> Result<bool, Failure> {
    let id = &store.id;
    // Asked even with --quiet: a question is no remark.
    let asking = Out::new(out.format(), false);
    asking.note(&format!(
        "store {id} {:?} ({}, {}), namespace {}",
        store.name, store.engine, store.status, store.namespace
    ));
    asking.note("It is deleted with everything in it: orders, customers and all other data. This cannot be undone.");
    asking.note(&format!("Type y or the id ({id}) to delete it:"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(answer == id.as_str() || answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
}
