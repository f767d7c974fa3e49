//! `urumi retry`.

use urumi_core::StoreOrchestratorExt as _;
use urumi_core::error::Error;
use urumi_core::store::wait::Ready;

use super::create::finish;
use crate::cli::{GlobalArgs, StoreArg, WaitArgs};
use crate::exit::CommandError;
use crate::output::Out;
use crate::{follow, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &StoreArg, wait: &WaitArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let id = target.stores.find(&which.store).await?.id;
    if !wait.wait {
        let store = target.stores.retry(&id).await?;
        out.store(&store)?;
        follow::mention_monitor(&target, out, &id);
        return Ok(());
    }
    let work = follow::attended(&target, &id, wait.timeout, async {
        match target.stores.retry(&id).await {
            Ok(_) => {}
            Err(error @ Error::Unfinished { .. }) if error.is_retryable() => {
                out.warn(&format!("{error}; continuing"));
            }
            Err(error) => return Err(target.explain(error)),
        }
        follow::wait_until(&target, out, &id, "retrying", Ready.or_failed(), wait.timeout).await
    });
    let consequence = match target.as_cluster() {
        Some(_) => format!("store {id} still exists; `urumi wait {id}` waits for it if a monitor runs"),
        None => format!("store {id} still exists; `urumi wait {id}` waits for it"),
    };
    finish(out, follow::unless_interrupted(&consequence, work).await?)
}
