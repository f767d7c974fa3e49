//! The monitor's watches: which there are, which have delivered a snapshot, and which fail.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;

use crate::cluster::ClusterBackend;
use crate::kubernetes::{ClusterError, Kind, Query, WatchEvent};
use crate::record::{self, namespace_kind};
use crate::store::StoreId;

/// The kind that a watch is of, and the namespace; `None` for all namespaces.
pub(super) type Scope = (Kind, Option<String>);

/// What a watch delivers.
pub(super) type Delivery = (Scope, Result<WatchEvent, ClusterError>);

/// The monitor's watches.
pub(super) struct Watches {
    cluster: Arc<dyn ClusterBackend>,
    only: Option<StoreId>,
    deliveries: SelectAll<BoxStream<'static, Delivery>>,
    states: HashMap<Scope, State>,
    /// Whether a state has changed since it was last reported.
    changed: bool,
}

#[derive(Default)]
struct State {
    listed: bool,
    error: Option<String>,
}

/// An event that a watch delivered.
pub(super) struct Seen {
    pub(super) event: WatchEvent,
    /// Whether it is the watch's first snapshot.
    pub(super) first: bool,
}

/// The states of all watches.
pub(super) struct Summary {
    /// Whether every watch that is not optional has delivered its first snapshot.
    pub(super) synced: bool,
    /// The errors of the failing watches, sorted.
    pub(super) failing: Vec<String>,
    /// The errors of the failing watches that are optional, sorted.
    pub(super) optional: Vec<String>,
}

impl Watches {
    /// No watches yet, of all stores or of one.
    pub(super) fn new(cluster: Arc<dyn ClusterBackend>, only: Option<StoreId>) -> Self {
        Watches { cluster, only, deliveries: SelectAll::new(), states: HashMap::new(), changed: true }
    }

    /// Watches a kind, unless it is watched already: in all namespaces, or in the namespace of the one store.
    pub(super) fn add(&mut self, kind: &Kind) {
        let namespace = self.only.as_ref().filter(|_| kind.namespaced).map(StoreId::namespace);
        self.start((kind.clone(), namespace));
    }

    /// Watches the one store's objects in a namespace other than its own. A monitor of all stores sees them anyway.
    pub(super) fn add_outside(&mut self, kind: &Kind, namespace: &str) {
        if self.only.is_some() {
            self.start((kind.clone(), Some(namespace.to_owned())));
        }
    }

    fn start(&mut self, scope: Scope) {
        if self.states.contains_key(&scope) {
            return;
        }
        self.states.insert(scope.clone(), State::default());
        self.changed = true;
        let (kind, namespace) = scope.clone();
        let query = if kind == namespace_kind() {
            record::query(self.only.as_ref())
        } else if kind.namespaced {
            record::owned_objects(kind, self.only.as_ref().zip(namespace))
        } else {
            Query::all(kind)
        };
        let events = self.cluster.watch(&query);
        self.deliveries.push(events.map(move |event| (scope.clone(), event)).boxed());
    }

    /// What a watch delivers next; `None` if all watches have ended.
    pub(super) async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.next().await
    }

    /// Records what a watch delivered; returns the event unless it is an error.
    pub(super) fn record(&mut self, (scope, result): Delivery) -> Option<(Scope, Seen)> {
        let state = self.states.get_mut(&scope)?;
        match result {
            Ok(event) => {
                let first = !state.listed && matches!(event, WatchEvent::Snapshot(_));
                self.changed |= first || state.error.is_some();
                state.listed |= first;
                state.error = None;
                Some((scope, Seen { event, first }))
            }
            Err(error) => {
                // The backend retries until it succeeds, so one warning is enough.
                match state.error.replace(error.to_string()) {
                    None => tracing::warn!(%error, "a watch failed and will be retried"),
                    Some(_) => tracing::debug!(%error, "a watch still fails"),
                }
                self.changed = true;
                None
            }
        }
    }

    /// Whether a kind is watched and each of its watches has delivered its first snapshot.
    pub(super) fn listed(&self, kind: &Kind) -> bool {
        let mut states = self.states.iter().filter(|((watched, _), _)| watched == kind).peekable();
        states.peek().is_some() && states.all(|(_, state)| state.listed)
    }

    /// Whether every watch that is not optional has delivered its first snapshot.
    pub(super) fn synced(&self) -> bool {
        self.states.iter().all(|((kind, _), state)| state.listed || is_optional(kind))
    }

    /// The states of all watches, if one has changed since the last call.
    pub(super) fn take_changes(&mut self) -> Option<Summary> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let errors = |optional: bool| {
            let states = self.states.iter().filter(|((kind, _), _)| is_optional(kind) == optional);
            let mut errors: Vec<String> = states.filter_map(|(_, state)| state.error.clone()).collect();
            errors.sort();
            errors
        };
        Some(Summary { synced: self.synced(), failing: errors(false), optional: errors(true) })
    }
}

/// Whether the monitor works without this kind. Classes only help to explain why a store is not ready, and reading them
/// is an optional permission.
fn is_optional(kind: &Kind) -> bool {
    *kind == Kind::of::<StorageClass>() || *kind == Kind::of::<IngressClass>()
}
