//! Limits the size of a request body and the time to receive it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::problem::{Code, Problem};

/// The limits of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

/// The limit that a body has exceeded.
#[derive(Clone, Default)]
struct Verdict(Arc<AtomicU8>);

impl Verdict {
    const FINE: u8 = 0;
    const LARGE: u8 = 1;
    const SLOW: u8 = 2;
}

/// Cuts bodies that are too large or too slow, and answers with the problem, whatever the handler returns.
pub(super) async fn limit(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    // Checks Content-Length, if there is one, without reading the body.
    if request.body().size_hint().lower() > limits.bytes as u64 {
        return too_large(limits);
    }
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let verdict = Verdict::default();
    let deadline = Instant::now() + limits.time;
    let request = request
        .map(|body| Body::new(Limited { body, left: limits.bytes, deadline, timer: None, verdict: verdict.clone() }));
    let response = next.run(request).await;
    match verdict.0.load(Ordering::Relaxed) {
        Verdict::FINE => response,
        Verdict::SLOW => too_slow(limits),
        _ => too_large(limits),
    }
}

fn too_large(limits: Limits) -> Response {
    let detail = format!("the body has more than the allowed {} bytes", limits.bytes);
    Problem::new(Code::PayloadTooLarge, detail).into_response()
}

/// The client caused the timeout, so the status is 408 instead of the 504 of `timed-out`.
fn too_slow(limits: Limits) -> Response {
    let detail = format!("the body was not received within {:?}", limits.time);
    let status = StatusCode::REQUEST_TIMEOUT;
    let problem = Problem { status: status.as_u16(), ..Problem::new(Code::TimedOut, detail) };
    (status, problem.into_response()).into_response()
}

struct Limited {
    body: Body,
    left: usize,
    deadline: Instant,
    /// Created at the first wait: most bodies arrive with the head.
    timer: Option<Pin<Box<Sleep>>>,
    verdict: Verdict,
}

impl Limited {
    fn fail(&self, verdict: u8, text: &'static str) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.verdict.0.store(verdict, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(text))))
    }
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            let deadline = this.deadline;
            ready!(this.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline))).as_mut().poll(cx));
            return this.fail(Verdict::SLOW, "the body arrives too slowly");
        };
        let length = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        match this.left.checked_sub(length) {
            None => this.fail(Verdict::LARGE, "the body is too large"),
            // A client that always has a few bytes ready never causes a wait.
            Some(_) if length > 0 && this.deadline <= Instant::now() => {
                this.fail(Verdict::SLOW, "the body arrives too slowly")
            }
            Some(left) => {
                this.left = left;
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
