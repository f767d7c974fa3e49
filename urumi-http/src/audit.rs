//! Audits changes: caller, action, store and outcome, as a log line and as a Kubernetes Event.
//!
//! The Event refers to the store's namespace. Kubernetes keeps Events about cluster-scoped objects in `default`, so they
//! outlive the store. They are written in the background: an answer does not wait for them.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use metrics::counter;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use urumi_core::StoreId;
use urumi_core::cluster::ClusterBackend;
use urumi_core::kubernetes::{Kind, MalformedObject, Object};
use urumi_core::record;
use urumi_core::store::timeline::{AUDIT_REPORTER, CLUSTER_EVENTS};
use uuid::Uuid;

use crate::auth::{Action, Principal};
use crate::problem::{Code, Problem};

/// The maximum number of Events that are being written. Further Events are dropped: while the API server hangs, each would
/// hold memory until its deadline.
const MOST_AT_ONCE: usize = 256;

/// Writes audit records.
#[derive(Clone)]
pub(crate) struct Audit {
    cluster: Option<Arc<dyn ClusterBackend>>,
    tasks: TaskTracker,
    slots: Arc<Semaphore>,
    instance: Arc<str>,
}

impl Audit {
    /// Writes Events to `cluster`, if there is one, in tasks of `tasks`.
    pub(crate) fn new(cluster: Option<Arc<dyn ClusterBackend>>, tasks: TaskTracker) -> Self {
        let instance = format!("urumi-http-{}", Uuid::new_v4().simple());
        Audit { cluster, tasks, slots: Arc::new(Semaphore::new(MOST_AT_ONCE)), instance: instance.into() }
    }

    /// Records the outcome of an action. `store` is its store, if known.
    pub(crate) fn note<T>(
        &self,
        principal: &Principal,
        action: Action,
        store: Option<&StoreId>,
        outcome: &Result<T, Problem>,
    ) {
        let outcome = outcome.as_ref().err().map(|problem| problem.code);
        // Before the stores are listed, no permission can be checked and nothing is attempted.
        if outcome == Some(Code::NotReady) {
            return;
        }
        tracing::info!(
            target: "urumi::audit",
            subject = principal.subject,
            teams = ?principal.teams,
            role = %principal.role,
            how = ?principal.how,
            action = action.as_str(),
            store = store.map(StoreId::as_str),
            outcome = outcome.map_or("done", |code| code.as_str()),
            "audit"
        );
        // Refused actions are logged only: clients without permission must not fill the cluster with Events.
        let refused = outcome.is_some_and(|code| code.status().is_client_error());
        let (Some(cluster), Some(store), false) = (&self.cluster, store, refused) else { return };
        let verb = match action {
            Action::CreateStore => "Create",
            Action::DeleteStore => "Delete",
            Action::RetryStore => "Retry",
            Action::RestartStore => "Restart",
            Action::UpdateStore => "Update",
            Action::RollBackStore => "Rollback",
            Action::SmokeStore => "Smoke",
            Action::ViewCredentials => "Credentials",
            _ => return,
        };
        let message = match outcome {
            None => format!("{} ({}) asked for it", principal.subject, principal.role),
            Some(code) => format!("{} ({}) asked for it: {}", principal.subject, principal.role, code.as_str()),
        };
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            counter!("urumi_http_audit_events_dropped_total").increment(1);
            tracing::warn!(%store, "an audit Event was dropped: too many are being written; the log has the action");
            return;
        };
        let event = event(store, verb, outcome.is_some(), &message, &self.instance);
        let cluster = cluster.clone();
        self.tasks.spawn(async move {
            let written = match event {
                Ok(event) => cluster.create(&event).await.map(drop).map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = written {
                tracing::warn!(error, "an audit Event could not be written; the log has the action");
            }
            drop(slot);
        });
    }
}

fn event(store: &StoreId, verb: &str, failed: bool, message: &str, instance: &str) -> Result<Object, MalformedObject> {
    let now = Timestamp::now();
    let value = json!({
        "metadata": {
            "name": format!("{}.{}", store.namespace(), Uuid::new_v4().simple()),
            "namespace": CLUSTER_EVENTS,
            "labels": {record::ID: store.as_str(), "app.kubernetes.io/managed-by": "urumi"},
        },
        "involvedObject": {"apiVersion": "v1", "kind": "Namespace", "name": store.namespace()},
        "eventTime": format!("{now:.6}"),
        "type": if failed { "Warning" } else { "Normal" },
        "action": verb,
        "reason": format!("{verb}{}", if failed { "Failed" } else { "Requested" }),
        // The API server accepts up to a kilobyte.
        "message": message.chars().take(250).collect::<String>(),
        "reportingComponent": AUDIT_REPORTER,
        "reportingInstance": instance,
    });
    Object::from_value(Kind::of::<Event>(), value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    use urumi_core::cluster::{InMemoryCluster, Outage};
    use urumi_core::kubernetes::ClusterErrorKind;

    use super::*;
    use crate::auth::Role;

    #[tokio::test(start_paused = true)]
    async fn a_cluster_that_hangs_holds_a_bounded_number_of_events() {
        let recorder = DebuggingRecorder::new();
        // Records the metrics of this thread, the only one of the test.
        let _counted = metrics::set_default_local_recorder(&recorder);
        let cluster = InMemoryCluster::default();
        cluster.begin_outage(Outage::new(ClusterErrorKind::Timeout).taking(Duration::from_secs(15)));
        let tasks = TaskTracker::new();
        let audit = Audit::new(Some(Arc::new(cluster)), tasks.clone());
        let (ann, id) = (Principal::new("ann", Role::Operator), StoreId::parse("shop").unwrap());
        let retry = || audit.note(&ann, Action::RetryStore, Some(&id), &Ok(()));
        (0..MOST_AT_ONCE + 3).for_each(|_| retry());
        assert_eq!(tasks.len(), MOST_AT_ONCE);
        let (key, _, _, dropped) = recorder.snapshotter().snapshot().into_vec().pop().unwrap();
        assert_eq!((key.key().name(), dropped), ("urumi_http_audit_events_dropped_total", DebugValue::Counter(3)));

        tokio::time::advance(Duration::from_secs(16)).await;
        tasks.close();
        tasks.wait().await;
        retry();
        assert_eq!(tasks.len(), 1, "there is room again");
    }
}
