//! Who asked for which change, and what became of it: as structured log and as a Kubernetes Event.
//!
//! The Event is about the store's namespace. Events about things without a namespace are kept in `default`, so that
//! they outlive the store. They are written beside the request: an answer never waits for them.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use serde_json::json;
use tokio_util::task::TaskTracker;
use urumi_core::StoreId;
use urumi_core::cluster::ClusterBackend;
use urumi_core::kubernetes::{Kind, MalformedObject, Object};
use urumi_core::record;
use urumi_core::store::timeline::{AUDIT_REPORTER, CLUSTER_EVENTS};
use uuid::Uuid;

use crate::auth::{Action, Principal};
use crate::problem::{Code, Problem};

/// Notes changes.
#[derive(Clone)]
pub(crate) struct Audit {
    cluster: Option<Arc<dyn ClusterBackend>>,
    tasks: TaskTracker,
    instance: Arc<str>,
}

impl Audit {
    /// Events go to `cluster`, where there is one; what writes them is owned by `tasks`.
    pub(crate) fn new(cluster: Option<Arc<dyn ClusterBackend>>, tasks: TaskTracker) -> Self {
        let instance = format!("urumi-http-{}", Uuid::new_v4().simple());
        Audit { cluster, tasks, instance: instance.into() }
    }

    /// Notes what became of a change. `store` is the one that it is about, where it is known.
    pub(crate) fn note<T>(
        &self,
        principal: &Principal,
        action: Action,
        store: Option<&StoreId>,
        outcome: &Result<T, Problem>,
    ) {
        let outcome = outcome.as_ref().err().map(|problem| problem.code);
        // Before the stores have been seen nobody can be judged, and nothing is tried.
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
        // What was refused is in the log only: strangers must not be able to fill the cluster.
        let refused = outcome.is_some_and(|code| code.status().is_client_error());
        let (Some(cluster), Some(store), false) = (&self.cluster, store, refused) else { return };
        let verb = match action {
            Action::CreateStore => "Create",
            Action::DeleteStore => "Delete",
            Action::RetryStore => "Retry",
            Action::SmokeStore => "Smoke",
            Action::ViewCredentials => "Credentials",
            _ => return,
        };
        let message = match outcome {
            None => format!("{} ({}) asked for it", principal.subject, principal.role),
            Some(code) => format!("{} ({}) asked for it: {}", principal.subject, principal.role, code.as_str()),
        };
        let event = event(store, verb, outcome.is_some(), &message, &self.instance);
        let cluster = cluster.clone();
        self.tasks.spawn(async move {
            let written = match event {
                Ok(event) => cluster.create(&event).await.map(drop).map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = written {
                tracing::warn!(error, "an audit Event could not be written; the log has it");
            }
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
        // The API server takes up to a kilobyte.
        "message": message.chars().take(250).collect::<String>(),
        "reportingComponent": AUDIT_REPORTER,
        "reportingInstance": instance,
    });
    Object::from_value(Kind::of::<Event>(), value)
}
