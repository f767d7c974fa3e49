//! Sends a request until it succeeds, fails permanently, or reaches its deadline.

use std::sync::Arc;
use std::time::Duration;

use ::kube::client::Body;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode};
use metrics::{counter, histogram};
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use super::errors::{Failure, Patience};
use super::limit::Limit;
use super::options::ConnectOptions;
use super::request::Call;
use crate::telemetry::{REQUEST_DURATION, REQUESTS};

/// How long to retry after a refused connection or an internal error.
const BRIEF: Duration = Duration::from_secs(2);

/// The client with its limits.
#[derive(Clone)]
pub(super) struct Transport {
    client: ::kube::Client,
    pub(super) timeout: Duration,
    /// How long a watch stays open.
    pub(super) watch_timeout: Duration,
    user_agent: HeaderValue,
    in_flight: Arc<Limit>,
}

impl Transport {
    pub(super) fn new(client: ::kube::Client, options: &ConnectOptions) -> Self {
        Transport {
            client,
            timeout: options.request_timeout,
            watch_timeout: options.watch_timeout,
            user_agent: HeaderValue::from_str(&options.user_agent).unwrap_or(HeaderValue::from_static("urumi")),
            in_flight: Arc::new(Limit::new(options.max_in_flight)),
        }
    }

    /// Sends a request with retries, and returns the answer's body.
    pub(super) async fn call(&self, call: &Call) -> Result<Bytes, Failure> {
        let mut last = None;
        let answer = timeout(self.timeout, self.persist(call, &mut last)).await;
        answer.unwrap_or_else(|_elapsed| Err(Failure::timeout(self.timeout, last.as_ref())))
    }

    /// Sends a request once and does not read the body, for watches and logs: the deadline applies to the answer's head
    /// only.
    pub(super) async fn open(&self, call: &Call) -> Result<Response<Body>, Failure> {
        let opened = async {
            let mut attempt = Try::new(call);
            let response = attempt.answered(self.head(call).await)?;
            if response.status().is_success() {
                return Ok(response);
            }
            Err(refusal(response).await)
        };
        timeout(self.timeout, opened).await.unwrap_or_else(|_elapsed| Err(Failure::timeout(self.timeout, None)))
    }

    async fn persist(&self, call: &Call, last: &mut Option<Failure>) -> Result<Bytes, Failure> {
        let started = Instant::now();
        let mut delays = backoff(Duration::from_millis(50), Duration::from_secs(1));
        loop {
            let failure = match self.attempt(call).await {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => failure,
            };
            let delay = delays.next().unwrap_or_default().max(failure.retry_after.unwrap_or_default());
            let budget = match failure.patience {
                Patience::None => return Err(failure),
                Patience::Brief => BRIEF.min(self.timeout),
                Patience::Full => self.timeout,
            };
            if started.elapsed() + delay >= budget {
                return Err(failure);
            }
            *last = Some(failure);
            sleep(delay).await;
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Bytes, Failure> {
        // Held during an attempt only, not while waiting for the next one.
        let slot = self.in_flight.slot().await;
        let mut attempt = Try::new(call);
        let response = attempt.answered(self.head(call).await)?;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            slot.refused();
        } else {
            slot.answered();
        }
        if response.status().is_success() {
            return response.into_body().collect_bytes().await.map_err(Failure::from_transport);
        }
        Err(refusal(response).await)
    }

    async fn head(&self, call: &Call) -> Result<Response<Body>, Failure> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(call.uri.as_str())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, self.user_agent.clone());
        if !call.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static(call.content_type));
        }
        let request = request.body(Body::from(call.body.clone())).map_err(|e| Failure::invalid(e.to_string()))?;
        self.client.send(request).await.map_err(Failure::from_transport)
    }
}

async fn refusal(response: Response<Body>) -> Failure {
    let (head, body) = response.into_parts();
    match body.collect_bytes().await {
        Ok(bytes) => Failure::from_answer(head.status, &head.headers, &bytes),
        Err(error) => Failure::from_transport(error),
    }
}

/// A request in flight. It is counted in the metrics when it is dropped, and so also if it is cancelled.
struct Try<'a> {
    call: &'a Call,
    started: Instant,
    code: Option<StatusCode>,
}

impl<'a> Try<'a> {
    fn new(call: &'a Call) -> Self {
        Try { call, started: Instant::now(), code: None }
    }

    /// Records the answer's status.
    fn answered(&mut self, response: Result<Response<Body>, Failure>) -> Result<Response<Body>, Failure> {
        let ms = self.started.elapsed().as_millis();
        let (method, path) = (&self.call.method, self.call.uri.path());
        match &response {
            Ok(response) => {
                self.code = Some(response.status());
                debug!(%method, path, status = response.status().as_u16(), ms, "answered");
            }
            Err(failure) => debug!(%method, path, ms, error = failure.message, "no answer"),
        }
        response
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        let verb = self.call.verb;
        let code = self.code.as_ref().map_or("none", StatusCode::as_str).to_owned();
        counter!(REQUESTS, "verb" => verb, "code" => code).increment(1);
        if verb != "watch" {
            histogram!(REQUEST_DURATION, "verb" => verb).record(self.started.elapsed());
        }
    }
}

/// Delays that double from `min` to `max`, each extended by a random time of up to its own length.
pub(super) fn backoff(min: Duration, max: Duration) -> ExponentialBackoff {
    // Without `std` and without a seed, backon would use the same "random" delays in every process.
    ExponentialBuilder::default()
        .with_min_delay(min)
        .with_max_delay(max)
        .with_factor(2.0)
        .with_jitter()
        .with_jitter_seed(rand::random())
        .without_max_times()
        .build()
}
