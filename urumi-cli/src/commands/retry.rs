//! `urumi retry`.

use urumi_core::StoreOrchestratorExt as _;
use urumi_core::error::Error;
use urumi_core::store::wait::Ready;

use super::create::finish;
use crate::cli::{ExactArg, GlobalArgs, WaitArgs};
use crate::exit::{CommandError, LOST, Via};
use crate::output::Out;
use crate::{follow, lookup, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &ExactArg, wait: &WaitArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let id = lookup::exact(&target, out, &which.store).await?.id;
    if !wait.wait {
        let store = target.stores.retry(&id).await.map_err(|error| target.explain(error))?;
        out.store(&store)?;
        follow::mention_monitor(&target, out, &id);
        return Ok(());
    }
    let work = follow::attended(&target, &id, wait.limit.timeout, async {
        match target.stores.retry(&id).await {
            Ok(_) => {}
            Err(error @ Error::Unfinished { .. }) if error.is_retryable() => {
                out.warn(&format!("{error}; continuing"));
            }
            Err(error) => return Err(target.explain(error)),
        }
        follow::wait_until(&target, out, &id, "retrying", Ready.or_failed(), wait.limit.timeout).await
    });
    let consequence = match target.via() {
        Via::Cluster => format!("store {id} still exists; `urumi wait {id}` waits for it if a monitor runs"),
        Via::Memory => LOST.to_owned(),
        Via::Server => format!("store {id} still exists; `urumi wait {id}` waits for it"),
    };
    finish(out, follow::unless_interrupted(&consequence, work).await?)
}
