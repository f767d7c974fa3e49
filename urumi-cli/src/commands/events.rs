//! `urumi events`.

use std::collections::HashSet;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use urumi_core::error::ErrorKind;
use urumi_core::store::status::StoreStatus;
use urumi_core::store::timeline::{Severity, TimelineEntry, TimelineSource};
use urumi_core::{StoreEvent, StoreId, StoreOrchestratorExt as _};

use crate::cli::{EventsArgs, GlobalArgs};
use crate::exit::CommandError;
use crate::output::{Cell, GrowingTable, Out, age};
use crate::target::Target;
use crate::{follow, target};

/// How often to ask for new events while following. Events of Kubernetes do not change the store.
const POLL: Duration = Duration::from_secs(2);

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &EventsArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let id = target.stores.find(&args.which.store).await.map_err(|error| target.explain(error))?.id;
    if args.period.follow {
        return tokio::select! {
            biased;
            // Ctrl-C is the normal end of following.
            () = follow::told_to_stop() => Ok(()),
            result = print_all(&target, out, &id, args) => result,
        };
    }
    let mut events = target.stores.timeline(&id).await.map_err(|error| target.explain(error))?;
    events.retain(|event| args.wants(event, Timestamp::now()));
    if out.structured(&events)? {
        return Ok(());
    }
    out.data(&EventTable::new(out.is_wide()).rows(&events, Timestamp::now()))
}

/// Prints the events, and new ones until the store is gone.
async fn print_all(target: &Target, out: &Out, id: &StoreId, args: &EventsArgs) -> Result<(), CommandError> {
    let mut changes = target.stores.watch(Some(id));
    let mut ticks = tokio::time::interval(POLL);
    let mut table = EventTable::growing(out.is_wide());
    let mut known = HashSet::new();
    loop {
        let change = tokio::select! {
            _ = ticks.tick() => None,
            change = changes.next() => change,
        };
        if matches!(change, Some(Ok(StoreEvent::Gone(gone))) if gone == *id) {
            out.note(&format!("store {id} is gone"));
            return Ok(());
        }
        let events = match target.stores.timeline(id).await {
            Ok(events) => events,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                out.note(&format!("store {id} is gone"));
                return Ok(());
            }
            Err(error) if error.is_retryable() || error.kind() == ErrorKind::Unreachable => {
                out.warn(&error.to_string());
                continue;
            }
            Err(error) => return Err(target.explain(error)),
        };
        let now = Timestamp::now();
        let mut rows = Vec::new();
        for event in events {
            if args.wants(&event, now) && known.insert(format!("{event:?}")) && !out.record(&event)? {
                rows.push(event);
            }
        }
        if !rows.is_empty() {
            out.data(&table.rows(&rows, now))?;
        }
    }
}

/// A table of events that is printed in parts.
pub(super) struct EventTable {
    wide: bool,
    table: GrowingTable,
}

impl EventTable {
    pub(super) fn new(wide: bool) -> Self {
        let mut head = vec!["TIME"];
        if wide {
            head.extend(["AGE", "COUNT"]);
        }
        head.extend(["SOURCE", "TYPE", "REASON", "OBJECT", "MESSAGE"]);
        EventTable { wide, table: GrowingTable::new(head) }
    }

    /// For events that are added: with room for every age, source and type, and for most reasons and objects.
    fn growing(wide: bool) -> Self {
        let EventTable { table, .. } = EventTable::new(wide);
        let mut widths = vec![20];
        if wide {
            widths.extend([6, 5]);
        }
        widths.extend([10, 7, 20, 40]);
        EventTable { wide, table: table.at_least(widths) }
    }

    /// Formats the next events.
    pub(super) fn rows(&mut self, events: &[TimelineEntry], now: Timestamp) -> String {
        self.table.rows(events.iter().map(|event| row(event, self.wide, now)).collect())
    }
}

fn row(event: &TimelineEntry, wide: bool, now: Timestamp) -> Vec<Cell> {
    let source = match event.source {
        TimelineSource::Urumi => "urumi",
        TimelineSource::Kubernetes => "kubernetes",
        TimelineSource::Audit => "audit",
        _ => "other",
    };
    let severity = match event.severity {
        Severity::Normal => Cell::new("Normal"),
        Severity::Warning => Cell::status_like("Warning", StoreStatus::Degraded),
    };
    let mut row = vec![format!("{:.0}", event.time).into()];
    if wide {
        row.extend([age(event.time, now).into(), event.count.to_string().into()]);
    }
    let times = if !wide && event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
    row.extend([
        source.into(),
        severity,
        (&event.reason).into(),
        event.object.as_deref().unwrap_or("-").into(),
        format!("{}{times}", event.message).into(),
    ]);
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_aligned_and_cannot_change_the_terminal() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let event = |seconds, source, severity, reason: &str, message: &str, count| {
            let mut event = TimelineEntry::new(at(seconds), source, severity, reason);
            event.message = message.into();
            event.object = (source == TimelineSource::Kubernetes).then(|| "Pod postgres-0".into());
            event.count = count;
            event
        };
        let events = [
            event(0, TimelineSource::Urumi, Severity::Normal, "Created", "the store is on record", 1),
            event(0, TimelineSource::Audit, Severity::Normal, "CreateStore", "user:ann created it", 1),
            event(9, TimelineSource::Kubernetes, Severity::Warning, "BackOff", "back-off\n\u{1b}[31mred", 7),
        ];
        for wide in [false, true] {
            let text = EventTable::new(wide).rows(&events, at(60));
            insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
        }
    }
}
