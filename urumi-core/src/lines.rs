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

/// A line without its end, or a part of one that is too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Whether it is the beginning of a line.
    pub(crate) begins: bool,
}

/// Bytes as they come, cut into lines.
pub(crate) struct Lines<S> {
    bytes: S,
    buffer: LineBuffer,
    /// Whether the end of the last piece's line has not come yet.
    is_within: bool,
    ended: bool,
}

impl<S, E> Lines<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send + 'static,
    E: Send + 'static,
{
    /// The lines in a stream of bytes, without their ends.
    #[cfg(any(feature = "http-client", test))]
    pub(crate) fn of(bytes: S) -> impl Stream<Item = Result<String, E>> + Send + 'static {
        Self::pieces(bytes).map(|piece| piece.map(|piece| piece.text))
    }

    /// The lines in a stream of bytes; a long line is several pieces.
    pub(crate) fn pieces(bytes: S) -> impl Stream<Item = Result<Piece, E>> + Send + 'static {
        let lines = Lines { bytes, buffer: LineBuffer::default(), is_within: false, ended: false };
        stream::unfold(lines, |mut lines| async move { Some((lines.next().await?, lines)) })
    }

    async fn next(&mut self) -> Option<Result<Piece, E>> {
        loop {
            if let Some(line) = self.buffer.line() {
                let begins = !std::mem::replace(&mut self.is_within, false);
                return Some(Ok(Piece { text: text(&line), begins }));
            }
            if self.buffer.len() >= LONGEST || (self.ended && self.buffer.len() > 0) {
                let begins = !std::mem::replace(&mut self.is_within, true);
                return Some(Ok(Piece { text: text(&self.buffer.rest()), begins }));
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

    #[tokio::test]
    async fn a_long_line_begins_once() {
        let chunks = [vec![b'x'; LONGEST], vec![b'x'; LONGEST], b"y\nz\n".to_vec()];
        let chunks = chunks.map(|chunk| Ok::<_, ()>(Bytes::from(chunk)));
        let pieces = Lines::pieces(stream::iter(chunks)).map(|piece| piece.unwrap().begins);
        assert_eq!(pieces.collect::<Vec<_>>().await, [true, false, false, true]);
    }
}
