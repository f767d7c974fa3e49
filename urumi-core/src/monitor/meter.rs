//! The monitor's metrics. A monitor of a single store sets none: they would be mixed up with those of a monitor of all.

use jiff::Timestamp;
use metrics::{counter, gauge, histogram};

use super::action::{EndedChange, Outcome};
use super::counts::StatusCounts;
use crate::kubernetes::{ClusterError, ClusterErrorKind};
use crate::orchestrator::local::Failure;
use crate::telemetry::{RECONCILE, RECONCILE_QUEUE, STORE_CHANGE, STORE_CHANGES, STORE_READY, STORES};

/// Sets the monitor's metrics.
pub(super) struct Meter {
    enabled: bool,
    /// The values that were set last.
    stores: Option<StatusCounts>,
    queue: Option<usize>,
}

impl Meter {
    pub(super) fn new(enabled: bool) -> Self {
        Meter { enabled, stores: None, queue: None }
    }

    /// Sets the number of stores of each status.
    pub(super) fn stores(&mut self, counts: StatusCounts) {
        if self.enabled && self.stores.replace(counts) != Some(counts) {
            for (status, count) in counts.iter() {
                gauge!(STORES, "status" => status.as_str()).set(count);
            }
        }
    }

    /// Sets the number of actions under way.
    pub(super) fn queue(&mut self, length: usize) {
        if self.enabled && self.queue.replace(length) != Some(length) {
            gauge!(RECONCILE_QUEUE).set(u32::try_from(length).unwrap_or(u32::MAX));
        }
    }

    /// Counts an action that has ended.
    pub(super) fn finished(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Recorded(_, result) => self.count("record", result.as_ref().map_or_else(word, |_| "ok")),
            Outcome::CarriedOut(Ok(())) => self.count("carry_out", "ok"),
            Outcome::CarriedOut(Err(Failure::Cluster(error))) => self.count("carry_out", word(error)),
            Outcome::CarriedOut(Err(Failure::Other(_))) => self.count("carry_out", "error"),
            Outcome::Proving(result) => self.count("prove", result.as_ref().map_or_else(word, |()| "ok")),
            Outcome::RolledBack(result) => self.count("go_back", result.as_ref().map_or("error", |_| "ok")),
            Outcome::Pruned(result) => self.count("prune", result.as_ref().map_or_else(word, |_| "ok")),
            Outcome::Explained(result) => self.count("explain", result.as_ref().map_or_else(word, |_| "ok")),
            Outcome::Abandoned => {}
        }
    }

    fn count(&self, action: &'static str, result: &'static str) {
        if self.enabled {
            counter!(RECONCILE, "action" => action, "result" => result).increment(1);
        }
    }

    /// Records how long a store took to become ready, provisioned since `since`.
    pub(super) fn ready(&self, since: Timestamp, now: Timestamp) {
        if self.enabled {
            // The times are from the clocks of two machines, so the difference may be negative.
            histogram!(STORE_READY).record(now.duration_since(since).as_secs_f64().max(0.0));
        }
    }

    /// Records how a change of a store ended, and how long it took.
    pub(super) fn changed(&self, ended: &EndedChange, now: Timestamp) {
        if !self.enabled {
            return;
        }
        let outcome = match ended {
            EndedChange::RolledOut { requested } => {
                histogram!(STORE_CHANGE).record(now.duration_since(*requested).as_secs_f64().max(0.0));
                "rolled_out"
            }
            EndedChange::RolledBack => "rolled_back",
            EndedChange::Failed => "failed",
        };
        counter!(STORE_CHANGES, "outcome" => outcome).increment(1);
    }
}

