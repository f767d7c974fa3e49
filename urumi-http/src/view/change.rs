//! Changes as server-sent events, rendered once for all clients.

use std::sync::Arc;

use bytes::Bytes;

use super::{Entry, page};

/// A message to watching clients.
#[derive(Debug)]
pub(crate) struct Change {
    /// The change's number.
    pub(super) sequence: u64,
    /// The id of the event.
    tag: String,
    what: What,
    /// The server-sent event.
    frame: Bytes,
}

/// The kind of change.
#[derive(Debug)]
pub(crate) enum What {
    /// A store was created or changed.
    Changed {
        /// The store after the change.
        now: Arc<Entry>,
        /// The store before the change.
        before: Option<Arc<Entry>>,
    },
    /// A store is gone; its last state.
    Gone(Arc<Entry>),
    /// No change; keeps the connection alive.
    Heartbeat,
}

impl Change {
    pub(super) fn new(sequence: u64, tag: String, what: What) -> Arc<Self> {
        let frame = match &what {
            What::Changed { now, .. } => frame(&tag, "changed", &[&now.json]),
            What::Gone(entry) => gone(&tag, entry),
            What::Heartbeat => Bytes::from_static(b":\n\n"),
        };
        Arc::new(Change { sequence, tag, what, frame })
    }

    pub(super) fn heartbeat() -> Arc<Self> {
        Self::new(0, String::new(), What::Heartbeat)
    }

    /// The event for a client that sees these stores. A store that the client sees no longer is gone for it.
    pub(crate) fn frame_for(&self, sees: impl Fn(&Entry) -> bool) -> Option<Bytes> {
        let sent = match &self.what {
            What::Changed { now, before } if !sees(now) => {
                return before.as_ref().filter(|before| sees(before)).map(|before| gone(&self.tag, before));
            }
            What::Changed { .. } | What::Heartbeat => true,
            What::Gone(entry) => sees(entry),
        };
        sent.then(|| self.frame.clone())
    }
}

fn gone(tag: &str, entry: &Entry) -> Bytes {
    frame(tag, "gone", &[b"{\"id\":\"", entry.store.id.as_str().as_bytes(), b"\"}"])
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
