//! A watch that recovers from failures.
//!
//! It lists the objects, then watches from the list's `resourceVersion`. When the watch ends, it watches again from the
//! last version seen; bookmarks keep that version recent for kinds that change rarely. So a timeout causes no new list.
//! It lists again, and delivers a new snapshot, in two cases: the server no longer has that version (410) or answers it
//! with errors only; or a reported error was followed by a watch without events, so that consumers see that it has passed.
//! It ignores a list older than what it has delivered, so that consumers never see time go backwards.
//!
//! Streaming lists (`sendInitialEvents`) would save a round trip at the start. The oldest servers that urumi supports have
//! them switched off, and a paginated list is as consistent.

use std::ops::RangeInclusive;
use std::time::Duration;

use ::kube::client::Body;
use backon::ExponentialBackoff;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::BodyExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use super::errors::Failure;
use super::request::Call;
use super::transport::{Transport, backoff};
use super::{item, list};
use crate::cluster::backend::WatchStream;
use crate::kubernetes::{ClusterError, ClusterErrorKind, Query, Verb, WatchEvent};
use crate::lines::LineBuffer;

/// After an error, the server ends the next watch after this many seconds, so that its success shows soon.
const SECONDS_AFTER_ERROR: RangeInclusive<u64> = 2..=4;
/// How much later than requested the server may end a watch.
const GRACE: Duration = Duration::from_secs(5);
/// A watch that ends sooner than this without an event did not end because of its timeout.
const SUSPICIOUSLY_SHORT: Duration = Duration::from_secs(1);
/// The version is given up after this many answers in a row that refuse it. As many lists in a row are ignored because they
/// are older than what was delivered.
const REFUSALS: u32 = 3;

/// The stream of a watch. It owns all state, so dropping it closes the connection.
pub(super) fn watch(transport: Transport, query: Query) -> WatchStream {
    let watch = Watch {
        transport,
        query,
        phase: Phase::List,
        delays: delays(),
        pause: None,
        refusals: 0,
        newest: 0,
        doubts: 0,
        failing: false,
    };
    stream::unfold(watch, |mut watch| async move {
        let item = watch.next().await;
        Some((item, watch))
    })
    .boxed()
}

/// Capped at 5 s (at most doubled by jitter), so that the end of an outage is noticed soon.
fn delays() -> ExponentialBackoff {
    backoff(Duration::from_millis(100), Duration::from_secs(5))
}

struct Watch {
    transport: Transport,
    query: Query,
    phase: Phase,
    /// Restarted when the server has delivered an event.
    delays: ExponentialBackoff,
    /// How long to wait before the next request.
    pause: Option<Duration>,
    refusals: u32,
    /// The newest version that was delivered.
    newest: u64,
    /// The number of lists in a row that were older than that.
    doubts: u32,
    /// Whether the last delivery was an error.
    failing: bool,
}

enum Phase {
    List,
    Connect { version: String },
    Read(Reading),
}

struct Reading {
    version: String,
    lines: Lines,
    opened: Instant,
    deadline: Instant,
    heard: bool,
}

/// One line of a watch.
#[derive(Deserialize)]
struct Line {
    r#type: String,
    object: Value,
}

impl Watch {
    async fn next(&mut self) -> Result<WatchEvent, ClusterError> {
        loop {
            if let Some(pause) = self.pause.take() {
                sleep(pause).await;
            }
            let step = match std::mem::replace(&mut self.phase, Phase::List) {
                Phase::List => self.list().await.map(Some),
                Phase::Connect { version } => self.connect(version).await.map(|()| None),
                Phase::Read(reading) => self.read(reading).await,
            };
            match step {
                Ok(Some(event)) => {
                    self.failing = false;
                    return Ok(event);
                }
                Ok(None) => {}
                Err(failure) => {
                    self.pause = self.delays.next();
                    if failure.expired {
                        debug!(query = %self.query, "the watch fell behind, listing again");
                    } else {
                        self.failing = true;
                        return Err(failure.into_error(Verb::Watch, &self.query));
                    }
                }
            }
        }
    }

    async fn list(&mut self) -> Result<WatchEvent, Failure> {
        // In a task of its own: the consumer of many watches may be busy with another's list meanwhile.
        let (transport, query) = (self.transport.clone(), self.query.clone());
        let listing = tokio::spawn(async move { list::listing(&transport, &query).await });
        let listing = AbortOnDropHandle::new(listing).await;
        let listing = listing.map_err(|_| Failure::unreadable("the list was not read to its end"))??;
        if number(&listing.version) < self.newest && self.doubts < REFUSALS {
            self.doubts += 1;
            return Err(Failure::outdated());
        }
        // The server has nothing newer: the cluster may have been restored from a backup.
        self.doubts = 0;
        self.newest = number(&listing.version);
        self.refusals = 0;
        self.phase = Phase::Connect { version: listing.version };
        Ok(WatchEvent::Snapshot(listing.objects))
    }

