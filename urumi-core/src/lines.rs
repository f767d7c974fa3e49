//! Bytes that come in pieces, cut into lines.

use bytes::{Bytes, BytesMut};
use futures::stream;
use futures::{Stream, StreamExt};

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

/// The longest line that is passed on whole; a longer one comes in pieces.
const LONGEST: usize = 64 * 1024;

/// Bytes as they come, cut into lines.
pub(crate) struct Lines<S> {
    bytes: S,
    buffer: LineBuffer,
    ended: bool,
}

impl<S, E> Lines<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send + 'static,
    E: Send + 'static,
{
    /// The lines in a stream of bytes, without their ends.
    pub(crate) fn of(bytes: S) -> impl Stream<Item = Result<String, E>> + Send + 'static {
        let lines = Lines { bytes, buffer: LineBuffer::default(), ended: false };
        stream::unfold(lines, |mut lines| async move { Some((lines.next().await?, lines)) })
    }

    async fn next(&mut self) -> Option<Result<String, E>> {
        loop {
            if let Some(line) = self.buffer.line() {
                return Some(Ok(text(&line)));
            }
            if self.buffer.len() >= LONGEST || (self.ended && self.buffer.len() > 0) {
                return Some(Ok(text(&self.buffer.rest())));
            }
            if self.ended {
                return None;
            }
            match self.bytes.next().await {
                Some(Ok(bytes)) => self.buffer.push(&bytes),
                Some(Err(error)) => return Some(Err(error)),
                None => self.ended = true,
            }
        }
    }
}

fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let chunks: Vec<Result<Bytes, ()>> = chunks.iter().map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        Lines::of(stream::iter(chunks)).map(Result::unwrap).collect().await
    }

    #[tokio::test]
    async fn lines_are_whole_wherever_the_bytes_were_cut() {
        assert_eq!(lines(&[b"one\ntw", b"o\r\n", b"", b"\nlast"]).await, ["one", "two", "", "last"]);
        assert_eq!(lines(&[b"\xff\n"]).await, ["\u{fffd}"]);
        assert!(lines(&[]).await.is_empty());
        assert_eq!(lines(&[&vec![b'x'; LONGEST + 1]]).await.len(), 1);
        assert_eq!(lines(&[&vec![b'x'; LONGEST], b"y\n"]).await, ["x".repeat(LONGEST), "y".into()]);
    }
}
