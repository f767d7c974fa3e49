//! What the containers of a store write: lines, each with where it comes from.

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::lines::LineBuffer;

/// Which lines of a store's logs are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// The component, e.g. `api`; all where there is none.
    pub component: Option<String>,
    /// How many lines from the end, of each container.
    pub tail: u32,
    /// Whether to go on with what is written from now on.
    pub follow: bool,
}

impl LogQuery {
    /// How many lines of each container are shown where nothing else is asked for.
    pub const TAIL: u32 = 100;
    /// The most lines of each container that can be asked for.
    pub const MAX_TAIL: u32 = 10_000;
}

impl Default for LogQuery {
    fn default() -> Self {
        LogQuery { component: None, tail: Self::TAIL, follow: false }
    }
}

/// A line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// The component, e.g. `api`.
    pub component: String,
    /// The pod.
    pub pod: String,
    /// The container within the pod.
    pub container: String,
    /// The line, without its end. What is no UTF-8 is replaced.
    pub text: String,
}

/// Lines as they come: those of one container in order. Ends by itself where nothing is followed, or when everything
/// that is followed has ended; dropping it ends the requests beneath.
pub type LogLines = BoxStream<'static, Result<LogLine>>;

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
