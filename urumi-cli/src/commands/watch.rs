//! `urumi watch`.

use std::collections::HashSet;

use futures::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;
use urumi_core::error::{Error, ErrorKind};
use urumi_core::{Store, StoreEvent, StoreId, StoreOrchestratorExt as _};

use crate::cli::{GlobalArgs, ListedArgs};
use crate::exit::CommandError;
use crate::format::Format;
use crate::output::{Out, StoreTable};
use crate::{follow, target};

/// A change as JSON or YAML.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Change<'a> {
    Listed { stores: &'a [Store] },
    Changed { store: &'a Store },
    Gone { id: &'a StoreId },
}

pub(super) async fn run(
    global: &GlobalArgs,
    out: &Out,
    which: Option<&str>,
    listed: &ListedArgs,
) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    listed.filter.check(target.via())?;
    // Send a request first: a watch retries for ever, but the user should see an error at once.
    let id = match which {
        Some(which) => Some(target.stores.find(which).await.map_err(|error| target.explain(error))?.id),
        None => {
            target.stores.list().await.map_err(|error| target.explain(error))?;
            None
        }
    };
    let mut events = target.stores.watch(id.as_ref());
    let mut table = StoreTable::growing(out.is_wide(), !listed.no_headers);
    let mut selection = Selection { listed, ids: HashSet::new() };
    let watching = async {
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) if is_temporary(&error) => {
                    out.warn(&target.explain(error).errors.join("; "));
                    continue;
                }
                Err(error) => return Err(target.explain(error)),
            };
            let ends = matches!(&event, StoreEvent::Gone(gone) if Some(gone) == id.as_ref());
            if let Some(event) = selection.of(event) {
                show(out, &event, &mut table)?;
            }
            if ends {
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

/// The stores that match the filter.
struct Selection<'a> {
    listed: &'a ListedArgs,
    /// The stores that were printed last because they matched.
    ids: HashSet<StoreId>,
}

impl Selection<'_> {
    /// The event, if it concerns the selected stores. A store that no longer matches is reported once more.
    fn of(&mut self, event: StoreEvent) -> Option<StoreEvent> {
        match event {
            StoreEvent::Listed(mut stores) => {
                stores.retain(|store| self.listed.matches(store));
                self.ids = stores.iter().map(|store| store.id.clone()).collect();
                Some(StoreEvent::Listed(stores))
            }
            StoreEvent::Changed(store) => {
                let was_selected = self.ids.remove(&store.id);
                let is_selected = self.listed.matches(&store);
                if is_selected {
                    self.ids.insert(store.id.clone());
                }
                (was_selected || is_selected).then_some(StoreEvent::Changed(store))
            }
            StoreEvent::Gone(id) => self.ids.remove(&id).then_some(StoreEvent::Gone(id)),
            other => Some(other),
        }
    }
}

fn show(out: &Out, event: &StoreEvent, table: &mut StoreTable) -> Result<(), CommandError> {
    let change = match event {
        StoreEvent::Listed(stores) => Change::Listed { stores },
        StoreEvent::Changed(store) => Change::Changed { store },
        StoreEvent::Gone(id) => Change::Gone { id },
        // The output has no form for other events.
        _ => return Ok(()),
    };
    if out.record(&change)? {
        return Ok(());
    }
    let text = match (out.format(), change) {
        (Some(Format::Name), Change::Listed { stores }) => stores.iter().map(|s| format!("{}\n", s.id)).collect(),
        (Some(Format::Name), Change::Changed { store }) => format!("{}\n", store.id),
        (Some(Format::Name), Change::Gone { id }) => format!("{id}\n"),
        (_, Change::Listed { stores }) => table.rows(stores, Timestamp::now()),
        (_, Change::Changed { store }) => table.rows(std::slice::from_ref(store), Timestamp::now()),
        (_, Change::Gone { id }) => format!("{id}  gone\n"),
    };
    out.data(&text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use urumi_core::store::status::StoreStatus;

    use super::*;
    use crate::test_store::test_store;

    #[test]
    fn a_store_that_no_longer_matches_is_reported_once() {
        let mut listed = ListedArgs::default();
        listed.filter.status = vec![StoreStatus::Failed];
        let mut selection = Selection { listed: &listed, ids: HashSet::new() };
        let (failed, ready) = (test_store("a", json!({"status": "failed"})), test_store("a", json!({})));
        let other = test_store("b", json!({}));
        let all = StoreEvent::Listed(vec![ready.clone(), other.clone()]);
        assert_eq!(selection.of(all), Some(StoreEvent::Listed(Vec::new())));
        for (event, is_shown) in [
            (StoreEvent::Changed(ready.clone()), false),
            (StoreEvent::Changed(failed.clone()), true),
            (StoreEvent::Changed(failed.clone()), true),
            (StoreEvent::Changed(ready.clone()), true),
            (StoreEvent::Changed(ready), false),
            (StoreEvent::Gone(failed.id.clone()), false),
            (StoreEvent::Changed(failed.clone()), true),
            (StoreEvent::Gone(failed.id), true),
            (StoreEvent::Gone(other.id), false),
        ] {
            assert_eq!(selection.of(event.clone()).is_some(), is_shown, "{event:?}");
        }
    }
}
