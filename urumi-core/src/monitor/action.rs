//! The actions that a monitor takes for a store, and their outcomes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;

use super::rendered::Rendered;
use crate::error::Error;
use crate::kubernetes::{ClusterError, ClusterErrorKind, Kind, MetadataPatch, Object, ObjectRef, Query};
use crate::orchestrator::local::{Failure, Orchestrator};
use crate::plan::Plan;
use crate::record::{Record, namespace_kind};
use crate::store::StoreId;
use crate::store::status::StoreStatus;

/// One action for a store.
#[derive(Clone)]
pub(super) enum Action {
    /// Write the store's record.
    Record(RecordWrite),
    /// Carry out a plan.
    CarryOut {
        rendered: Arc<Rendered>,
        /// The uid of the store's namespace.
        uid: String,
        plan: Plan,
    },
    /// Create the Job that proves the present revision.
    Prove(Box<Object>),
    /// Return from the present revision to a good one.
    GoBack {
        record: Box<Record>,
        good: u64,
        /// Why the present one could not be rolled out.
        reason: String,
    },
    /// Remove objects that earlier revisions rendered.
    Prune { record: Box<Record>, left_over: Vec<ObjectRef> },
    /// Read the store's Kubernetes events, to learn why it is not ready.
    Explain,
}

/// A write of a store's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordWrite {
    pub(super) store: StoreId,
    pub(super) patch: MetadataPatch,
    /// The status before and after it.
    pub(super) status: (StoreStatus, StoreStatus),
    /// When the provisioning began that this write ends with `ready`; `None` for every other write.
    pub(super) provisioned_since: Option<Timestamp>,
    /// The end of a change that this write puts on record.
    pub(super) ended: Option<EndedChange>,
}

/// The end of a change of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EndedChange {
    /// It was rolled out.
    RolledOut {
        /// When it was requested.
        requested: Timestamp,
    },
    /// It could not be rolled out, and the store has returned to the last good revision.
    RolledBack,
    /// It could not be rolled out, and there is nothing to return to.
    Failed,
}

/// The outcome of an action.
pub(super) enum Outcome {
    Recorded(RecordWrite, Result<Object, ClusterError>),
    CarriedOut(Result<(), Failure>),
    /// Whether the Job that proves the present revision exists.
    Proving(Result<(), ClusterError>),
    /// The revision from which the store has returned to a good one.
    RolledBack(Result<u64, Error>),
    /// The record without the objects that were removed.
    Pruned(Result<Object, ClusterError>),
    Explained(Result<Vec<Object>, ClusterError>),
    /// The process stopped leading before the action was done.
    Abandoned,
}

/// An action that has ended.
pub(super) struct Done {
    pub(super) namespace: String,
    /// The namespace's uid.
    pub(super) uid: String,
    /// How long it took.
    pub(super) took: Duration,
    pub(super) outcome: Outcome,
}

impl Action {
    /// Takes the action.
    pub(super) async fn take(self, orchestrator: &Orchestrator, namespace: &str) -> Outcome {
        match self {
            Action::Record(write) => {
                let record = ObjectRef::cluster(namespace_kind(), namespace);
                let result = orchestrator.cluster().patch_metadata(&record, &write.patch).await;
                Outcome::Recorded(write, result)
            }
            Action::CarryOut { rendered, uid, plan } => {
                for step in plan.steps() {
                    // Log the object only: a step also has the values of fields, which may be secrets.
                    tracing::info!(store = %rendered.spec.id, object = %step.target(), "creating or repairing an object");
                }
                Outcome::CarriedOut(orchestrator.carry_out(&rendered.spec, &uid, &plan).await)
            }
            Action::Prove(job) => Outcome::Proving(match orchestrator.cluster().create(&job).await {
                Err(error) if error.kind() == ClusterErrorKind::AlreadyExists => Ok(()),
                created => created.map(drop),
            }),
            Action::GoBack { record, good, reason } => {
                let from = record.revision.number;
                tracing::warn!(store = %record.id, from, to = good, reason, "a revision could not be rolled out: going back");
                Outcome::RolledBack(orchestrator.go_back(&record, good, &reason).await.map(|()| from))
            }
            Action::Prune { record, left_over } => Outcome::Pruned(orchestrator.prune(&record, &left_over).await),
            Action::Explain => {
                let events = Query::all(Kind::of::<Event>()).in_namespace(namespace);
                Outcome::Explained(orchestrator.cluster().list(&events).await)
            }
        }
    }
}
