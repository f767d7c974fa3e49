//! `urumi diff`.

use serde::Serialize;
use urumi_core::store::preview::{Difference, Repair};
use urumi_core::{Precondition, StoreId, StoreOrchestrator as _, StoreOrchestratorExt as _};

use crate::cli::{DiffArgs, GlobalArgs};
use crate::exit::{CommandError, ExitStatus};
use crate::format::Format;
use crate::output::{Out, safe};
use crate::target;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Differences<'a> {
    id: &'a str,
    differences: &'a [Difference],
}

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &DiffArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let id = target.stores.find(&args.which.store).await.map_err(|error| target.explain(error))?.id;
    let (differences, same) = match args.revision {
        None => (target.stores.differences(&id).await, format!("store {id} matches its manifests")),
        Some(number) => {
            let preview = target.stores.preview_rollback(&id, Some(number), &Precondition::NONE).await;
            (
                preview.map(|preview| preview.objects),
                format!("the present revision of store {id} has the same manifests"),
            )
        }
    };
    let differences = differences.map_err(|error| target.explain(error))?;
    show(out, &id, &differences, &same)?;
    match args.exit_code && !differences.is_empty() {
        true => Err(CommandError::shown(ExitStatus::Different)),
        false => Ok(()),
    }
}

/// Prints the differences; `same` is said if there are none.
fn show(out: &Out, id: &StoreId, differences: &[Difference], same: &str) -> Result<(), CommandError> {
    if out.structured(&Differences { id: id.as_str(), differences })? {
        return Ok(());
    }
    if differences.is_empty() {
        out.note(same);
        return Ok(());
    }
    let mut text = String::new();
    for difference in differences {
        if out.format() == Some(Format::Name) {
            text.push_str(&format!("{}\n", difference.object));
            continue;
        }
        let action = match difference.action {
            Repair::Create => "create",
            Repair::Repair => "repair",
            Repair::Delete => "delete",
            _ => "change",
        };
        text.push_str(&format!("{action} {}\n", safe(&difference.object)));
        difference.fields.iter().for_each(|drift| text.push_str(&format!("  {}\n", safe(&drift.to_string()))));
    }
    out.data(&text)
}
