//! `urumi delete`.

use std::io;

use futures::StreamExt as _;
use futures::stream;
use urumi_core::store::wait::Deleted;
use urumi_core::{Precondition, Store};

use crate::cli::{DeleteArgs, GlobalArgs};
use crate::exit::{CommandError, ExitStatus};
use crate::lookup::{Found, can_ask, confirmed, description, look_up};
use crate::output::{Out, StoreTable, counted};
use crate::target::Target;
use crate::{follow, target};

/// How many stores are waited for at once.
const CONCURRENT_WAITS: usize = 16;

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &DeleteArgs) -> Result<(), CommandError> {
    if !args.yes && !can_ask() {
        return Err(CommandError::usage("cannot ask for confirmation without a terminal; pass --yes to delete stores")
            .hint("this deletes the stores and all their data"));
    }
    if args.if_version.is_some() && args.stores.len() != 1 {
        return Err(CommandError::usage("--if-version is the version of one store; name one store"));
    }
    let target = target::connect(global, out).await?;
    args.filter.check(target.via())?;
    let mut failures = Vec::new();
    let found = match args.filter.is_empty() {
        true => named(&target, out, args, &mut failures).await,
        false => filtered(&target, args).await?,
    };
    if found.is_empty() {
        if failures.is_empty() {
            if !args.filter.is_empty() {
                out.note("no store matches");
            }
            out.done(&[], true)?;
        }
        return CommandError::all(failures);
    }
    if !args.yes && !agreed(out, &found)? {
        let declined = match found.as_slice() {
            [one] => format!("store {} was not deleted", one.store.id),
            _ => "no store was deleted".to_owned(),
        };
        return Err(CommandError::new(ExitStatus::Other, declined));
    }
    let mut deleted = Vec::new();
    for Found { store, .. } in found {
        match begin(&target, &store, args).await {
            Ok(store) => deleted.push(store),
            Err(failure) => failures.push(failure),
        }
    }
    if args.wait.wait {
        deleted = gone(&target, out, deleted, args, &mut failures).await?;
    } else {
        for Store { id, .. } in &deleted {
            out.note(&format!("store {id} is being deleted; `urumi wait {id} --for deleted` waits for it"));
        }
    }
    let is_list = args.stores.len() != 1;
    if !deleted.is_empty() {
        out.done(&deleted, is_list)?;
    }
    CommandError::all(failures)
}

/// The named stores. A guess counts only if the user is asked about the store.
async fn named(target: &Target, out: &Out, args: &DeleteArgs, failures: &mut Vec<CommandError>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for text in &args.stores {
        match look_up(target, text, !args.yes).await {
            Ok(one) if found.iter().any(|other| other.store.id == one.store.id) => {}
            Ok(one) => found.push(one),
            Err(failure) if args.ignore_not_found && failure.code == ExitStatus::NotFound => {
                failure.errors.iter().for_each(|error| out.note(error));
            }
            Err(failure) => failures.push(failure),
        }
    }
    found
}

async fn filtered(target: &Target, args: &DeleteArgs) -> Result<Vec<Found>, CommandError> {
    let stores = target.stores.list().await.map_err(|error| target.explain(error))?;
    let matching = stores.into_iter().filter(|store| args.filter.matches(store));
    Ok(matching.map(|store| Found { store, guessed_from: None }).collect())
}

/// Shows the stores, and asks once for confirmation.
fn agreed(out: &Out, found: &[Found]) -> Result<bool, CommandError> {
    // Ask even with --quiet, which hides only notes.
    let out = out.asking();
    let (data, expected) = match found {
        [Found { store, .. }] => {
            out.note(&description(store));
            ("Type y or the id to delete the store:", store.id.as_str())
        }
        _ => {
            let stores: Vec<Store> = found.iter().map(|one| one.store.clone()).collect();
            let table = StoreTable::new(out.is_wide(), true).rows(&stores, jiff::Timestamp::now());
            anstream::adapter::strip_str(&table).to_string().lines().for_each(|line| out.note(line));
            out.note(&counted(found.len(), "store", "stores"));
            ("Type y to delete all these stores:", "y")
        }
    };
    for Found { store, guessed_from } in found {
        if let Some(text) = guessed_from {
            out.note(&format!("No store has the id {text:?}; {} is the closest one.", store.id));
        }
    }
    out.note("This deletes all orders, customers and other data. It cannot be undone.");
    out.note(data);
    confirmed(&mut io::stdin().lock(), expected)
}

/// Begins to delete the store that was found, and no later store of the same id: the question may have stood for long.
async fn begin(target: &Target, store: &Store, args: &DeleteArgs) -> Result<Store, CommandError> {
    let expected = args.if_version.clone().map_or(Precondition::NONE, Precondition::version);
    let expected = match store.uid {
        Some(_) => expected.pinned_to(store),
        // A server does not show uids.
        None => expected,
    };
    target.stores.delete_if(&store.id, &expected).await.map_err(|error| target.explain(error))
}

/// Waits until the stores are gone, and returns them as they were last seen.
async fn gone(
    target: &Target,
    out: &Out,
    deleted: Vec<Store>,
    args: &DeleteArgs,
    failures: &mut Vec<CommandError>,
) -> Result<Vec<Store>, CommandError> {
    let ids = deleted.iter().map(|store| store.id.as_str()).collect::<Vec<_>>().join(" ");
    let consequence = format!("the deletion continues; `urumi wait {ids} --for deleted` waits for it");
    let timeout = args.wait.limit.timeout;
    let waits = deleted.into_iter().map(|store| async move {
        // A monitor cleans up what the store has outside its namespace.
        let waiting = follow::wait_until(target, out, &store.id, "deleting", Deleted, timeout);
        let last = follow::attended(target, &store.id, timeout, waiting).await?;
        out.note(&format!("store {} is deleted", store.id));
        Ok(last.unwrap_or(store))
    });
    let all = async { Ok(stream::iter(waits).buffered(CONCURRENT_WAITS).collect::<Vec<_>>().await) };
    let mut last = Vec::new();
    for outcome in follow::unless_interrupted(&consequence, all).await? {
        match outcome {
            Ok(store) => last.push(store),
            Err(failure) => failures.push(failure),
        }
    }
    Ok(last)
}
