//! `urumi rollback`.

use urumi_core::orchestrator::Action;
use urumi_core::{Precondition, StoreOrchestrator as _};

use super::{rollout, update};
use crate::cli::{GlobalArgs, RollbackArgs};
use crate::exit::CommandError;
use crate::output::Out;
use crate::{lookup, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &RollbackArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let store = lookup::exact(&target, out, &args.which.store).await?;
    // The one before the revision that was seen, also if somebody changes the store meanwhile.
    let to = args.to.or_else(|| store.revision.checked_sub(1).filter(|number| *number > 0));
    if args.dry_run {
        let preview = target.stores.preview_rollback(&store.id, to, &Precondition::NONE).await;
        return update::show(out, &store.id, &preview.map_err(|error| target.explain(error))?);
    }
    let back = Action::Rollback { to, by: None };
    let changed = target.stores.act_if(&store.id, back, &Precondition::NONE).await;
    let changed = changed.map_err(|error| target.explain(error))?;
    if changed.revision == store.revision {
        out.note(&format!("store {} has these options already; nothing was changed", store.id));
        return out.store(&changed);
    }
    rollout::follow(&target, out, changed, &args.wait).await
}