    async fn connect(&mut self, version: String) -> Result<(), Failure> {
        let seconds = if self.failing { SECONDS_AFTER_ERROR } else { period(self.transport.watch_timeout) };
        let seconds = rand::random_range(seconds);
        match self.transport.open(&Call::watch(&self.query, &version, seconds)).await {
            Ok(response) => {
                let opened = Instant::now();
                let deadline = opened + Duration::from_secs(seconds) + GRACE;
                let lines = Lines::new(response.into_body());
                self.phase = Phase::Read(Reading { version, lines, opened, deadline, heard: false });
                Ok(())
            }
            Err(failure) => {
                self.refusals += u32::from(failure.answered && refuses_version(failure.kind));
                // Otherwise the phase is `List`.
                if !failure.expired && self.refusals < REFUSALS {
                    self.phase = Phase::Connect { version };
                }
                if self.refusals >= REFUSALS {
                    // The server does not know the version, so no list counts as older than it.
                    self.newest = 0;
                }
                Err(failure)
            }
        }
    }

    async fn read(&mut self, mut reading: Reading) -> Result<Option<WatchEvent>, Failure> {
        match timeout_at(reading.deadline, reading.lines.next()).await {
            Ok(Some(Ok(line))) => self.line(reading, &line),
            Ok(Some(Err(error))) => {
                self.phase = Phase::Connect { version: reading.version };
                Err(Failure::from_transport(error))
            }
            Ok(None) => {
                if !reading.heard && reading.opened.elapsed() < SUSPICIOUSLY_SHORT {
                    debug!(query = %self.query, "the watch ended at once");
                    self.pause = self.delays.next();
                } else {
                    self.recovered();
                }
                // Otherwise the phase is `List`.
                if !self.failing {
                    self.phase = Phase::Connect { version: reading.version };
                }
                Ok(None)
            }
            Err(_elapsed) => {
                self.phase = Phase::Connect { version: reading.version };
                // Some proxies let a watch outlive its timeout. The connection is dead only if nothing came.
                if reading.heard { Ok(None) } else { Err(Failure::silence(reading.opened.elapsed())) }
            }
        }
    }

    fn line(&mut self, mut reading: Reading, line: &[u8]) -> Result<Option<WatchEvent>, Failure> {
        // If the line cannot be read, an event is lost, and the objects have to be listed again: the phase is `List`.
        let Line { r#type, object: value } = serde_json::from_slice(line).map_err(|e| item::unreadable(&e))?;
        if r#type == "ERROR" {
            let failure = Failure::from_status(500, &serde_json::from_value::<Status>(value).unwrap_or_default());
            if !failure.expired {
                self.phase = Phase::Connect { version: reading.version };
            }
            return Err(failure);
        }
        let version = value.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        reading.version = version.ok_or_else(|| Failure::unreadable("an event has no resourceVersion"))?.to_owned();
        self.newest = self.newest.max(number(&reading.version));
        let event = match r#type.as_str() {
            "ADDED" | "MODIFIED" => Some(WatchEvent::Applied(item::object(&self.query.kind, value)?)),
            "DELETED" => Some(WatchEvent::Deleted(item::object(&self.query.kind, value)?)),
            // Of a BOOKMARK, or a type added in the future, only the version counts.
            _ => None,
        };
        self.recovered();
        reading.heard = true;
        self.phase = Phase::Read(reading);
        Ok(event)
    }

    /// Forgets earlier failures.
    fn recovered(&mut self) {
        self.delays = delays();
        self.refusals = 0;
    }
}

/// For how many seconds to watch. A random time keeps the watches from reconnecting all at once.
fn period(timeout: Duration) -> RangeInclusive<u64> {
    let seconds = timeout.as_secs().max(1);
    seconds..=seconds.saturating_add(seconds / 5)
}

/// A version as a number, or 0 if it is none. Kubernetes promises numbers since 1.35, and has always used them.
fn number(version: &str) -> u64 {
    version.parse().unwrap_or_default()
}

/// Whether the requested version may be the cause of an error. It is not the cause of overload, which lists would make
/// worse, or of a missing permission.
fn refuses_version(kind: ClusterErrorKind) -> bool {
    matches!(kind, ClusterErrorKind::Invalid | ClusterErrorKind::Other)
}

/// The lines of a body.
struct Lines {
    body: Body,
    buffer: LineBuffer,
}

impl Lines {
    fn new(body: Body) -> Self {
        Lines { body, buffer: LineBuffer::default() }
    }

    /// The next line that is not empty; `None` at the end. A last line without a newline was cut off, so it is ignored.
    async fn next(&mut self) -> Option<Result<Bytes, ::kube::Error>> {
        loop {
            if let Some(line) = self.buffer.line() {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return Some(Ok(line));
            }
            match self.body.frame().await? {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.push(&data);
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
