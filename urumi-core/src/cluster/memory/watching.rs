//! Watches of the in-memory cluster: they sleep until something changes or is due, and list again after a gap.

use std::collections::VecDeque;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use tokio::time::{Instant, sleep, sleep_until};

use super::cluster::InMemoryCluster;
use super::controllers::settle;
use super::outage::Asked;
use super::state::State;
use super::wake::Sleeper;
use crate::cluster::backend::WatchStream;
use crate::kubernetes::Object;
use crate::kubernetes::{ClusterError, ClusterErrorKind, Query, Verb, WatchEvent};

/// The pause of a watch after its first failure, and the longest. Each failure doubles the pause.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

pub(super) fn open(cluster: InMemoryCluster, query: Query) -> WatchStream {
    let watcher = Watcher {
        cluster,
        query,
        position: None,
        ready: VecDeque::new(),
        failures: 0,
        retry: None,
        changes: None,
        agenda: None,
    };
    stream::unfold(watcher, |mut watcher| async move { Some((watcher.next().await, watcher)) }).boxed()
}

/// The position of a watch in the log of its kind, and the number of expiries and lost connections that it has seen.
struct Position {
    next: u64,
    expiries: u64,
    drops: u64,
}

struct Watcher {
    cluster: InMemoryCluster,
    query: Query,
    /// `None` until the watch has listed, and after a gap.
    position: Option<Position>,
    ready: VecDeque<WatchEvent>,
    failures: u32,
    retry: Option<Instant>,
    changes: Option<Sleeper>,
    agenda: Option<Sleeper>,
}

impl Watcher {
    async fn next(&mut self) -> Result<WatchEvent, ClusterError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            if let Some(retry) = self.retry {
                sleep_until(retry).await;
                self.retry = None;
            }
            if self.position.is_none() {
                self.cluster.delay().await;
            }
            let due = self.look()?;
            if self.ready.is_empty() {
                self.wait(due).await;
            }
        }
    }

    /// Reads the changes since the last call. Returns when something is due in the cluster next.
    fn look(&mut self) -> Result<Option<Instant>, ClusterError> {
        let cluster = self.cluster.clone();
        let mut guard = cluster.lock();
        let state = &mut *guard;
        settle(state);
        if let Some(position) = &self.position
            && position.drops != state.drops
        {
            self.position = None;
            return Err(self.failed(ClusterErrorKind::Unreachable, "the connection was lost"));
        }
        if !self.catch_up(state) {
            self.list(state)?;
        }
        // All changes so far are read: only later ones wake the watch.
        if let Some(changes) = &mut self.changes {
            changes.forget();
        }
        if let Some(agenda) = &mut self.agenda {
            agenda.forget();
        }
        Ok(state.due())
    }

    /// Reads the log; returns false if it does not reach back far enough.
    fn catch_up(&mut self, state: &mut State) -> bool {
        let expiries = state.expiries;
        let log = state.log(&self.query.kind);
        let Some(position) = self.position.as_mut().filter(|position| position.expiries == expiries) else {
            return false;
        };
        let Some(changes) = log.since(position.next) else { return false };
        self.ready.extend(changes.filter_map(|change| change.seen_by(&self.query)));
        position.next = log.next();
        true
    }

    /// Lists all objects, at the beginning and after a gap.
    fn list(&mut self, state: &mut State) -> Result<(), ClusterError> {
        self.position = None;
        state.gate.note(Verb::Watch, &self.query.to_string());
        let asked = Asked {
            verb: Verb::Watch,
            kind: Some(&self.query.kind),
            namespace: self.query.namespace.as_deref(),
            name: self.query.name.as_deref(),
        };
        if let Some(verb) = state.gate.denial(&asked) {
            let message = format!("not allowed to {verb} {}", self.query.kind.plural);
            return Err(self.failed(ClusterErrorKind::Forbidden, &message));
        }
        if let Some(failure) = state.gate.check(&asked) {
            let error = self.failed(failure.error, "the in-memory cluster was told to fail");
            self.retry = self.retry.and_then(|retry| retry.checked_add(failure.takes));
            return Err(error);
        }
        self.failures = 0;
        let log = state.log(&self.query.kind);
        self.changes = Some(log.subscribe());
        let next = log.next();
        self.agenda = Some(state.subscribe_agenda());
        self.position = Some(Position { next, expiries: state.expiries, drops: state.drops });
        let objects = state.select(&self.query).iter().map(|object| Object::clone(object)).collect();
        self.ready.clear();
        self.ready.push_back(WatchEvent::Snapshot(objects));
        Ok(())
    }

    fn failed(&mut self, kind: ClusterErrorKind, message: &str) -> ClusterError {
        let (least, most) = BACK_OFF;
        let pause = least.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(most);
        self.failures = self.failures.saturating_add(1);
        self.retry = Instant::now().checked_add(pause);
        ClusterError::new(Verb::Watch, &self.query, kind, message)
    }

    /// Sleeps until an object of the kind changes, the agenda does, or something is due.
    async fn wait(&mut self, due: Option<Instant>) {
        let (Some(changes), Some(agenda)) = (&mut self.changes, &mut self.agenda) else {
            // Unreachable: a watch that has listed has both.
            sleep(BACK_OFF.0).await;
            return;
        };
        let due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = changes.woken() => {}
            () = agenda.woken() => {}
            () = due => {}
        }
    }
}
