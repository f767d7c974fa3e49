//! `urumi describe`.

use futures::future;
use jiff::Timestamp;
use serde::Serialize;
use urumi_core::StoreOrchestratorExt as _;
use urumi_core::store::timeline::TimelineEntry;

use super::events::EventTable;
use super::get::{Shown, mention_monitor, options, options_table};
use crate::cli::{GlobalArgs, StoreArg};
use crate::exit::CommandError;
use crate::format::Format;
use crate::output::{Out, details};
use crate::target;

/// A store with its options and its history, as JSON or YAML.
#[derive(Serialize)]
struct Described<'a> {
    #[serde(flatten)]
    store: Shown<'a>,
    events: &'a [TimelineEntry],
}

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &StoreArg) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let store = target.stores.find(&which.store).await.map_err(|error| target.explain(error))?;
    if out.format() == Some(Format::Name) {
        return out.store(&store);
    }
    let (options, events) = future::join(options(&target, out, &store), target.stores.timeline(&store.id)).await;
    let events = events.map_err(|error| target.explain(error))?;
    if out.structured(&Described { store: Shown::new(&store, options.as_ref()), events: &events })? {
        return Ok(());
    }
    let now = Timestamp::now();
    let mut text = details(&store, true, now);
    if let Some(options) = &options {
        text.push_str(&options_table(options));
    }
    text.push('\n');
    text.push_str(&EventTable::new(out.is_wide()).rows(&events, now));
    out.data(&text)?;
    mention_monitor(&target, out, std::slice::from_ref(&store));
    Ok(())
}
