//! One who stands in an election: the task.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::leadership::Term;
use super::lease::{KIND, Seen, holder};
use super::{ElectionHealth, LeaderElection};
use crate::kubernetes::Object;
use crate::kubernetes::{ClusterError, ClusterErrorKind, Query, Verb, WatchEvent};
use crate::telemetry::{LEADER, LEADER_WRITES};

/// How often one looks again, within one try, at a Lease that others write too.
const LOOKS: usize = 3;

pub(super) struct Elector {
    election: LeaderElection,
    /// The Lease as it was seen last; none where there is none, or nobody has looked.
    seen: Option<Seen>,
    term: watch::Sender<Term>,
    report: watch::Sender<ElectionHealth>,
}

impl Elector {
    pub(super) fn new(
        election: LeaderElection,
        term: watch::Sender<Term>,
        report: watch::Sender<ElectionHealth>,
    ) -> Self {
        Elector { election, seen: None, term, report }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let LeaderElection { cluster, namespace, name, .. } = &self.election;
        let mut changes = cluster.watch(&Query::all(KIND).in_namespace(namespace).named(name));
        let mut next = Instant::now();
        metrics::gauge!(LEADER).set(0);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(event) = changes.next() => {
                    // Without a watch one still looks when the Lease would have expired.
                    if let Ok(event) = event && self.learn(event) {
                        next = self.next_look();
                    }
                }
                () = sleep_until(next) => tokio::select! {
                    biased;
                    () = stop.cancelled() => break,
                    at = self.stand() => next = at,
                },
            }
        }
        self.retire().await;
    }

    /// Takes in what the watch says, and says whether that changes what is to be done.
    fn learn(&mut self, event: WatchEvent) -> bool {
        let lease = match event {
            WatchEvent::Applied(lease) => Some(lease),
            WatchEvent::Snapshot(leases) => leases.into_iter().next(),
            WatchEvent::Deleted(_) => None,
        };
        if self.is_ours() {
            // Its own renewals come back to a leader, late perhaps. What looks like another's may be of before: whether
            // the Lease is still ours is told by the next write.
            return lease.as_ref().and_then(holder) != Some(&self.election.identity);
        }
        self.see(lease);
        true
    }

    fn see(&mut self, lease: Option<Object>) {
        self.seen = lease.map(|lease| {
            let same = |seen: &Seen| seen.lease.resource_version() == lease.resource_version();
            let at = self.seen.as_ref().filter(|seen| same(seen)).map_or_else(Instant::now, |seen| seen.at);
            Seen { lease, at }
        });
        if !self.is_ours() {
            self.end();
        }
        let held = self.seen.as_ref().filter(|seen| seen.holder().is_some());
        self.report.send_modify(|health| {
            health.leader = held.and_then(Seen::holder).map(str::to_owned);
            health.since = held.and_then(Seen::since);
        });
    }

    fn is_ours(&self) -> bool {
        self.seen.as_ref().and_then(Seen::holder) == Some(&self.election.identity)
    }

    fn begin(&self, end: Instant) {
        if self.term.send_replace(Term::Until(end)) == Term::Over {
            metrics::gauge!(LEADER).set(1);
            tracing::info!(lease = %self.election.reference(), "leads now");
        }
    }

    fn end(&self) {
        if self.term.send_replace(Term::Over) != Term::Over {
            metrics::gauge!(LEADER).set(0);
            tracing::info!(lease = %self.election.reference(), "leads no longer");
        }
    }

    /// When to stand again, unless the Lease changes.
    fn next_look(&self) -> Instant {
        match &self.seen {
            Some(seen) if seen.holder().is_some() && !self.is_ours() => {
                seen.expires(self.election.timing.lease) + self.apart()
            }
            _ => Instant::now(),
        }
    }

    /// Up to a fifth of the time between tries: for each candidate another, and after each change of the Lease, so that
    /// they do not all try at once.
    fn apart(&self) -> Duration {
        let mut hasher = DefaultHasher::new();
        self.election.identity.hash(&mut hasher);
        self.seen.as_ref().and_then(|seen| seen.lease.resource_version()).hash(&mut hasher);
        let [high, low, ..] = hasher.finish().to_be_bytes();
        self.election.timing.retry.mul_f64(0.2 * f64::from(u16::from_be_bytes([high, low])) / 65_536.0)
    }

    /// Tries to take or to renew the Lease, and says when to try again.
    async fn stand(&mut self) -> Instant {
        let timing = self.election.timing;
        let sent = Instant::now();
        // A request that hangs leaves time for another.
        let outcome = timeout(timing.renew_deadline / 2, self.claim()).await;
        let outcome = outcome.unwrap_or_else(|_| {
            let error = |kind| ClusterError::new(Verb::Replace, self.election.reference(), kind, "no answer in time");
            Err(error(ClusterErrorKind::Timeout))
        });
        self.report.send_modify(|health| health.last_error = outcome.as_ref().err().map(ToString::to_string));
        match outcome {
            Ok(true) => {
                self.begin(sent + timing.renew_deadline);
                sent + timing.retry
            }
            // Whoever was overtaken several times rests too.
            Ok(false) => self.next_look().max(Instant::now() + self.apart()),
            Err(error) => {
                tracing::warn!(%error, "the lease cannot be taken or renewed");
                if self.term.send_if_modified(expire) {
                    metrics::gauge!(LEADER).set(0);
                    tracing::warn!("leads no longer: the lease could not be renewed in time");
                }
                Instant::now() + timing.retry + self.apart()
            }
        }
    }

    /// Whether the Lease is ours now.
    async fn claim(&mut self) -> Result<bool, ClusterError> {
        let cluster = self.election.cluster.clone();
        let reference = self.election.reference();
        if !self.is_ours() {
            let found = cluster.get(&reference).await?;
            self.see(found);
        }
        for _ in 0..LOOKS {
            if let Some(seen) = &self.seen
                && seen.holder().is_some()
                && !self.is_ours()
                && Instant::now() < seen.expires(self.election.timing.lease)
            {
                return Ok(false);
            }
            let lease = self.election.held(self.seen.as_ref(), (self.election.clock)());
            let lease = lease.map_err(|error| {
                ClusterError::new(Verb::Replace, &reference, ClusterErrorKind::Invalid, error.message())
            })?;
            let written = match &self.seen {
                Some(_) => cluster.replace(&lease).await,
                None => cluster.create(&lease).await,
            };
            count(&written);
            match written {
                Ok(stored) => {
                    self.see(Some(stored));
                    return Ok(true);
                }
                // Somebody was faster, or it was our own write that was repeated: the Lease tells.
                Err(error) if is_overtaken(error.kind()) => {
                    let found = cluster.get(&reference).await?;
                    self.see(found);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Ends a leadership and lets others know, as far as that is possible.
    async fn retire(&mut self) {
        self.end();
        let election = &self.election;
        let releasing = async {
            // What was begun may have been done.
            let Some(lease) = election.cluster.get(&election.reference()).await? else { return Ok(()) };
            let seen = Seen { lease, at: Instant::now() };
            if seen.holder() != Some(&election.identity) {
                return Ok(());
            }
            if let Ok(lease) = election.released(&seen, (election.clock)()) {
                election.cluster.replace(&lease).await?;
            }
            Ok::<_, ClusterError>(())
        };
        match timeout(election.timing.renew_deadline / 2, releasing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the lease could not be released: another leads once it expires"),
            Err(_) => tracing::warn!("the lease could not be released in time: another leads once it expires"),
        }
    }
}

/// Makes of a term that has run out one that is over.
fn expire(term: &mut Term) -> bool {
    let expired = matches!(*term, Term::Until(end) if end <= Instant::now());
    if expired {
        *term = Term::Over;
    }
    expired
}

fn is_overtaken(kind: ClusterErrorKind) -> bool {
    matches!(kind, ClusterErrorKind::Conflict | ClusterErrorKind::AlreadyExists | ClusterErrorKind::NotFound)
}

fn count(written: &Result<Object, ClusterError>) {
    let result = match written {
        Ok(_) => "ok",
        Err(error) if is_overtaken(error.kind()) => "conflict",
        Err(_) => "error",
    };
    metrics::counter!(LEADER_WRITES, "result" => result).increment(1);
}