/// The label of a failure: `conflict` if another client changed or deleted the object first.
fn word(error: &ClusterError) -> &'static str {
    match error.kind() {
        ClusterErrorKind::Conflict | ClusterErrorKind::NotFound | ClusterErrorKind::Terminating => "conflict",
        _ => "error",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;
    use metrics_util::debugging::DebuggingRecorder;
    use serde_json::json;
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::cluster::{InMemoryCluster, Outage};
    use crate::kubernetes::Verb;
    use crate::store::status::StoreStatus;
    use crate::store::update::UpdateStore;
    use crate::store::wait::{Deleted, Ready, UpToDate};
    use crate::telemetry::recorded;
    use crate::{CreateStore, Orchestrator, ReadinessMonitor, StoreOrchestrator, StoreOrchestratorExt};

    const PATIENCE: Duration = Duration::from_secs(60);

    fn orchestrator(cluster: &InMemoryCluster) -> Orchestrator {
        let (wall, start) = (Timestamp::now(), Instant::now());
        let clock = move || wall + SignedDuration::try_from(start.elapsed()).unwrap();
        Orchestrator::builder(cluster.clone()).clock(clock).build()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stores_life_is_measured() {
        let recorder = DebuggingRecorder::new();
        let seen = recorder.snapshotter();
        let _local = metrics::set_default_local_recorder(&recorder);
        let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_secs(7)).build();
        let urumi = orchestrator(&cluster);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let mut monitor = ReadinessMonitor::new(urumi.clone()).spawn(&tasks, stop.clone());
        monitor.synced().await;
        let statuses = |of: &dyn Fn(&str) -> u32| -> Vec<String> {
            let line = |status: &str| format!("urumi_stores{{status={status}}} {}", of(status));
            let mut lines: Vec<String> = StoreStatus::ALL.into_iter().map(|status| line(status.as_str())).collect();
            lines.sort();
            lines
        };
        let stores =
            |lines: Vec<String>| -> Vec<String> { lines.into_iter().filter(|line| line.starts_with(STORES)).collect() };
        assert_eq!(stores(recorded(&seen)), statuses(&|_| 0), "every status is set from the start");

        let conflict = Outage::new(ClusterErrorKind::Conflict).verb(Verb::PatchMetadata).times(1);
        cluster.begin_outage(conflict);
        let lost = Outage::new(ClusterErrorKind::Unavailable).verb(Verb::PatchMetadata).after(1).times(1);
        cluster.begin_outage(lost);
        let store = urumi.create(CreateStore::new("Metered", "medusa")).await.unwrap().into_store();
        urumi.wait_until(&store.id, Ready.or_failed(), PATIENCE).await.unwrap();
        // The write's answer arrives after the watch has shown the write.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let lines = recorded(&seen);
        assert_eq!(stores(lines.clone()), statuses(&|status| u32::from(status == "ready")));
        let count = |line: &str| lines.iter().filter(|l| l.starts_with(line)).count();
        assert_eq!(count("urumi_reconcile_total{action=record,result=conflict} 1"), 1, "{lines:#?}");
        assert_eq!(count("urumi_reconcile_total{action=record,result=error} 1"), 1, "{lines:#?}");
        assert_eq!(count("urumi_reconcile_total{action=record,result=ok} "), 1, "{lines:#?}");
        assert_eq!(count("urumi_reconcile_queue{} 0"), 1, "{lines:#?}");
        let took = lines.iter().find_map(|line| line.strip_prefix("urumi_store_ready_seconds{} [")).unwrap();
        let took: f64 = took.strip_suffix(']').unwrap().parse().unwrap();
        // Creation times are in whole seconds; the database starts first, and two attempts failed.
        assert!((7.0..30.0).contains(&took), "{took}");

        let change = UpdateStore::new().options(json!({"api": {"env": {"A": "b"}}}).as_object().cloned().unwrap());
        urumi.update(&store.id, change).await.unwrap();
        urumi.wait_until(&store.id, UpToDate, PATIENCE).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let lines = recorded(&seen);
        assert!(lines.contains(&"urumi_store_changes_total{outcome=rolled_out} 1".to_owned()), "{lines:#?}");
        assert!(lines.iter().any(|line| line.starts_with("urumi_store_change_seconds{} [")), "{lines:#?}");

        urumi.delete(&store.id).await.unwrap();
        urumi.wait_until(&store.id, Deleted, PATIENCE).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(stores(recorded(&seen)), statuses(&|_| 0));
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_monitor_of_one_store_is_not_counted() {
        let recorder = DebuggingRecorder::new();
        let seen = recorder.snapshotter();
        let _local = metrics::set_default_local_recorder(&recorder);
        let urumi = orchestrator(&InMemoryCluster::default());
        let store = urumi.create(CreateStore::new("Quiet", "medusa")).await.unwrap().into_store();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        ReadinessMonitor::new(urumi.clone()).only(store.id.clone()).spawn(&tasks, stop.clone());
        urumi.wait_until(&store.id, Ready.or_failed(), PATIENCE).await.unwrap();
        assert_eq!(recorded(&seen), Vec::<String>::new());
        stop.cancel();
    }

    #[test]
    fn who_was_too_slow_is_told_from_what_went_wrong() {
        let failed = |kind| Failure::Cluster(ClusterError::new(Verb::Create, "Secret a/b", kind, "because"));
        let recorder = DebuggingRecorder::new();
        metrics::with_local_recorder(&recorder, || {
            let meter = Meter::new(true);
            meter.finished(&Outcome::CarriedOut(Ok(())));
            meter.finished(&Outcome::CarriedOut(Err(failed(ClusterErrorKind::Terminating))));
            meter.finished(&Outcome::CarriedOut(Err(failed(ClusterErrorKind::Forbidden))));
            let error = ClusterError::new(Verb::List, "events", ClusterErrorKind::Forbidden, "because");
            meter.finished(&Outcome::Explained(Err(error)));
            meter.ready(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1), Timestamp::UNIX_EPOCH);
        });
        let lines = recorded(&recorder.snapshotter());
        assert_eq!(
            lines,
            [
                "urumi_reconcile_total{action=carry_out,result=conflict} 1",
                "urumi_reconcile_total{action=carry_out,result=error} 1",
                "urumi_reconcile_total{action=carry_out,result=ok} 1",
                "urumi_reconcile_total{action=explain,result=error} 1",
                "urumi_store_ready_seconds{} [0.0]",
            ]
        );
    }
}
