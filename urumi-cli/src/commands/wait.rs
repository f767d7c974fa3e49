//! `urumi wait`.

use futures::future::join_all;
use urumi_core::Store;
use urumi_core::StoreId;
use urumi_core::store::wait::{Deleted, Ready};

use crate::cli::{AwaitArgs, Awaited, GlobalArgs};
use crate::exit::{CommandError, ExitStatus};
use crate::lookup;
use crate::output::Out;
use crate::target::Target;
use crate::{follow, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &AwaitArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let mut failures = Vec::new();
    let mut ids: Vec<StoreId> = Vec::new();
    for text in &args.stores {
        let found = match args.awaited {
            Awaited::Ready => lookup::exact(&target, out, text).await,
            // A store whose id only begins with the text is another store.
            Awaited::Deleted => lookup::look_up(&target, text, false).await.map(|found| found.store),
        };
        match found {
            Ok(store) if ids.contains(&store.id) => {}
            Ok(store) => ids.push(store.id),
            // A store that does not exist counts as deleted.
            Err(failure) if args.awaited == Awaited::Deleted && failure.code == ExitStatus::NotFound => {
                failure.errors.iter().for_each(|error| out.note(error));
            }
            Err(failure) => failures.push(failure),
        }
    }
    let names = ids.iter().map(StoreId::as_str).collect::<Vec<_>>().join(" ");
    let consequence = match ids.as_slice() {
        [id] => format!("store {id} is not affected; `urumi wait {id}` waits again"),
        _ => format!("the stores are not affected; `urumi wait {names}` waits again"),
    };
    let waits = async { Ok(join_all(ids.iter().map(|id| wait(&target, out, id, args))).await) };
    let mut stores = Vec::new();
    for outcome in follow::unless_interrupted(&consequence, waits).await? {
        match outcome {
            Ok(store) => stores.extend(store),
            Err(failure) => failures.push(failure),
        }
    }
    show(out, args, &stores)?;
    CommandError::all(failures)
}

async fn wait(target: &Target, out: &Out, id: &StoreId, args: &AwaitArgs) -> Result<Option<Store>, CommandError> {
    match args.awaited {
        Awaited::Ready => {
            let store = follow::wait_until(target, out, id, "waiting", Ready.or_failed(), args.limit.timeout).await?;
            store.iter().for_each(|store| follow::announce(out, store));
            Ok(store)
        }
        Awaited::Deleted => {
            let store = follow::wait_until(target, out, id, "waiting", Deleted, args.limit.timeout).await?;
            out.note(&format!("store {id} is deleted"));
            Ok(store)
        }
    }
}

fn show(out: &Out, args: &AwaitArgs, stores: &[Store]) -> Result<(), CommandError> {
    match stores {
        [] => Ok(()),
        stores if args.awaited == Awaited::Deleted => out.done(stores, args.stores.len() != 1),
        [store] if args.stores.len() == 1 => out.store(store),
        stores => out.stores(stores),
    }
}
