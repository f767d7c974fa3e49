//! The activity of a connection, and the deadlines of its client.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::ListenerOptions;

/// The limits of reading from a client that still sends after its answer. If the server closed at once, the client's kernel
/// would discard the answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1024 * 1024;

/// The activity of a connection, shared by its transport, its requests and its timer.
#[derive(Clone)]
pub(super) struct Activity(Arc<Mutex<State>>);

struct State {
    http2: bool,
    in_flight: usize,
    /// When the wait for a request's head began; `None` between requests.
    head_since: Option<Instant>,
    /// When the last request ended.
    quiet_since: Instant,
    write_blocked_since: Option<Instant>,
    /// A request's body was not read to its end, so the client may still be sending.
    unread: bool,
    lingering_since: Option<Instant>,
}

/// The limit that ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// The head of a request did not arrive in time.
    Head,
    /// No further request arrived.
    Idle,
    /// The client does not read.
    Write,
    /// The client continues to send after its answer.
    Linger,
}

impl Activity {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Activity(Arc::new(Mutex::new(State {
            http2: false,
            in_flight: 0,
            head_since: Some(now),
            quiet_since: now,
            write_blocked_since: None,
            unread: false,
            lingering_since: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request's head has arrived.
    pub(super) fn request(&self, http2: bool) -> InFlight {
        let mut state = self.state();
        state.http2 = http2;
        state.in_flight += 1;
        state.head_since = None;
        InFlight(self.clone())
    }

    /// The request's body was dropped before its end.
    pub(super) fn left_unread(&self) {
        self.state().unread = true;
    }

    /// The deadline of the client's current activity; `None` while the server processes a request.
    pub(super) fn deadline(&self, options: &ListenerOptions) -> Option<(Instant, Limit)> {
        let state = self.state();
        if let Some(since) = state.lingering_since {
            Some((since + LINGER, Limit::Linger))
        } else if let Some(since) = state.write_blocked_since {
            Some((since + options.write_timeout, Limit::Write))
        } else if state.in_flight > 0 {
            None
        } else if let Some(since) = state.head_since {
            Some((since + options.header_timeout, Limit::Head))
        } else {
            Some((state.quiet_since + options.idle_timeout, Limit::Idle))
        }
    }
}

/// A request whose answer is not complete; dropped at its end.
pub(super) struct InFlight(Activity);

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        state.quiet_since = Instant::now();
    }
}

/// A transport that records its activity.
pub(super) struct Watched<I> {
    io: I,
    activity: Activity,
    discarded: usize,
}

impl<I> Watched<I> {
    pub(super) fn new(io: I, activity: Activity) -> Self {
        Watched { io, activity, discarded: 0 }
    }

    fn wrote<T>(&self, result: Poll<T>) -> Poll<T> {
        let mut state = self.activity.state();
        match result {
            Poll::Pending => {
                state.write_blocked_since.get_or_insert_with(Instant::now);
            }
            Poll::Ready(_) => state.write_blocked_since = None,
        }
        result
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            let mut state = self.activity.state();
            // HTTP/2 has frames outside of requests.
            if state.in_flight == 0 && !state.http2 {
                state.head_since.get_or_insert_with(Instant::now);
            }
        }
        result
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        self.wrote(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.activity.state().lingering_since.is_none() {
            let result = Pin::new(&mut self.io).poll_shutdown(cx);
            ready!(self.wrote(result))?;
            let mut state = self.activity.state();
            if !state.unread && state.head_since.is_none() {
                return Poll::Ready(Ok(()));
            }
            state.lingering_since = Some(Instant::now());
        }
        let mut bytes = [0; 2048];
        while self.discarded < LINGER_BYTES {
            let mut buf = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                break;
            }
            self.discarded += buf.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}
