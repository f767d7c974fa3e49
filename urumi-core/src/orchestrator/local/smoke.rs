//! Runs a smoke order: a Job places an order like a customer, and reports the result.

use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::change::at_version;
use super::{Orchestrator, readable_spec, render_error};
use crate::assessment::diagnosis::Surroundings;
use crate::assessment::smoke_result::{JOB_NAME, end, report, why_silent};
use crate::error::{Error, Operation, Result};
use crate::kubernetes::{ClusterErrorKind, LabelRequirement, Query, WatchEvent};
use crate::kubernetes::{Kind, Object};
use crate::orchestrator::Precondition;
use crate::plan::manifests::smoke;
use crate::record::{CREATION, Record, belongs, own};
use crate::store::StoreId;
use crate::store::smoke::{LABEL, SmokeReport};
use crate::store::status::StoreStatus;

const OPERATION: Operation = Operation::Smoke;
/// How much longer than the Job's deadline to wait.
const GRACE: Duration = Duration::from_secs(30);
/// How long to wait for a Job without a deadline.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(600);
/// The number of hash digits in the name of a run.
const SUFFIX: usize = 8;

/// The objects of a watch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Pods,
    Jobs,
}

impl Orchestrator {
    pub(super) async fn smoke_store(&self, id: &StoreId, expected: &Precondition) -> Result<SmokeReport> {
        let record = self.expected_record(OPERATION, id, expected).await?;
        at_version(OPERATION, &record, expected)?;
        match self.smoke_recorded(&record).await {
            Ok(report) => Ok(report),
            Err(error) => Err(self.gone_meanwhile(&record).await.unwrap_or(error)),
        }
    }

    async fn smoke_recorded(&self, record: &Record) -> Result<SmokeReport> {
        let id = &record.id;
        let wrong = |message: String| wrong_state(id, message);
        if !matches!(record.status, StoreStatus::Ready | StoreStatus::Degraded) {
            let next = match record.status {
                StoreStatus::Failed => "retry it",
                StoreStatus::Deleting => "it takes no more orders",
                _ => "wait until it is ready",
            };
            return Err(wrong(format!("it is {}; {next}", record.status)));
        }
        let spec = readable_spec(OPERATION, record)?;
        let engine = self.inner.engines.require(&spec.engine)?;
        let Some(mut job) = smoke(engine.as_ref(), spec).map_err(|e| render_error(spec, &e))? else {
            return Err(wrong(format!("stores of the engine {} have no smoke order", spec.engine)));
        };
        let suffix = self.free_suffix(record).await?;
        job.set_name(&format!("{}-{suffix}", job.name()));
        let nonce = Uuid::new_v4().to_string();
        job.add_annotation(CREATION, &nonce);
        own(&mut job, id, &record.uid);
        let job = self.create_job(id, job, &nonce).await?;
        // The namespace may belong to a later store by now. Then the Job's owner does not exist, and the garbage
        // collector removes the Job.
        self.expected_record(OPERATION, id, &Precondition::uid(&record.uid)).await?;
        let limit = limit_of(&job);
        match tokio::time::timeout(limit, self.reported(id, &job)).await {
            Ok(report) => report,
            Err(_) => Err(silent(id, format!("its Job did not end within {} s", limit.as_secs()))),
        }
    }

    /// The end of the name of the next order's Job, unless the Job of an order has not ended. All processes that see the same
    /// Jobs choose the same name, so that the API server accepts the Job of one of them only.
    async fn free_suffix(&self, record: &Record) -> Result<String> {
        let id = &record.id;
        let of_orders = LabelRequirement::Equals(LABEL.to_owned(), "true".to_owned());
        let jobs = Query::all(Kind::of::<Job>()).in_namespace(id.namespace()).labelled(of_orders);
        let mut jobs = self.inner.cluster.list(&jobs).await.map_err(|e| Error::cluster(OPERATION, Some(id), e))?;
        // Orders on a schedule are limited by their CronJob.
        jobs.retain(|job| job.annotation(CREATION).is_some() && belongs(job, id, &record.uid));
        let now = self.now();
        // A Job whose end nobody notes must not prevent orders for ever.
        let is_late = |job: &Object| {
            let created: Option<Timestamp> = job.str_at("/metadata/creationTimestamp").and_then(|at| at.parse().ok());
            let limit = SignedDuration::try_from(limit_of(job)).unwrap_or(SignedDuration::MAX);
            created.is_some_and(|at| now.duration_since(at) > limit)
        };
        let runs = |job: &Object| end(job).is_none() && !is_late(job);
        if jobs.iter().any(runs) {
            return Err(Error::SmokeRunning { id: id.clone() });
        }
        let mut uids: Vec<&str> = jobs.iter().filter_map(Object::uid).collect();
        uids.sort_unstable();
        let hash = Sha256::digest([&[record.uid.as_str()][..], &uids].concat().join(" "));
        Ok(base16ct::lower::encode_string(&hash).chars().take(SUFFIX).collect())
    }

