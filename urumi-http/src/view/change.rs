//! Changes as server-sent events, rendered once for all clients.

use std::sync::Arc;

use bytes::Bytes;

use super::{Entry, page};

/// A message to watching clients.
#[derive(Debug)]
pub(crate) struct Change {
    /// The change's number.
    pub(super) sequence: u64,
    pub(crate) what: What,
    /// The server-sent event.
    pub(crate) frame: Bytes,
}

/// The kind of change.
#[derive(Debug)]
pub(crate) enum What {
    /// A store was created or changed.
    Changed(Arc<Entry>),
    /// A store is gone; its last state.
    Gone(Arc<Entry>),
    /// No change; keeps the connection alive.
    Heartbeat,
}

impl Change {
    pub(super) fn new(sequence: u64, tag: &str, what: What) -> Arc<Self> {
        let frame = match &what {
            What::Changed(entry) => frame(tag, "changed", &[&entry.json]),
            What::Gone(entry) => frame(tag, "gone", &[b"{\"id\":\"", entry.store.id.as_str().as_bytes(), b"\"}"]),
            What::Heartbeat => Bytes::from_static(b":\n\n"),
        };
        Arc::new(Change { sequence, what, frame })
    }

    pub(super) fn heartbeat() -> Arc<Self> {
        Self::new(0, "", What::Heartbeat)
    }

    /// The store of the change.
    pub(crate) fn entry(&self) -> Option<&Entry> {
        match &self.what {
            What::Changed(entry) | What::Gone(entry) => Some(entry),
            What::Heartbeat => None,
        }
    }
}

/// The event at the beginning of a watch, in pieces: all stores.
pub(crate) fn listed_frame(tag: &str, entries: Vec<Arc<Entry>>) -> impl Iterator<Item = Bytes> + Send + 'static {
    std::iter::once(head(tag, "listed").into())
        .chain(page::array(entries))
        .chain(std::iter::once(Bytes::from_static(b"\n\n")))
}

fn head(tag: &str, event: &str) -> String {
    format!("id: {tag}\nevent: {event}\ndata: ")
}

/// The JSON has no line breaks, so one `data` line is enough.
fn frame(tag: &str, event: &str, data: &[&[u8]]) -> Bytes {
    let mut frame = head(tag, event).into_bytes();
    frame.reserve_exact(2 + data.iter().map(|d| d.len()).sum::<usize>());
    data.iter().for_each(|part| frame.extend_from_slice(part));
    frame.extend_from_slice(b"\n\n");
    frame.into()
}
