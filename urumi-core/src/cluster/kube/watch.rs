//! The watch that heals itself.
//!
//! List, then watch from the list's `resourceVersion`; when the watch ends, watch on from the last version seen
//! (bookmarks keep it fresh on quiet kinds), so that nothing is listed again for a mere timeout. Only when the server
//! no longer has that version (410), or answers it with nothing but errors, is the list asked for again and reported as
//! a new snapshot; and when an error was reported and then nothing happens, so that whoever heard of the error hears that
//! it has passed. A list from an API server that lags behind what was seen already is not believed, lest time runs
//! backwards for whoever watches.
//!
//! Lists that come through the watch itself (`sendInitialEvents`) would save one round trip a start, but the oldest
//! servers that urumi supports have them switched off, and a paginated list is as consistent.

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
use tracing::debug;

use super::errors::Failure;
use super::list;
use super::request::Call;
use super::transport::{Transport, backoff};
use crate::cluster::backend::WatchStream;
use crate::kubernetes::{ClusterError, ClusterErrorKind, Query, Verb, WatchEvent};
use crate::lines::LineBuffer;

/// After how many seconds the server ends a watch; which of them is random, lest all watches reconnect at once. A
/// connection that died silently is noticed after this and [`GRACE`]: within 30 s, with the time to make another.
const SECONDS: std::ops::RangeInclusive<u64> = 20..=24;
/// The same after an error, when it is to show soon that it is well.
const SECONDS_OF_PROOF: std::ops::RangeInclusive<u64> = 2..=4;
/// How much later than that it may end.
const GRACE: Duration = Duration::from_secs(5);
/// A watch that ends sooner than this, without a word, did not end because of its timeout.
const SUSPICIOUSLY_SHORT: Duration = Duration::from_secs(1);
/// After so many answers in a row that refuse the version, it is given up; and so many lists that are older than what
/// was seen are not believed.
const REFUSALS: u32 = 3;

/// The stream. All state is in it: dropping it closes the connection.
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
        ill: false,
    };
    stream::unfold(watch, |mut watch| async move {
        let item = watch.next().await;
        Some((item, watch))
    })
    .boxed()
}

/// Capped low (5 s, at most doubled by jitter), for a server that is back should be seen soon.
fn delays() -> ExponentialBackoff {
    backoff(Duration::from_millis(100), Duration::from_secs(5))
}

struct Watch {
    transport: Transport,
    query: Query,
    phase: Phase,
    /// Restarted when the server has shown that it is well.
    delays: ExponentialBackoff,
    /// To be slept before anything else is asked.
    pause: Option<Duration>,
    refusals: u32,
    /// The newest version that was read.
    newest: u64,
    /// How many lists in a row were older than that.
    doubts: u32,
    /// Whether the last that was reported is an error.
    ill: bool,
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
                    self.ill = false;
                    return Ok(event);
                }
                Ok(None) => {}
                Err(failure) => {
                    self.pause = self.delays.next();
                    if failure.expired {
                        debug!(query = %self.query, "the watch fell behind, listing again");
                    } else {
                        self.ill = true;
                        return Err(failure.into_error(Verb::Watch, &self.query));
                    }
                }
            }
        }
    }

    async fn list(&mut self) -> Result<WatchEvent, Failure> {
        let listing = list::all(&self.transport, &self.query).await?;
        if number(&listing.version) < self.newest && self.doubts < REFUSALS {
            self.doubts += 1;
            return Err(Failure::outdated());
        }
        // What stays behind is what there is: a cluster may have been restored from a backup.
        self.doubts = 0;
        self.newest = number(&listing.version);
        self.refusals = 0;
        self.phase = Phase::Connect { version: listing.version };
        Ok(WatchEvent::Snapshot(listing.objects))
    }

    async fn connect(&mut self, version: String) -> Result<(), Failure> {
        let seconds = rand::random_range(if self.ill { SECONDS_OF_PROOF } else { SECONDS });
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
                // Otherwise the phase is that of a list.
                if !failure.expired && self.refusals < REFUSALS {
                    self.phase = Phase::Connect { version };
                }
                if self.refusals >= REFUSALS {
                    // The server does not know it, so nothing is older than it.
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
                    self.well();
                }
                // Otherwise the phase is that of a list.
                if !self.ill {
                    self.phase = Phase::Connect { version: reading.version };
                }
                Ok(None)
            }
            Err(_elapsed) => {
                self.phase = Phase::Connect { version: reading.version };
                // Some proxies let a watch outlive its timeout. Only silence is a sign of a dead connection.
                if reading.heard { Ok(None) } else { Err(Failure::silence(reading.opened.elapsed())) }
            }
        }
    }

    fn line(&mut self, mut reading: Reading, line: &[u8]) -> Result<Option<WatchEvent>, Failure> {
        // Should anything be wrong with the line, then what is known is no longer complete: the phase is that of a list.
        let Line { r#type, object: value } = serde_json::from_slice(line).map_err(|e| list::unreadable(&e))?;
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
            "ADDED" | "MODIFIED" => Some(WatchEvent::Applied(list::object(&self.query.kind, value)?)),
            "DELETED" => Some(WatchEvent::Deleted(list::object(&self.query.kind, value)?)),
            // BOOKMARK, and whatever may come: the version is all there is to it.
            _ => None,
        };
        self.well();
        reading.heard = true;
        self.phase = Phase::Read(reading);
        Ok(event)
    }

    fn well(&mut self) {
        self.delays = delays();
        self.refusals = 0;
    }
}

/// A version as the number that it is (Kubernetes 1.35 promises so, and all before did so), or 0 where a server has others.
fn number(version: &str) -> u64 {
    version.parse().unwrap_or_default()
}

/// Whether an answer may be due to the version asked for. Overload and missing permissions are not, and lists would
/// make the former worse.
fn refuses_version(kind: ClusterErrorKind) -> bool {
    matches!(kind, ClusterErrorKind::Invalid | ClusterErrorKind::Other)
}

/// A body, line by line.
struct Lines {
    body: Body,
    buffer: LineBuffer,
}

impl Lines {
    fn new(body: Body) -> Self {
        Lines { body, buffer: LineBuffer::default() }
    }

    /// The next line that is not empty; `None` at the end. A last line without a newline was cut off and is left out.
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
