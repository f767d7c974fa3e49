//! `urumi wait`.

use std::time::Duration;

use urumi_core::StoreOrchestratorExt as _;
use urumi_core::error::ErrorKind;
use urumi_core::store::wait::{Deleted, Ready};

use super::create::finish;
use crate::cli::{Awaited, GlobalArgs, StoreArg};
use crate::exit::CommandError;
use crate::output::Out;
use crate::{follow, target};

pub(super) async fn run(
    global: &GlobalArgs,
    out: &Out,
    which: &StoreArg,
    awaited: Awaited,
    timeout: Duration,
) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let id = match target.stores.find(&which.store).await {
        Ok(store) => store.id,
        // A store that does not exist counts as deleted.
        Err(error) if awaited == Awaited::Deleted && error.kind() == ErrorKind::NotFound => {
            out.note(&error.to_string());
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let consequence = format!("store {id} is not affected; `urumi wait {id}` waits again");
    let store = follow::unless_interrupted(&consequence, async {
        match awaited {
            Awaited::Ready => follow::wait_until(&target, out, &id, "waiting", Ready.or_failed(), timeout).await,
            Awaited::Deleted => follow::wait_until(&target, out, &id, "waiting", Deleted, timeout).await,
        }
    });
    match (awaited, store.await?) {
        (Awaited::Ready, store) => finish(out, store),
        (Awaited::Deleted, Some(store)) => {
            out.note(&format!("store {id} is deleted"));
            out.store(&store)
        }
        (Awaited::Deleted, None) => {
            out.note(&format!("store {id} is deleted"));
            Ok(())
        }
    }
}
