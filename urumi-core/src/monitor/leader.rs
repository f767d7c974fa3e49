//! Leader election: of several processes over one cluster, one at a time does what only one should.
//!
//! The election is over a `coordination.k8s.io/v1` Lease and keeps to the rules of client-go's `leaderelection`, so that
//! `kubectl get lease` shows what one expects: whoever holds the Lease renews it, and it may be taken once it has not
//! changed for as long as it says. How long that is, each judges by its own monotonic clock, from when it last saw the
//! Lease change: clocks that are wrong do no harm. Every write is guarded by `resourceVersion`.
//!
//! A leader trusts itself for less time than others do ([`Timing::renew_deadline`], counted from before its last renewal
//! was sent), so it has stopped before another can begin. A process that was paused for long asks its clock before it
//! goes on ([`Leadership`]).

mod elector;
mod leadership;
mod lease;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::leadership::{Appointment, Leadership};
use crate::cluster::ClusterBackend;

/// How long things take in an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// How long the Lease must not have changed before another may take it; 15 s by default. The Lease says it in whole
    /// seconds, rounded up.
    pub lease: Duration,
    /// How long a leader may go on after its last renewal; 10 s by default.
    pub renew_deadline: Duration,
    /// How often a leader renews, and how long anybody waits after a failure; 2 s by default.
    pub retry: Duration,
}

impl Timing {
    /// A Lease is valid for `lease`, a leader steps down `renew_deadline` after its last renewal, and everybody tries every
    /// `retry`. [`LeaderElection::timing`] checks that they fit together.
    pub const fn new(lease: Duration, renew_deadline: Duration, retry: Duration) -> Self {
        Timing { lease, renew_deadline, retry }
    }
}

impl Default for Timing {
    /// What client-go's components use.
    fn default() -> Self {
        Timing {
            lease: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

impl Timing {
    /// Whether these times make an election.
    ///
    /// # Errors
    /// When they do not go together.
    pub fn check(&self) -> Result<(), TimingError> {
        if self.lease <= self.renew_deadline {
            return Err(TimingError::LeaseTooShort);
        }
        if self.retry < Duration::from_millis(10) {
            return Err(TimingError::RetryTooShort);
        }
        if self.renew_deadline < self.retry * 2 {
            return Err(TimingError::DeadlineTooShort);
        }
        Ok(())
    }
}

/// Times that do not make an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimingError {
    /// Two could lead at a time.
    #[error("the lease must be longer than the renew deadline, or two could lead at a time")]
    LeaseTooShort,
    /// One failed renewal would end every leadership.
    #[error("the renew deadline must be at least twice the retry period, or one failed renewal would be the last")]
    DeadlineTooShort,
    /// Nobody would ever rest.
    #[error("the retry period must be at least 10 ms")]
    RetryTooShort,
}

/// An election: where it is held, and who stands. [`spawn`](Self::spawn) takes part in it.
#[derive(Clone)]
pub struct LeaderElection {
    cluster: Arc<dyn ClusterBackend>,
    namespace: String,
    name: String,
    identity: String,
    timing: Timing,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl std::fmt::Debug for LeaderElection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeaderElection")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("identity", &self.identity)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

impl LeaderElection {
    /// An election over the Lease `namespace/name`, in which this process stands as `identity`: a name that no other
    /// process has or had, such as the host's with a random part.
    ///
    /// Needs the right to `get`, `create` and `update` that Lease. With `list` and `watch` a follower sees at once that
    /// the Lease was released; without, it notices when the Lease would have expired.
    pub fn new(
        cluster: Arc<dyn ClusterBackend>,
        namespace: impl Into<String>,
        name: impl Into<String>,
        identity: impl Into<String>,
    ) -> Self {
        let (namespace, name, identity) = (namespace.into(), name.into(), identity.into());
        let clock = Arc::new(Timestamp::now);
        LeaderElection { cluster, namespace, name, identity, timing: Timing::default(), clock }
    }

    /// How long things take; [`Timing::default`] by default.
    ///
    /// # Errors
    /// When the times do not go together.
    pub fn timing(mut self, timing: Timing) -> Result<Self, TimingError> {
        timing.check()?;
        self.timing = timing;
        Ok(self)
    }

    /// Takes the time of day from `clock`, the system's by default: for simulations. It is written to the Lease and never
    /// read from there.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Takes part, on `tasks`, until `stop` is cancelled; a leader then hands over by releasing the Lease.
    pub fn spawn(self, tasks: &TaskTracker, stop: CancellationToken) -> ElectionHandle {
        let (handle, running) = self.run(stop);
        tasks.spawn(running);
        handle
    }

    /// Takes part while the future is polled, as [`spawn`](Self::spawn) does.
    pub fn run(self, stop: CancellationToken) -> (ElectionHandle, impl Future<Output = ()> + Send + 'static) {
        let (term, leadership) = Leadership::new();
        let (report, health) =
            watch::channel(ElectionHealth { identity: self.identity.clone(), ..ElectionHealth::default() });
        (ElectionHandle { leadership, health }, elector::Elector::new(self, term, report).run(stop))
    }
}

/// How an election stands, as one of those who stand sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ElectionHealth {
    /// Who this process is.
    pub identity: String,
    /// Whether this process leads.
    pub leads: bool,
    /// Who leads, or led last; none where nobody does.
    pub leader: Option<String>,
    /// Since when, by the leader's clock.
    pub since: Option<Timestamp>,
    /// Why the last try to take or to renew the Lease failed; none after a success.
    pub last_error: Option<String>,
}

/// A handle on an election that is taken part in. Dropping it ends nothing.
#[derive(Clone, Debug)]
pub struct ElectionHandle {
    leadership: Leadership,
    health: watch::Receiver<ElectionHealth>,
}

impl ElectionHandle {
    /// Whether this process leads, to be asked before each thing that only a leader may do.
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// How the election stands.
    pub fn health(&self) -> ElectionHealth {
        ElectionHealth { leads: self.leadership.holds(), ..self.health.borrow().clone() }
    }
}

#[cfg(test)]
mod tests;
