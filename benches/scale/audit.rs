//! The server's requests in the API server's audit log.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// How many requests of each sort were made; watches are left out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Requests {
    /// Objects that were created.
    pub(crate) created: usize,
    /// Requests that were refused: with 409 as a rule.
    pub(crate) refused: usize,
    /// Reads and lists.
    pub(crate) reads: usize,
    /// Changes of records and objects.
    pub(crate) patches: usize,
    others: usize,
}

impl Requests {
    pub(crate) fn total(self) -> usize {
        self.created + self.refused + self.reads + self.patches + self.others
    }
}

/// The length of the log in bytes.
pub(crate) fn length(log: &Path) -> Result<u64> {
    Ok(std::fs::metadata(log).context("the audit log")?.len())
}

/// The requests that were logged from a position on.
pub(crate) fn requests(log: &Path, from: u64) -> Result<Requests> {
    let mut file = File::open(log).context("the audit log")?;
    file.seek(SeekFrom::Start(from))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let mut requests = Requests::default();
    for line in text.lines() {
        // The API server may be writing the last line.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if !text("/userAgent").starts_with("urumi-http/") || text("/stage") != "ResponseComplete" {
            continue;
        }
        let code = entry.pointer("/responseStatus/code").and_then(Value::as_i64).unwrap_or_default();
        match text("/verb") {
            "watch" => {}
            // Renewals of the lease are no cost of stores.
            _ if text("/objectRef/resource") == "leases" => {}
            _ if code >= 400 => requests.refused += 1,
            "create" => requests.created += 1,
            "get" | "list" => requests.reads += 1,
            "patch" => requests.patches += 1,
            _ => requests.others += 1,
        }
    }
    Ok(requests)
}
