//! A store's timeline, from its record and Kubernetes' Events.

use jiff::Timestamp;

use super::Record;
use crate::kubernetes::Object;
use crate::store::seconds;
use crate::store::status::StoreStatus;
use crate::store::timeline::{AUDIT_REPORTER, Severity, TimelineEntry, TimelineSource};

/// The timeline that a record and some Events tell, oldest first.
pub(crate) fn timeline<'a>(record: &Record, events: impl IntoIterator<Item = &'a Object>) -> Vec<TimelineEntry> {
    let mut entries = changes(record);
    // Who asked for what is noted outside of the store's namespace: an earlier store may have had the same id.
    let of_this_one = |e: &TimelineEntry| e.source != TimelineSource::Audit || e.time >= record.created_at;
    entries.extend(events.into_iter().filter_map(entry).filter(of_this_one));
    entries.sort_by_key(|entry| entry.time);
    entries.iter_mut().for_each(|entry| entry.time = seconds::whole(entry.time));
    entries
}

/// The changes of status that a record tells of.
fn changes(record: &Record) -> Vec<TimelineEntry> {
    let change = |time, to: StoreStatus, reason: &str, message: &str| TimelineEntry {
        time,
        source: TimelineSource::Urumi,
        severity: match to {
            StoreStatus::Failed | StoreStatus::Degraded => Severity::Warning,
            _ => Severity::Normal,
        },
        reason: reason.to_owned(),
        message: message.to_owned(),
        object: None,
        count: 1,
    };
    let mut entries = vec![change(record.created_at, StoreStatus::Provisioning, "Created", "the store is on record")];
    for status_change in &record.history {
        let message = match (&*status_change.reason, &*status_change.message) {
            ("", "") => format!("the store is {}", status_change.to),
            (reason, "") => format!("the store is {}: {reason}", status_change.to),
            (reason, message) => format!("the store is {}: {reason} {message}", status_change.to),
        };
        let reason = match status_change.to {
            StoreStatus::Provisioning => "Retried",
            StoreStatus::Ready => "Ready",
            StoreStatus::Degraded => "Degraded",
            StoreStatus::Failed => "Failed",
            StoreStatus::Deleting => "Deleting",
        };
        entries.push(change(status_change.at, status_change.to, reason, &message));
    }
    if let Some(since) = record.deleting_since {
        entries.push(change(since, StoreStatus::Deleting, "Deleting", "the store is being deleted"));
    }
    entries
}

/// An Event as an entry. `None` where it has no time, which no Event should lack.
fn entry(event: &Object) -> Option<TimelineEntry> {
    let time = |pointer: &str| event.str_at(pointer).and_then(|text| text.parse::<Timestamp>().ok());
    let seen = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"];
    let count = event.int_at("/series/count").or_else(|| event.int_at("/count")).unwrap_or(1);
    let about = |field: &str| event.str_at(&format!("/involvedObject/{field}")).unwrap_or_default();
    let reporter = event.str_at("/reportingComponent").filter(|r| !r.is_empty());
    let is_audit = reporter == Some(AUDIT_REPORTER);
    Some(TimelineEntry {
        time: seen.iter().find_map(|pointer| time(pointer)).or_else(|| time("/metadata/creationTimestamp"))?,
        source: if is_audit { TimelineSource::Audit } else { TimelineSource::Kubernetes },
        severity: if event.str_at("/type") == Some("Warning") { Severity::Warning } else { Severity::Normal },
        reason: event.str_at("/reason").unwrap_or_default().to_owned(),
        message: event.str_at("/message").unwrap_or_default().trim().to_owned(),
        object: (!is_audit).then(|| format!("{} {}", about("kind"), about("name"))),
        count: u32::try_from(count).unwrap_or(1).max(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Kind;
    use crate::record;
    use k8s_openapi::api::core::v1::{Event, Namespace};
    use serde_json::json;

    fn event(value: serde_json::Value) -> Object {
        Object::from_value(Kind::of::<Event>(), value).unwrap()
    }

    #[test]
    fn an_event_of_either_api_is_read() {
        let old = event(json!({
            "metadata": {"name": "a", "namespace": "store-a", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "involvedObject": {"kind": "Pod", "name": "postgres-0"}, "reason": "BackOff", "type": "Warning",
            "message": "again\n", "count": 7, "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:01:00Z",
        }));
        let read = entry(&old).unwrap();
        assert_eq!((read.count, read.severity, read.time.as_second()), (7, Severity::Warning, 1_767_225_660));
        assert_eq!((read.object.as_deref(), read.message.as_str()), (Some("Pod postgres-0"), "again"));
        let new = event(json!({
            "metadata": {"name": "b", "namespace": "store-a"}, "reason": "Scheduled", "type": "Normal",
            "involvedObject": {"kind": "Pod", "name": "postgres-0"}, "reportingComponent": "default-scheduler",
            "eventTime": "2026-01-01T00:00:00.123456Z", "firstTimestamp": null, "lastTimestamp": null,
        }));
        let namespace = json!({"metadata": {
            "name": "store-a", "labels": {record::ENABLED: "true"}, "annotations": {record::ID: "a"},
        }});
        let record = Record::read(&Object::from_value(Kind::of::<Namespace>(), namespace).unwrap()).unwrap();
        let shown = timeline(&record, [&new]);
        assert_eq!(shown.last().unwrap().time.to_string(), "2026-01-01T00:00:00Z");
        let read = entry(&new).unwrap();
        assert_eq!((read.count, read.source, read.time.as_second()), (1, TimelineSource::Kubernetes, 1_767_225_600));
        assert!(entry(&event(json!({"metadata": {"name": "c", "namespace": "store-a"}}))).is_none());
    }
}
