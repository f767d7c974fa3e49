//! Bytes that come in pieces, cut into lines.

use bytes::{Bytes, BytesMut};

/// What has come and is not part of a line that was taken.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    bytes: BytesMut,
    /// How much of it is known to have no newline.
    searched: usize,
}

impl LineBuffer {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the next whole line, without its newline.
    pub(crate) fn line(&mut self) -> Option<Bytes> {
        let rest = self.bytes.get(self.searched..).unwrap_or_default();
        let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.bytes.len();
            return None;
        };
        let mut line = self.bytes.split_to(self.searched + at + 1);
        line.truncate(self.searched + at);
        self.searched = 0;
        Some(line.freeze())
    }

    /// How much there is.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes all there is.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.searched = 0;
        self.bytes.split().freeze()
    }
}
