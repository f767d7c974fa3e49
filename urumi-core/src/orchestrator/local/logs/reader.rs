//! Follows the log of one container, over its restarts and lost connections, until its pod is gone.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::super::Orchestrator;
use super::container::{Container, Stamps, since};
use super::cursor::{Cursor, Known};
use crate::cluster::ClusterBackend;
use crate::error::{Error, Operation, Result};
use crate::kubernetes::{ClusterError, ClusterErrorKind, Kind, LogOptions, LogsSince, Object, Query, Verb};
use crate::lines::{Lines, Piece};
use crate::store::StoreId;
use crate::store::logs::LogLine;

/// How long to wait before a log that was lost is opened again. The wait doubles while no line comes.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// The state of a container, as far as its log depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Whether it has started once.
    pub(super) has_log: bool,
    is_running: bool,
    restarts: i64,
    /// Whether its pod is gone.
    pub(super) is_gone: bool,
}

impl State {
    pub(super) fn of(pod: &Object, container: &str) -> State {
        let lists = ["/status/containerStatuses", "/status/initContainerStatuses"];
        let mut statuses = lists.into_iter().flat_map(|list| pod.list_at(list));
        let Some(status) = statuses.find(|s| s.get("name").and_then(Value::as_str) == Some(container)) else {
            return State::default();
        };
        let has = |path: &str| status.pointer(path).is_some();
        State {
            has_log: ["/state/running", "/state/terminated", "/lastState/terminated"].into_iter().any(has),
            is_running: has("/state/running"),
            restarts: status.get("restartCount").and_then(Value::as_i64).unwrap_or(0),
            is_gone: false,
        }
    }
}

/// Where the log of a container is read from at first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begin {
    /// The end of what is there.
    Tail { lines: u32, since: Option<LogsSince> },
    /// All there is.
    Start,
}

/// Reads the log of one container.
pub(super) struct Reader {
    orchestrator: Orchestrator,
    id: StoreId,
    container: Container,
    begin: Begin,
    state: watch::Receiver<State>,
    /// The state at the last attempt to open the log.
    seen: Option<State>,
    /// When the log was first opened.
    opened: Option<Instant>,
    /// The restarts of the container whose log was opened last.
    restarts: Option<i64>,
    open: Option<Open>,
    cursor: Cursor,
    /// Whether the last attempt failed, or the connection was lost.
    failed: bool,
    retry: Duration,
    ended: bool,
}

/// A log that is being read.
struct Open {
    pieces: BoxStream<'static, Result<Piece, ClusterError>>,
    stamps: Stamps,
    known: Known,
    /// Whether it may repeat lines without times.
    again: bool,
    /// Whether the present line has been read before.
    is_known: bool,
    /// The restarts after which it is the log of the earlier run, if it is that.
    previous: Option<i64>,
}

