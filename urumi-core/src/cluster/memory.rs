//! A Kubernetes in memory, for tests and demonstrations.
//!
//! [`InMemoryCluster`] behaves like a real cluster in everything that urumi sees: conflicts, resourceVersions, strict
//! fields, server-side apply, the order and expiry of watches, namespaces that terminate, workloads that become ready by
//! themselves, and (with a [`Fault`]) workloads that do not, with the statuses and Events of the real kubelet. Requests
//! can be slow or fail ([`Outage`]).
//!
//! It spawns no task. Every request first makes the changes whose time has come, and watches sleep until the next change. The
//! cluster follows tokio's clock, so tests with paused time see everything in order and at once. Containers log a few
//! lines about their start and their end.
//!
//! Modelled in part:
//! - Jobs run one pod, once; `completions`, `parallelism` and `backoffLimit` are ignored.
//! - ResourceQuotas count pods and their CPU and memory, see `quota`.
//! - HorizontalPodAutoscalers keep Deployments within their bounds; there is no load.
//! - LimitRanges only count as the source of default requests, which a quota then accepts.
//! - Server-side apply knows one field manager, [`FIELD_MANAGER`](crate::kubernetes::FIELD_MANAGER), see `apply`;
//!   `metadata.managedFields` is never shown.
//! - Defaults of the API server: those of namespaces and Services, and the selectors of Jobs.
//!
//! Not modelled: ReplicaSets as objects, DaemonSets, CronJobs, Pod Security, and the network.

mod admission;
mod apply;
mod autoscalers;
mod builder;
mod causes;
mod claims;
mod cluster;
mod config;
mod controllers;
mod deletion;
mod events;
mod fault;
mod fields;
mod incident;
mod json;
mod kinds;
mod log;
mod logs;
mod namespaces;
mod outage;
mod output;
mod pods;
mod problem;
mod quota;
mod random;
mod runtime;
mod server;
mod smoke_orders;
mod state;
mod status;
mod task;
#[cfg(test)]
mod tests;
mod tokens;
mod wake;
mod watching;
mod workloads;

use async_trait::async_trait;

pub use self::builder::InMemoryClusterBuilder;
pub use self::cluster::InMemoryCluster;
pub use self::fault::{Fault, FaultTarget};
use self::kinds::TOKEN_REVIEW;
use self::outage::Asked;
pub use self::outage::{Outage, OutageId, Request};
use self::state::State;
use super::backend::{ClusterBackend, LogStream, WatchStream};
use crate::kubernetes::{
    Access, ClusterError, LogOptions, MetadataPatch, Object, ObjectRef, Preconditions, Query, TokenReview, Verb,
};
use crate::secret::SecretString;

fn about(verb: Verb, reference: &ObjectRef) -> (Asked<'_>, String) {
    let asked = Asked {
        verb,
        kind: Some(&reference.kind),
        namespace: reference.namespace.as_deref(),
        name: Some(&reference.name),
    };
    (asked, reference.to_string())
}

#[async_trait]
impl ClusterBackend for InMemoryCluster {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let (asked, target) = about(Verb::Create, &reference);
        self.request(asked, target, |state| Ok(Object::clone(&*server::create(state, object)?))).await
    }

    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let (asked, target) = about(Verb::Apply, &reference);
        self.request(asked, target, |state| Ok(Object::clone(&*server::apply(state, object)?))).await
    }

    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        let (asked, target) = about(Verb::Apply, object);
        let own = |state: &mut State| {
            state.own_created(object, released);
            Ok(())
        };
        self.request(asked, target, own).await
    }

    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let (asked, target) = about(Verb::Replace, &reference);
        self.request(asked, target, |state| Ok(Object::clone(&*server::replace(state, object)?))).await
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        let (asked, target) = about(Verb::Get, object);
        self.request(asked, target, |state| Ok(state.find(object).map(|found| Object::clone(&found)))).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        let asked = Asked {
            verb: Verb::List,
            kind: Some(&query.kind),
            namespace: query.namespace.as_deref(),
            name: query.name.as_deref(),
        };
        let all = |state: &mut State| Ok(state.select(query).iter().map(|object| Object::clone(object)).collect());
        self.request(asked, query.to_string(), all).await
    }

    fn watch(&self, query: &Query) -> WatchStream {
        watching::open(self.clone(), query.clone())
    }

    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        let (asked, target) = about(Verb::PatchMetadata, object);
        self.request(asked, target, |state| Ok(Object::clone(&*server::patch_metadata(state, object, patch)?))).await
    }

    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
        let (asked, target) = about(Verb::Delete, object);
        self.request(asked, target, |state| server::delete(state, object, expected)).await
    }

    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        let (asked, target) = about(Verb::Logs, pod);
        let reading = self.request(asked, target, |state| logs::find(state, pod, options)).await?;
        Ok(reading.stream(self.clone()))
    }

    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        let asked = Asked { verb: Verb::Review, kind: None, namespace: access.namespace.as_deref(), name: None };
        let target = format!("{} {}", access.verb, access.resource);
        self.request(asked, target, |state| Ok(state.gate.allows(access))).await
    }

    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        let asked = Asked { verb: Verb::ReviewToken, kind: Some(&TOKEN_REVIEW), namespace: None, name: None };
        self.request(asked, "a token".into(), |state| Ok(state.tokens.review(token, audiences))).await
    }

    async fn version(&self) -> Result<String, ClusterError> {
        let asked = Asked { verb: Verb::Version, kind: None, namespace: None, name: None };
        self.request(asked, "the version".into(), |state| Ok(state.config.version.clone())).await
    }
}
