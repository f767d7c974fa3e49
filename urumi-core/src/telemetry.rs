//! What can be counted and measured of the library, through the facade of the [`metrics`] crate.
//!
//! Whoever embeds the library installs a recorder (an exporter for Prometheus, say) and calls [`describe`] once; the
//! library never does. Without a recorder all this costs next to nothing: what is counted goes nowhere.
//!
//! | name | kind | labels | what |
//! |---|---|---|---|
//! | `urumi_kubernetes_requests_total` | counter | `verb`, `code` | HTTP requests to the API server |
//! | `urumi_kubernetes_request_duration_seconds` | histogram | `verb` | how long they took |
//! | `urumi_stores` | gauge | `status` | stores on record |
//! | `urumi_store_ready_seconds` | histogram | | from the beginning of a provisioning until it is on record as ready |
//! | `urumi_store_changes_total` | counter | `outcome` | changes of stores that have come to an end |
//! | `urumi_store_change_seconds` | histogram | | from the request of a change until it is on record as rolled out |
//! | `urumi_reconcile_total` | counter | `action`, `result` | what the monitor did for stores |
//! | `urumi_reconcile_queue` | gauge | | what it is doing now |
//! | `urumi_leader` | gauge | | 1 while this process leads, else 0 |
//! | `urumi_leader_lease_writes_total` | counter | `result` | what was written to the Lease of the election |
//!
//! - `verb` is Kubernetes' own (`get`, `list`, `watch`, `create`, `patch`, `delete`) or `logs`. Every try counts, those that are
//!   repeated and those that were given up too. `code` is the HTTP status, or `none` where no answer came.
//! - The duration of a watch says nothing, and is left out; that of `logs` is the time until they began.
//! - `outcome` is `rolled_out`, `rolled_back` (the change could not be rolled out, and the store has returned to the last good
//!   revision) or `failed` (it could not be rolled out, and there was nothing to return to).
//! - `action` is `record` (a status was written), `carry_out` (objects were made or repaired), `go_back` (a revision that could not
//!   be rolled out was taken back), `prune` (objects of earlier revisions were removed) or `explain` (events were read). `result` is `ok`, `error`, or `conflict` where somebody else was faster: changed the store, or deleted it.
//! - A write of the Lease ends `ok`, as an `error`, or as a `conflict` where somebody else was faster.
//! - What is about stores and reconciling comes from a monitor of all stores only. Every process that runs one shows all of `urumi_stores`, also
//!   while another is the one that writes: take the maximum and not the sum. Install the recorder before the monitor
//!   starts, for gauges are set when they change.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

#[cfg(feature = "kube")]
pub(crate) const REQUESTS: &str = "urumi_kubernetes_requests_total";
#[cfg(feature = "kube")]
pub(crate) const REQUEST_DURATION: &str = "urumi_kubernetes_request_duration_seconds";
pub(crate) const STORES: &str = "urumi_stores";
pub(crate) const STORE_READY: &str = "urumi_store_ready_seconds";
pub(crate) const STORE_CHANGES: &str = "urumi_store_changes_total";
pub(crate) const STORE_CHANGE: &str = "urumi_store_change_seconds";
pub(crate) const RECONCILE: &str = "urumi_reconcile_total";
pub(crate) const RECONCILE_QUEUE: &str = "urumi_reconcile_queue";
pub(crate) const LEADER: &str = "urumi_leader";
pub(crate) const LEADER_WRITES: &str = "urumi_leader_lease_writes_total";

/// Tells the recorder that is installed what all of the library's metrics are, and in which unit.
pub fn describe() {
    #[cfg(feature = "kube")]
    {
        describe_counter!(REQUESTS, Unit::Count, "Requests to the Kubernetes API server, repeated ones included.");
        let text = "How long the Kubernetes API server took to answer. Watches are left out.";
        describe_histogram!(REQUEST_DURATION, Unit::Seconds, text);
    }
    describe_gauge!(STORES, Unit::Count, "Stores on record, by status.");
    let text = "How long stores took from the beginning of their provisioning until they were on record as ready.";
    describe_histogram!(STORE_READY, Unit::Seconds, text);
    describe_counter!(STORE_CHANGES, Unit::Count, "Changes of stores that have come to an end, by outcome.");
    let text = "How long changes of stores took from their request until they were on record as rolled out.";
    describe_histogram!(STORE_CHANGE, Unit::Seconds, text);
    describe_counter!(RECONCILE, Unit::Count, "What the readiness monitor did for stores, by how it ended.");
    describe_gauge!(RECONCILE_QUEUE, Unit::Count, "What the readiness monitor is doing for stores now.");
    describe_gauge!(LEADER, Unit::Count, "Whether this process leads.");
    describe_counter!(LEADER_WRITES, Unit::Count, "What was written to the Lease of the election, by how it ended.");
}

/// What was recorded since the last look, as sorted lines: `name{label=value} value`.
#[cfg(test)]
pub(crate) fn recorded(snapshotter: &metrics_util::debugging::Snapshotter) -> Vec<String> {
    use metrics_util::debugging::DebugValue;

    let line = |(key, _, _, value): (metrics_util::CompositeKey, _, _, DebugValue)| {
        let key = key.key();
        let labels: Vec<String> = key.labels().map(|l| format!("{}={}", l.key(), l.value())).collect();
        let value = match value {
            DebugValue::Counter(n) => n.to_string(),
            DebugValue::Gauge(n) => n.to_string(),
            DebugValue::Histogram(all) => format!("{:?}", all.iter().map(|n| n.0).collect::<Vec<_>>()),
        };
        format!("{}{{{}}} {value}", key.name(), labels.join(","))
    };
    let mut lines: Vec<String> = snapshotter.snapshot().into_vec().into_iter().map(line).collect();
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use metrics::{counter, gauge, histogram};
    use metrics_util::debugging::DebuggingRecorder;

    use super::*;

    #[test]
    fn everything_is_described_and_documented() {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || {
            describe();
            for name in [REQUESTS, STORE_CHANGES, RECONCILE, LEADER_WRITES] {
                counter!(name).increment(1);
            }
            for name in [STORES, RECONCILE_QUEUE, LEADER] {
                gauge!(name).set(1);
            }
            for name in [REQUEST_DURATION, STORE_READY, STORE_CHANGE] {
                histogram!(name).record(1);
            }
        });
        let documentation = include_str!("telemetry.rs");
        let mut seen = BTreeSet::new();
        for (key, unit, description, _) in snapshotter.snapshot().into_vec() {
            let name = key.key().name().to_owned();
            assert!(unit.is_some() && description.is_some_and(|text| text.ends_with('.')), "{name}");
            assert!(documentation.contains(&format!("//! | `{name}` |")), "{name}");
            seen.insert(name);
        }
        assert_eq!(seen.len(), 10, "{seen:?}");
    }
}
