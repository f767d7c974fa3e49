//! `urumi events`.

use jiff::Timestamp;
use urumi_core::StoreOrchestratorExt as _;
use urumi_core::store::status::StoreStatus;
use urumi_core::store::timeline::{Severity, TimelineEntry, TimelineSource};

use crate::cli::{Format, GlobalArgs, StoreArg};
use crate::exit::CommandError;
use crate::output::{Cell, Out, age, table};
use crate::target;

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &StoreArg) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let id = target.stores.find(&which.store).await?.id;
    let events = target.stores.timeline(&id).await?;
    if out.structured(&events)? {
        return Ok(());
    }
    out.data(&event_table(&events, out.format() == Some(Format::Wide), Timestamp::now()))
}

fn event_table(events: &[TimelineEntry], wide: bool, now: Timestamp) -> String {
    let row = |event: &TimelineEntry| -> Vec<Cell> {
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
    };
    let mut head = vec!["TIME"];
    if wide {
        head.extend(["AGE", "COUNT"]);
    }
    head.extend(["SOURCE", "TYPE", "REASON", "OBJECT", "MESSAGE"]);
    table(&head, events.iter().map(row).collect())
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
            let text = event_table(&events, wide, at(60));
            insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
        }
    }
}
