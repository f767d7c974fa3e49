//! `urumi smoke`.

use urumi_core::store::smoke::SmokeReport;
use urumi_core::store::status::StoreStatus;
use urumi_core::{Store, StoreOrchestratorExt as _};

use crate::cli::{ExactArg, GlobalArgs};
use crate::exit::{CommandError, ExitStatus};
use crate::format::Format;
use crate::output::{Out, safe, table};
use crate::progress::Progress;
use crate::{follow, lookup, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &ExactArg) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let Store { id, status, .. } = lookup::exact(&target, out, &which.store).await?;
    let order = async {
        let _shown = Progress::new(out, &id, "placing an order");
        target.stores.smoke(&id).await.map_err(|error| {
            let failure = target.explain(error);
            match (failure.code, status) {
                (ExitStatus::Conflict, StoreStatus::Failed) => failure
                    .hint(format!("`urumi get {id}` shows the cause; after fixing it, run `urumi retry {id} --wait`")),
                _ => failure,
            }
        })
    };
    let report = follow::unless_interrupted(&format!("the order in store {id} continues"), order).await?;
    show(out, &report)?;
    match report.failure() {
        None => Ok(()),
        Some((step, error)) => {
            let message = format!("the test order in store {id} failed: {}: {}", safe(step), safe(error));
            Err(CommandError::new(ExitStatus::StoreFailed, message))
        }
    }
}

fn show(out: &Out, report: &SmokeReport) -> Result<(), CommandError> {
    if out.structured(report)? {
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        let order = report.order.as_deref().map(|order| format!("{}\n", safe(order)));
        return out.data(&order.unwrap_or_default());
    }
    let rows = report.steps.iter().map(|step| {
        let result = step.error.as_deref().unwrap_or("ok");
        vec![step.name.as_str().into(), format!("{} ms", step.milliseconds).into(), result.into()]
    });
    out.data(&table(&["STEP", "TIME", "RESULT"], rows.collect()))?;
    if let Some(order) = &report.order {
        out.note(&format!("placed order {}", safe(order)));
    }
    Ok(())
}
