//! The Lease as an elector reads and writes it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::LeaderElection;
use crate::kubernetes::{Kind, MalformedObject, Object, ObjectRef};

/// The longest lease that is respected of another: more is a mistake, and would leave everybody without a leader.
const LONGEST: Duration = Duration::from_secs(3600);

pub(super) const KIND: Kind = Kind::of::<Lease>();

/// A Lease, and since when it has not changed.
pub(super) struct Seen {
    pub(super) lease: Object,
    /// By this process's own clock.
    pub(super) at: Instant,
}

impl Seen {
    /// Who holds it.
    pub(super) fn holder(&self) -> Option<&str> {
        holder(&self.lease)
    }

    pub(super) fn since(&self) -> Option<Timestamp> {
        self.lease.str_at("/spec/acquireTime")?.parse().ok()
    }

    /// How often it went from one to another.
    fn transitions(&self) -> i32 {
        let said = self.lease.int_at("/spec/leaseTransitions").and_then(|said| i32::try_from(said).ok());
        said.unwrap_or_default().max(0)
    }

    /// When it may be taken from its holder, unless it changes: after as long as it says, or as our own does where what it
    /// says is nonsense.
    pub(super) fn expires(&self, own: Duration) -> Instant {
        let said = self.lease.int_at("/spec/leaseDurationSeconds").and_then(|seconds| u64::try_from(seconds).ok());
        let said = said.map(Duration::from_secs).filter(|said| !said.is_zero() && *said <= LONGEST);
        self.at + said.unwrap_or(own)
    }
}

/// Who holds a Lease.
pub(super) fn holder(lease: &Object) -> Option<&str> {
    lease.str_at("/spec/holderIdentity").filter(|holder| !holder.is_empty())
}

impl LeaderElection {
    pub(super) fn reference(&self) -> ObjectRef {
        ObjectRef::namespaced(KIND, &self.namespace, &self.name)
    }

    /// The Lease with this process as its holder: a renewal where it was before, else the beginning of a leadership.
    pub(super) fn held(&self, before: Option<&Seen>, now: Timestamp) -> Result<Object, MalformedObject> {
        let held_by_us = before.is_some_and(|seen| seen.holder() == Some(&self.identity));
        let begun = before.filter(|_| held_by_us).and_then(Seen::since).unwrap_or(now);
        let changes = if before.is_none() || held_by_us { 0 } else { 1 };
        let seconds = self.timing.lease.as_secs() + u64::from(self.timing.lease.subsec_nanos() > 0);
        self.written(
            before,
            &json!({
                "holderIdentity": self.identity,
                "leaseDurationSeconds": i32::try_from(seconds).unwrap_or(i32::MAX),
                "acquireTime": micro_time(begun),
                "renewTime": micro_time(now),
                "leaseTransitions": before.map_or(0, Seen::transitions).saturating_add(changes),
            }),
        )
    }

    /// The Lease without a holder, free at once.
    pub(super) fn released(&self, before: &Seen, now: Timestamp) -> Result<Object, MalformedObject> {
        self.written(
            Some(before),
            &json!({
                "holderIdentity": "",
                "leaseDurationSeconds": 1,
                "acquireTime": micro_time(now),
                "renewTime": micro_time(now),
                "leaseTransitions": before.transitions(),
            }),
        )
    }

    /// What others wrote to its metadata stays.
    fn written(&self, before: Option<&Seen>, spec: &Value) -> Result<Object, MalformedObject> {
        let metadata = before.and_then(|seen| seen.lease.at("/metadata")).cloned();
        let metadata = metadata.unwrap_or_else(|| json!({"name": self.name, "namespace": self.namespace}));
        Object::from_value(KIND, json!({"metadata": metadata, "spec": spec}))
    }
}

/// The API server reads times of this kind with six places and no others.
fn micro_time(time: Timestamp) -> String {
    format!("{time:.6}")
}
