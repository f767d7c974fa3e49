//! `urumi restart`.

use urumi_core::orchestrator::Action;
use urumi_core::{Precondition, StoreOrchestrator as _};

use crate::cli::{GlobalArgs, RestartArgs};
use crate::exit::{CommandError, Via};
use crate::output::Out;
use crate::{lookup, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &RestartArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let id = lookup::exact(&target, out, &args.which.store).await?.id;
    let restart = Action::Restart { component: args.component.clone() };
    let restarted = target.stores.act_if(&id, restart, &Precondition::NONE).await;
    out.store(&restarted.map_err(|error| target.explain(error))?)?;
    let by = match target.via() {
        Via::Memory => return Ok(()),
        Via::Server => "is being restarted by the server",
        Via::Cluster => "needs a running monitor (`urumi monitor` or urumi-http) to be restarted",
    };
    out.note(&format!("note: the store {by}; `urumi events {id} --follow` shows its new pods"));
    Ok(())
}
