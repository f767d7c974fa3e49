//! Changes as those who watch receive them: server-sent events, rendered once for all of them.

use std::sync::Arc;

use bytes::Bytes;

use super::{Entry, page};

/// Something that those who watch are told.
#[derive(Debug)]
pub(crate) struct Change {
    /// Its number.
    pub(super) sequence: u64,
    pub(crate) what: What,
    /// The server-sent event.
    pub(crate) frame: Bytes,
}

/// What has changed.
#[derive(Debug)]
pub(crate) enum What {
    /// A store was created or is different now.
    Changed(Arc<Entry>),
    /// A store is gone; as it was last.
    Gone(Arc<Entry>),
    /// Nothing: the connection is still there.
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

    /// The store that it is about.
    pub(crate) fn entry(&self) -> Option<&Entry> {
        match &self.what {
            What::Changed(entry) | What::Gone(entry) => Some(entry),
            What::Heartbeat => None,
        }
    }
}

/// The event that begins a watch, or begins it again: all stores at once.
pub(crate) fn listed_frame<'a>(tag: &str, entries: impl Iterator<Item = &'a Arc<Entry>>) -> Bytes {
    frame(tag, "listed", &[&page::array(entries)])
}

/// JSON has no line breaks of its own here, so that one `data` line holds it.
fn frame(tag: &str, event: &str, data: &[&[u8]]) -> Bytes {
    let mut frame = Vec::with_capacity(64 + tag.len() + data.iter().map(|d| d.len()).sum::<usize>());
    frame.extend_from_slice(format!("id: {tag}\nevent: {event}\ndata: ").as_bytes());
    data.iter().for_each(|part| frame.extend_from_slice(part));
    frame.extend_from_slice(b"\n\n");
    frame.into()
}
