//! Serves one connection: its requests, limits and shutdown.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Request, Uri, Version};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::activity::{Activity, InFlight, Limit, Watched};
use super::{ListenerOptions, Shared};
use crate::problem::{Code, Problem};

/// The time limit for closing an idle connection gracefully.
const GOODBYE: Duration = Duration::from_secs(2);

/// Runs HTTP/2 streams as tasks of the listener, so that they end with it.
#[derive(Clone)]
pub(super) struct Tasks {
    pub(super) tasks: TaskTracker,
    pub(super) cut: CancellationToken,
}

impl<F: Future<Output: Send> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, stream: F) {
        self.tasks.spawn(self.cut.clone().run_until_cancelled_owned(stream));
    }
}

/// Both protocols, with small buffers, for many idle connections rather than few fast ones.
pub(super) fn builder(options: &ListenerOptions, tasks: Tasks) -> Builder<Tasks> {
    // Heads up to this size are read and answered with a problem; hyper itself answers 431 to larger ones.
    let head = (options.max_headers + options.max_uri).saturating_add(8 * 1024).max(8 * 1024);
    let mut builder = Builder::new(tasks);
    // The connection's timer replaces hyper's timeout, which includes the time between requests.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(256 * 1024)
        .max_concurrent_streams(100)
        .max_send_buf_size(32 * 1024)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
        // Also wakes the watch of a connection on which nothing happens.
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// Serves a connection until its client, a limit or the shutdown ends it.
pub(super) async fn serve<I>(io: I, peer: SocketAddr, shared: &Shared)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let activity = Activity::new();
    let io = TokioIo::new(Watched::new(io, activity.clone()));
    let router = shared.router.clone();
    let (max_uri, max_headers) = (shared.options.max_uri, shared.options.max_headers);
    let requests = activity.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let in_flight = requests.request(request.version() == Version::HTTP_2);
        let refused = too_long(request.uri(), max_uri).or_else(|| too_large(request.headers(), max_headers));
        let (mut router, activity) = (router.clone(), requests.clone());
        let mut request = request.map(|body| Body::new(Received { body, activity }));
        async move {
            let response = match refused {
                Some(problem) => problem.into_response(),
                None => {
                    request.extensions_mut().insert(ConnectInfo(peer));
                    answer(&mut router, request).await
                }
            };
            Ok::<_, Infallible>(response.map(|body| Answer { body, _in_flight: in_flight }))
        }
    });
    let mut connection = pin!(shared.builder.serve_connection(io, service));
    let mut stop = pin!(shared.draining.cancelled());
    let mut watch = pin!(Watch::new(&activity, &shared.options));
    let mut closing = false;
    let end = poll_fn(|cx| {
        if !closing && stop.as_mut().poll(cx).is_ready() {
            closing = true;
            connection.as_mut().graceful_shutdown();
        }
        loop {
            if let Poll::Ready(result) = connection.as_mut().poll(cx) {
                return Poll::Ready(result.map_err(|error| error.to_string()));
            }
            match watch.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Limit::Idle) if !closing => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                    watch.as_mut().allow(GOODBYE);
                }
                Poll::Ready(limit) => return Poll::Ready(Err(format!("{limit:?} limit"))),
            }
        }
    })
    .await;
    if let Err(error) = end {
        tracing::debug!(%peer, error, "a connection ended early");
    }
}

async fn answer(router: &mut Router, request: Request<Body>) -> Response {
    match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn too_long(uri: &Uri, max: usize) -> Option<Problem> {
    let length = uri.path_and_query().map_or(0, |it| it.as_str().len());
    (length > max).then(|| {
        Problem::new(Code::UriTooLong, format!("path and query have {length} bytes, at most {max} are allowed"))
    })
}

fn too_large(headers: &HeaderMap, max: usize) -> Option<Problem> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    (size > max).then(|| {
        Problem::new(Code::HeadersTooLarge, format!("the headers have {size} bytes, at most {max} are allowed"))
    })
}

/// Resolves when the client exceeds a limit.
///
/// The timer is reset only if the deadline becomes earlier, so an active connection causes no timer operations.
struct Watch<'a> {
    activity: &'a Activity,
    options: &'a ListenerOptions,
    timer: Pin<Box<tokio::time::Sleep>>,
    armed: bool,
    /// The deadline of a graceful close.
    last: Option<tokio::time::Instant>,
}

impl<'a> Watch<'a> {
    fn new(activity: &'a Activity, options: &'a ListenerOptions) -> Self {
        let timer = Box::pin(tokio::time::sleep(options.header_timeout));
        Watch { activity, options, timer, armed: true, last: None }
    }

    fn allow(mut self: Pin<&mut Self>, more: Duration) {
        self.last = Some(tokio::time::Instant::now() + more);
    }
}

impl Future for Watch<'_> {
    type Output = Limit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Limit> {
        let this = &mut *self;
        loop {
            let limit = this.activity.deadline(this.options);
            let limit = match (limit, this.last) {
                (Some((_, Limit::Idle)), Some(last)) => Some((last, Limit::Idle)),
                (limit, _) => limit,
            };
            if let Some((deadline, limit)) = limit {
                if deadline <= tokio::time::Instant::now() {
                    return Poll::Ready(limit);
                }
                if !this.armed || deadline < this.timer.deadline() {
                    this.timer.as_mut().reset(deadline);
                    this.armed = true;
                }
            }
            if !this.armed || this.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.armed = false;
            if limit.is_none() {
                return Poll::Pending;
            }
        }
    }
}

/// A request's body that records if it is not read to its end.
struct Received {
    body: Incoming,
    activity: Activity,
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            self.activity.left_unread();
        }
    }
}

/// An answer's body. The request is open until it ends.
struct Answer {
    body: Body,
    _in_flight: InFlight,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