    /// Creates the Job of an order, unless another process has created the same one.
    async fn create_job(&self, id: &StoreId, job: Object, nonce: &str) -> Result<Object> {
        let failed = |error| Error::cluster(OPERATION, Some(id), error);
        match self.inner.cluster.create(&job).await {
            Err(error) if error.kind() == ClusterErrorKind::AlreadyExists => {
                let existing = self.inner.cluster.get(&job.reference()).await.map_err(failed)?;
                match existing {
                    // The backend repeated the request and found the Job that its first try had created.
                    Some(existing) if existing.annotation(CREATION) == Some(nonce) => Ok(existing),
                    _ => Err(Error::SmokeRunning { id: id.clone() }),
                }
            }
            created => created.map_err(failed),
        }
    }

    /// The error of a run whose store was deleted in the meantime: the run itself did not fail.
    async fn gone_meanwhile(&self, before: &Record) -> Option<Error> {
        let id = &before.id;
        match self.record(OPERATION, id).await {
            Err(gone @ Error::NotFound { .. }) => Some(gone),
            Ok(now) if now.uid != before.uid => Some(Error::NotFound { id: id.clone() }),
            Ok(now) if now.status == StoreStatus::Deleting => {
                Some(wrong_state(id, format!("it is {} and accepts no more orders", now.status)))
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// Waits until the Job's pod has reported, or the Job has ended without a report.
    async fn reported(&self, id: &StoreId, job: &Object) -> Result<SmokeReport> {
        let of_job = LabelRequirement::Equals(JOB_NAME.to_owned(), job.name().to_owned());
        let pods = Query::all(Kind::of::<Pod>()).in_namespace(id.namespace()).labelled(of_job);
        let jobs = Query::all(Kind::of::<Job>()).in_namespace(id.namespace()).named(job.name());
        let of_pods = self.inner.cluster.watch(&pods).map(|event| (Of::Pods, event));
        let of_jobs = self.inner.cluster.watch(&jobs).map(|event| (Of::Jobs, event));
        let mut events = stream::select(of_pods, of_jobs);
        let mut pod: Option<Object> = None;
        let mut job = job.clone();
        while let Some((of, event)) = events.next().await {
            let changed = match event {
                Ok(WatchEvent::Snapshot(objects)) if of == Of::Jobs && objects.is_empty() => {
                    // The Job was deleted before the watch began, or the watch's first list is older than the Job.
                    let listed = self.inner.cluster.list(&jobs).await;
                    let listed = listed.map_err(|error| Error::cluster(OPERATION, Some(id), error))?;
                    if listed.is_empty() {
                        return Err(silent(id, "its Job was deleted".to_owned()));
                    }
                    listed
                }
                Ok(WatchEvent::Snapshot(objects)) => objects.into_iter().collect(),
                Ok(WatchEvent::Applied(object)) => vec![object],
                Ok(WatchEvent::Deleted(object)) if object.kind() == job.kind() => {
                    return Err(silent(id, "its Job was deleted".to_owned()));
                }
                Ok(WatchEvent::Deleted(object)) => vec![object],
                Err(error) if error.is_retryable() => continue,
                Err(error) => return Err(Error::cluster(OPERATION, Some(id), error)),
            };
            for object in changed {
                if let Some(report) = report(&object) {
                    return report.map_err(|message| silent(id, message));
                }
                match object.kind() == job.kind() {
                    true => job = object,
                    // A pod that is being removed no longer shows the cause.
                    false if !object.is_terminating() => pod = Some(object),
                    false => {}
                }
            }
            if end(&job).is_some() {
                // The end of the Job may be seen before the end of its pod.
                let listed = self.inner.cluster.list(&pods).await;
                let listed = listed.map_err(|error| Error::cluster(OPERATION, Some(id), error))?;
                if let Some(report) = listed.iter().find_map(report) {
                    return report.map_err(|message| silent(id, message));
                }
                let pods = pod.iter().collect();
                return Err(silent(id, why_silent(&job, &Surroundings { pods, ..Surroundings::default() })));
            }
        }
        Err(silent(id, "the watch of its Job ended".to_owned()))
    }
}

/// How long to wait for a Job.
fn limit_of(job: &Object) -> Duration {
    let seconds = job.int_at("/spec/activeDeadlineSeconds").and_then(|s| u64::try_from(s).ok());
    seconds.map_or(WITHOUT_DEADLINE, |seconds| Duration::from_secs(seconds) + GRACE)
}

fn wrong_state(id: &StoreId, message: String) -> Error {
    Error::WrongState { operation: OPERATION, id: id.clone(), message }
}

fn silent(id: &StoreId, message: String) -> Error {
    Error::NoReport { id: id.clone(), message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::InMemoryCluster;

    #[tokio::test(start_paused = true)]
    async fn a_job_that_went_before_it_was_watched_is_not_waited_for() {
        let urumi = Orchestrator::builder(InMemoryCluster::default()).build();
        let id = StoreId::parse("shop").unwrap();
        let job = json!({"metadata": {"namespace": id.namespace(), "name": "smoke-gone"}});
        let job = Object::from_value(Kind::of::<Job>(), job).unwrap();
        let reported = tokio::time::timeout(Duration::from_secs(3600), urumi.reported(&id, &job)).await;
        assert!(matches!(reported, Ok(Err(Error::NoReport { .. }))), "{reported:?}");
    }
}
