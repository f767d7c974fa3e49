//! An id, a span and metrics for every request.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use metrics::{counter, gauge, histogram};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};
use uuid::Uuid;

use crate::auth::ClientKey;
use crate::current_request;

/// The header with the request id, in requests and answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, in its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Joins a request's span to the trace that its headers name.
pub type JoinTrace = fn(&Span, &HeaderMap);

pub(super) async fn observe(State(join_trace): State<Option<JoinTrace>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    for secret in [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE] {
        if let http::header::Entry::Occupied(mut values) = request.headers_mut().entry(secret) {
            values.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }
    let id = request.headers().get(REQUEST_ID).and_then(sane).unwrap_or_else(|| Uuid::new_v4().to_string());
    let method = method_label(request.method());
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".to_owned(), |it| it.as_str().into());
    // The path may contain ids of stores, and the query anything, so log lines have the route instead.
    let span = info_span!(
        "request",
        request_id = id,
        method,
        route,
        status = Empty,
        latency_ms = Empty,
        caller = Empty,
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    // Before the span is entered: a span that has begun keeps its trace.
    if let Some(join_trace) = join_trace {
        join_trace(&span, request.headers());
    }
    let header = HeaderValue::from_str(&id);
    request.extensions_mut().insert(RequestId(id.clone()));
    let in_flight = InFlight::new();
    let mut response = current_request::within(id, next.run(request)).instrument(span.clone()).await;
    drop(in_flight);
    if let Ok(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    if let Some(ClientKey(caller)) = response.extensions().get() {
        span.record("caller", caller);
    }
    finish(&span, method, route, response.status().as_u16(), begun);
    response
}

fn finish(span: &Span, method: &'static str, route: String, status: u16, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    let latency_ms = (seconds * 1e6).round() / 1e3;
    span.record("status", status).record("http.response.status_code", status).record("latency_ms", latency_ms);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
    span.in_scope(|| tracing::info!("answered"));
    histogram!("urumi_http_request_duration_seconds", "method" => method, "route" => route.clone()).record(seconds);
    counter!("urumi_http_requests_total", "method" => method, "route" => route, "code" => status.to_string())
        .increment(1);
}

/// Accepts an id that is safe in logs and headers.
fn sane(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    ((1..=64).contains(&text.len()) && text.bytes().all(is_plain)).then(|| text.to_owned())
}

/// Bounds the number of time series: a client may send any method.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Counts a request until its answer begins or its client disconnects.
struct InFlight;

impl InFlight {
    fn new() -> Self {
        gauge!("urumi_http_requests_in_flight").increment(1);
        InFlight
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!("urumi_http_requests_in_flight").decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_over_only_if_they_are_harmless() {
        for good in ["a", "0194-af_3.Z", &"x".repeat(64)] {
            assert_eq!(sane(&HeaderValue::from_str(good).unwrap()).as_deref(), Some(good));
        }
        for bad in ["", "a b", "a\"b", "ü", &"x".repeat(65)] {
            assert_eq!(sane(&HeaderValue::from_bytes(bad.as_bytes()).unwrap()), None, "{bad}");
        }
    }
}
