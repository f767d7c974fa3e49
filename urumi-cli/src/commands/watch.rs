//! `urumi watch`.

use futures::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;
use urumi_core::error::{Error, ErrorKind};
use urumi_core::{Store, StoreEvent, StoreId, StoreOrchestratorExt as _};

use crate::cli::{Format, GlobalArgs};
use crate::exit::CommandError;
use crate::output::{Out, StoreTable, json_line, to_yaml};
use crate::{follow, target};

/// A change as JSON or YAML.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Change<'a> {
    Listed { stores: &'a [Store] },
    Changed { store: &'a Store },
    Gone { id: &'a StoreId },
}

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: Option<&str>) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    // Send a request first: a watch retries for ever, but the user should see an error at once.
    let id = match which {
        Some(which) => Some(target.stores.find(which).await?.id),
        None => {
            target.stores.list().await?;
            None
        }
    };
    let mut events = target.stores.watch(id.as_ref());
    let mut table = StoreTable::new(out.format() == Some(Format::Wide));
    let watching = async {
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) if is_temporary(&error) => {
                    out.warn(&CommandError::from(error).errors.join("; "));
                    continue;
                }
                Err(error) => return Err(CommandError::from(error)),
            };
            show(out, &event, &mut table)?;
            if id.is_some() && matches!(&event, StoreEvent::Gone(gone) if Some(gone) == id.as_ref()) {
                return Ok(());
            }
        }
        Ok(())
    };
    tokio::select! {
        biased;
        // Ctrl-C is the normal end of a watch.
        () = follow::told_to_stop() => Ok(()),
        result = watching => result,
    }
}

fn is_temporary(error: &Error) -> bool {
    error.is_retryable() || error.kind() == ErrorKind::Unreachable
}

fn show(out: &Out, event: &StoreEvent, table: &mut StoreTable) -> Result<(), CommandError> {
    let change = match event {
        StoreEvent::Listed(stores) => Change::Listed { stores },
        StoreEvent::Changed(store) => Change::Changed { store },
        StoreEvent::Gone(id) => Change::Gone { id },
        // The output has no form for other events.
        _ => return Ok(()),
    };
    let text = match out.format() {
        Some(Format::Json) => json_line(&change)?,
        Some(Format::Yaml) => format!("---\n{}", to_yaml(&change)?),
        Some(Format::Name) => match change {
            Change::Listed { stores } => stores.iter().map(|s| format!("{}\n", s.id)).collect(),
            Change::Changed { store } => format!("{}\n", store.id),
            Change::Gone { id } => format!("{id}\n"),
        },
        _ => match change {
            Change::Listed { stores } => table.rows(stores, Timestamp::now()),
            Change::Changed { store } => table.rows(std::slice::from_ref(store), Timestamp::now()),
            Change::Gone { id } => format!("{id}  gone\n"),
        },
    };
    out.data(&text)
}
