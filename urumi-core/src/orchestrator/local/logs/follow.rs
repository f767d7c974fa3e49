//! Follows the logs of a store: of the containers that are there, and of those that start later, until the store is gone.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream, SelectAll};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::super::Orchestrator;
use super::container::{Container, Key, Selected, pods_of, since};
use super::reader::{Begin, Reader, State};
use crate::cluster::WatchStream;
use crate::error::{Error, Operation, Result};
use crate::kubernetes::{Object, WatchEvent};
use crate::orchestrator::LogLines;
use crate::record;
use crate::store::StoreId;
use crate::store::logs::{LogLine, LogQuery};

/// How long the last lines are waited for when the store is gone.
const LAST_LINES: Duration = Duration::from_secs(5);

/// The logs of a store that are followed.
pub(super) struct Following {
    orchestrator: Orchestrator,
    id: StoreId,
    /// The uid of the store's namespace.
    uid: String,
    selected: Vec<Selected>,
    /// Where containers are read from that had started before.
    tail: Begin,
    started: HashSet<Key>,
    pods: WatchStream,
    record: WatchStream,
    lines: SelectAll<BoxStream<'static, Result<LogLine>>>,
    containers: HashMap<Key, watch::Sender<State>>,
    /// Whether the present trouble of the watch of pods has been reported.
    reported: bool,
    /// When to end, once the store is gone.
    ends: Option<Instant>,
}

impl Following {
    /// Follows the components of the store with this id and uid, which has these pods.
    pub(super) fn begin(
        orchestrator: Orchestrator,
        (id, uid): (&StoreId, String),
        selected: Vec<Selected>,
        query: &LogQuery,
        pods: &[Object],
    ) -> LogLines {
        let cluster = orchestrator.cluster();
        let started = |pod: &Object| {
            let containers = containers_of(&selected, pod).into_iter();
            let started = containers.filter(|container| State::of(pod, &container.name).has_log);
            started.map(|container| container.key()).collect::<Vec<_>>()
        };
        let mut following = Following {
            id: id.clone(),
            uid,
            started: pods.iter().flat_map(started).collect(),
            selected,
            tail: Begin::Tail { lines: query.tail, since: query.since.map(since) },
            pods: cluster.watch(&pods_of(id)),
            record: cluster.watch(&record::query(Some(id))),
            orchestrator,
            lines: SelectAll::new(),
            containers: HashMap::new(),
            reported: false,
            ends: None,
        };
        following.update_all(pods);
        stream::unfold(following, |mut following| async move { Some((following.next().await?, following)) }).boxed()
    }

    async fn next(&mut self) -> Option<Result<LogLine>> {
        loop {
            if let Some(ends) = self.ends {
                return timeout_at(ends, self.lines.next()).await.ok().flatten();
            }
            tokio::select! {
                Some(line) = self.lines.next() => return Some(line),
                event = self.pods.next() => match event {
                    Some(Ok(event)) => self.pods_changed(event),
                    // The watch goes on. What passes by itself is not worth a word.
                    Some(Err(error)) if error.is_retryable() || self.reported => {}
                    Some(Err(error)) => {
                        self.reported = true;
                        return Some(Err(Error::cluster(Operation::Logs, Some(&self.id), error)));
                    }
                    None => self.end(),
                },
                event = self.record.next() => match event {
                    Some(Ok(event)) => self.record_changed(event),
                    Some(Err(_)) => {}
                    None => self.end(),
                },
            }
        }
    }

    fn pods_changed(&mut self, event: WatchEvent) {
        self.reported = false;
        match event {
            WatchEvent::Snapshot(pods) => {
                let pods: Vec<Object> = pods.into_iter().collect();
                let uids: HashSet<&str> = pods.iter().filter_map(Object::uid).collect();
                self.forget(|uid| !uids.contains(uid));
                self.update_all(&pods);
            }
            WatchEvent::Applied(pod) => self.update(&pod),
            WatchEvent::Deleted(pod) => self.forget(|uid| pod.uid() == Some(uid)),
        }
    }

    fn record_changed(&mut self, event: WatchEvent) {
        let is_this = |namespace: &Object| namespace.uid() == Some(self.uid.as_str());
        let is_there = match &event {
            WatchEvent::Snapshot(namespaces) => namespaces.iter().any(|namespace| is_this(&namespace)),
            WatchEvent::Applied(namespace) => is_this(namespace),
            WatchEvent::Deleted(_) => false,
        };
        if !is_there {
            self.end();
        }
    }

    fn update_all(&mut self, pods: &[Object]) {
        pods.iter().for_each(|pod| self.update(pod));
    }

    /// Tells the readers of a pod's containers their states, and begins to read new containers.
    fn update(&mut self, pod: &Object) {
        for container in containers_of(&self.selected, pod) {
            let state = State::of(pod, &container.name);
            let key = container.key();
            match self.containers.get(&key) {
                Some(known) => {
                    known.send_if_modified(|known| std::mem::replace(known, state) != state);
                }
                None => {
                    let begin = if self.started.contains(&key) { self.tail } else { Begin::Start };
                    let (sender, receiver) = watch::channel(state);
                    self.containers.insert(key, sender);
                    let (orchestrator, id) = (self.orchestrator.clone(), self.id.clone());
                    self.lines.push(Reader::lines(orchestrator, id, container, begin, receiver));
                }
            }
        }
    }

    /// Forgets the pods whose uids are `gone`; their readers end when they have read what has come.
    fn forget(&mut self, gone: impl Fn(&str) -> bool) {
        self.containers.retain(|(uid, _), state| {
            let is_gone = gone(uid);
            if is_gone {
                state.send_modify(|state| state.is_gone = true);
            }
            !is_gone
        });
    }

    /// Ends when the last lines have come.
    fn end(&mut self) {
        self.forget(|_| true);
        self.ends = Some(Instant::now() + LAST_LINES);
    }
}

/// The containers of a pod, if it belongs to one of these components.
fn containers_of(selected: &[Selected], pod: &Object) -> Vec<Container> {
    let selected = selected.iter().find(|selected| selected.has(pod));
    selected.map(|selected| Container::all(&selected.component, pod)).unwrap_or_default()
}