impl Reader {
    /// The lines of a container, whose state is sent through `state`.
    pub(super) fn lines(
        orchestrator: Orchestrator,
        id: StoreId,
        container: Container,
        begin: Begin,
        state: watch::Receiver<State>,
    ) -> BoxStream<'static, Result<LogLine>> {
        let reader = Reader {
            orchestrator,
            id,
            container,
            begin,
            state,
            seen: None,
            opened: None,
            restarts: None,
            open: None,
            cursor: Cursor::default(),
            failed: false,
            retry: FIRST_RETRY,
            ended: false,
        };
        stream::unfold(reader, |mut reader| async move { Some((reader.next().await?, reader)) }).boxed()
    }

    async fn next(&mut self) -> Option<Result<LogLine>> {
        loop {
            if self.ended {
                return None;
            }
            if let Some(open) = &mut self.open {
                match open.pieces.next().await {
                    Some(Ok(piece)) => match self.accept(piece) {
                        Some(line) => return Some(Ok(line)),
                        None => continue,
                    },
                    Some(Err(_)) => self.close(true),
                    None => self.close(false),
                }
            }
            let state = self.due().await?;
            if let Err(error) = self.open(state).await {
                use ClusterErrorKind::{NotFound, Unavailable};
                // It has no log yet, or no longer.
                if !error.is_retryable() && !matches!(error.kind(), NotFound | Unavailable) {
                    self.ended = true;
                    return Some(Err(Error::cluster(Operation::Logs, Some(&self.id), error)));
                }
                self.failed = true;
            }
        }
    }

    /// The line of a piece, unless it has been read before.
    fn accept(&mut self, piece: Piece) -> Option<LogLine> {
        let open = self.open.as_mut()?;
        let begins = piece.begins;
        let stamped = open.stamps.read(piece);
        if begins {
            open.is_known = stamped.time.map_or(open.again, |time| open.known.has(time));
        }
        if open.is_known {
            return None;
        }
        if begins {
            self.cursor.note(stamped.time);
        }
        self.retry = FIRST_RETRY;
        Some(self.container.line(stamped))
    }

    /// Notes that the open log has ended, or that the connection was lost.
    fn close(&mut self, lost: bool) {
        let previous = self.open.take().and_then(|open| open.previous);
        self.failed = lost;
        if let Some(restarts) = previous.filter(|_| !lost) {
            self.restarts = Some(restarts);
            // Now the log of the present run.
            self.seen = None;
        }
    }

    /// Waits until there may be something to read; `None` once the pod is gone.
    async fn due(&mut self) -> Option<State> {
        loop {
            let state = *self.state.borrow_and_update();
            if state.is_gone {
                return None;
            }
            if state.has_log && self.seen != Some(state) {
                return Some(state);
            }
            let may_go_on = state.has_log && (state.is_running || self.failed);
            tokio::select! {
                changed = self.state.changed() => changed.ok()?,
                () = sleep(self.retry), if may_go_on => {
                    self.retry = (self.retry * 2).min(LAST_RETRY);
                    return Some(state);
                }
            }
        }
    }

    /// Opens the log. What the container wrote before it was restarted comes first.
    async fn open(&mut self, state: State) -> Result<(), ClusterError> {
        self.seen = Some(state);
        let was_restarted = match (self.restarts, self.begin) {
            (Some(before), _) => state.restarts > before,
            (None, Begin::Start) => state.restarts > 0,
            (None, Begin::Tail { .. }) => false,
        };
        if was_restarted {
            match self.read(Some(state.restarts)).await {
                // The earlier run is no longer kept.
                Err(error) if error.kind() == ClusterErrorKind::NotFound => {}
                opened => return opened,
            }
        }
        self.read(None).await?;
        self.restarts = Some(state.restarts);
        Ok(())
    }

    async fn read(&mut self, previous: Option<i64>) -> Result<(), ClusterError> {
        let (tail, since) = match (self.cursor.since(), self.begin, self.opened) {
            (Some(since), ..) => (None, Some(since)),
            (None, Begin::Tail { lines, since }, None) => (Some(lines), since),
            // No line has come since, and the answer may be late. Lines that were not asked for do less harm than a gap.
            (None, Begin::Tail { .. }, Some(opened)) => (None, Some(since(opened.elapsed() + FIRST_RETRY))),
            (None, Begin::Start, _) => (None, None),
        };
        let options = LogOptions {
            container: Some(self.container.name.clone()),
            tail,
            since,
            follow: previous.is_none(),
            timestamps: true,
            previous: previous.is_some(),
        };
        let cluster = self.orchestrator.cluster();
        let bytes = cluster.logs(&self.container.pod, &options).await?;
        ensure_same_pod(cluster.as_ref(), &self.container).await?;
        let open = Open {
            pieces: Lines::pieces(bytes).boxed(),
            stamps: Stamps::default(),
            known: self.cursor.known(),
            again: self.opened.is_some(),
            is_known: false,
            previous,
        };
        self.opened.get_or_insert_with(Instant::now);
        self.open = Some(open);
        self.failed = false;
        Ok(())
    }
}

/// Checks that the log which was opened by the pod's name is not that of a later pod.
async fn ensure_same_pod(cluster: &dyn ClusterBackend, container: &Container) -> Result<(), ClusterError> {
    let pod = &container.pod;
    let namespace = pod.namespace.clone().unwrap_or_default();
    let pods = cluster.list(&Query::all(Kind::of::<Pod>()).in_namespace(namespace).named(&pod.name)).await?;
    if pods.iter().any(|found| found.uid() != Some(container.uid.as_str())) {
        return Err(ClusterError::new(Verb::Logs, pod, ClusterErrorKind::NotFound, "another pod has its name"));
    }
    Ok(())
}
