//! What was asked, and what became of it.

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::Instant;

/// One request.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Since the proxy was started.
    pub at: Duration,
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: String,
    /// What the API server answered, unless it was not asked.
    pub status: Option<StatusCode>,
    /// What the plan did with it, and with the events of a watch.
    pub faults: Vec<String>,
}

impl Entry {
    /// Whether it opens a watch.
    pub fn is_watch(&self) -> bool {
        self.path.contains("watch=true")
    }

    /// Whether it may change something.
    pub fn is_write(&self) -> bool {
        self.method != Method::GET
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or("-", |status| if status.is_success() { "ok" } else { "no" });
        let code = self.status.map_or(0, |status| status.as_u16());
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let watch = if query.contains("watch=true") { " (watch)" } else { "" };
        write!(f, "{:9.3} {status} {code:3} {:6} {path}{watch}", self.at.as_secs_f64(), self.method.as_str())?;
        for fault in &self.faults {
            write!(f, "  <- {fault}")?;
        }
        Ok(())
    }
}

/// All of them, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Log {
    began: Instant,
    pub(crate) entries: Vec<Entry>,
}

impl Log {
    pub(crate) fn new() -> Log {
        Log { began: Instant::now(), entries: Vec::new() }
    }

    /// Notes a request and returns its place.
    pub(crate) fn begin(&mut self, method: &Method, path: &str) -> usize {
        let (method, path) = (method.clone(), path.to_owned());
        self.entries.push(Entry { at: self.began.elapsed(), method, path, status: None, faults: Vec::new() });
        self.entries.len() - 1
    }

    pub(crate) fn answered(&mut self, place: usize, status: StatusCode) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.status = Some(status);
        }
    }

    pub(crate) fn fault(&mut self, place: usize, fault: &impl fmt::Debug) {
        let at = self.began.elapsed();
        if let Some(entry) = self.entries.get_mut(place) {
            entry.faults.push(format!("{fault:?} at {:.3}", at.as_secs_f64()));
        }
    }
}
