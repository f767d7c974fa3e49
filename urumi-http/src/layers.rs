//! The layers around all routes: request ids, limits, metrics, CORS, compression and safe headers.

mod body;
mod nearest;
mod observe;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{DefaultBodyLimit, OriginalUri, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::header::{
    self, ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LINK,
    LOCATION, RETRY_AFTER,
};
use http::{HeaderName, HeaderValue, Method, Uri};
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate};
use tower_http::compression::{CompressionLayer, DefaultPredicate};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::packed::AsItIs;
use crate::problem::{Code, Problem};

pub use observe::{JoinTrace, REQUEST_ID, RequestId};

/// Smaller answers are not compressed: it saves nothing.
const WORTH_PACKING: u64 = 1024;

/// The limits of requests, and the allowed origins.
#[derive(Clone, Debug)]
pub struct LayerOptions {
    /// The maximum size of a request body in bytes.
    pub max_body: usize,
    /// The time limit for receiving the body.
    pub body_timeout: Duration,
    /// The time limit until the answer begins, except on routes with [`long_running`]. A stream that follows is not
    /// limited.
    pub request_timeout: Duration,
    /// The maximum number of requests whose answer has not begun, except on routes with [`long_running`]. `/healthz` and
    /// `/readyz` do not count.
    pub max_in_flight: usize,
    /// The number of further requests for which only administrators are served by this crate's router; none by default.
    pub reserved_in_flight: usize,
    /// Whether clients use HTTPS, to this server or to a proxy in front of it: browsers are then told to use nothing else for
    /// this host (HSTS).
    pub hsts: bool,
    /// The origins whose pages may use the API (CORS); none by default.
    pub cors_origins: Vec<HeaderValue>,
    /// Joins each request's span to its client's trace, for programs that export traces; spans stand alone by default.
    pub join_trace: Option<JoinTrace>,
    /// If an unknown path is similar to one of these, the answer suggests it. For example, the paths of
    /// [`document`](crate::document); none by default. A segment in braces matches any segment.
    pub known_paths: Vec<String>,
}

impl Default for LayerOptions {
    fn default() -> Self {
        LayerOptions {
            max_body: 256 * 1024,
            body_timeout: Duration::from_secs(15),
            request_timeout: Duration::from_secs(30),
            max_in_flight: 1024,
            reserved_in_flight: 0,
            hsts: false,
            cors_origins: Vec::new(),
            join_trace: None,
            known_paths: Vec::new(),
        }
    }
}

/// Wraps a router with all its routes in the layers, and answers unknown paths and methods with problems.
///
/// The layers do not cover routes that are added later, and a fallback that was set before is replaced: use a route
/// `/{*path}` instead.
pub fn wrap(router: Router, options: &LayerOptions) -> Router {
    let slots = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
    let slots = Slots { all: slots(options.max_in_flight), reserved: slots(options.reserved_in_flight) };
    let limits = body::Limits { bytes: options.max_body, time: options.body_timeout };
    let known_paths: Arc<[String]> = options.known_paths.clone().into();
    // The last layer is the outermost.
    let router = router
        .fallback(async move |uri: Uri| no_such_path(uri.path(), nearest::nearest(&known_paths, uri.path())))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(limits, body::limit))
        .layer(from_fn_with_state(options.request_timeout, limit_time))
        .layer(from_fn_with_state(slots, shed_load))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::SSE).and(Whole)))
        .layer(from_fn(always_plain));
    let router = if options.cors_origins.is_empty() { router } else { router.layer(cors(&options.cors_origins)) };
    router
        .layer(from_fn_with_state(options.hsts, safe_headers))
        .layer(from_fn_with_state(options.join_trace, observe::observe))
}

fn no_such_path(path: &str, meant: Option<String>) -> Problem {
    let meant = meant.map(|meant| format!("; did you mean {}?", shown(&meant))).unwrap_or_default();
    Problem::new(Code::NoSuchPath, format!("there is no path {}{meant}", shown(path)))
}

/// The answer for a path of the API with a slash at its end.
pub(crate) async fn slash_at_the_end(OriginalUri(uri): OriginalUri) -> Problem {
    no_such_path(uri.path(), Some(uri.path().trim_end_matches('/').to_owned()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} does not support {method}", shown(uri.path())))
}

/// The beginning of a path or a name.
pub(crate) fn shown(path: &str) -> String {
    let mut shown: String = path.chars().take(100).collect();
    if shown.len() < path.len() {
        shown.push('…');
    }
    shown
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    counter!("urumi_http_panics_total").increment(1);
    tracing::error!(panic = text, "a handler panicked");
    Problem::new(Code::Internal, "the handler of this request failed; the log of the server has the cause")
        .into_response()
}

/// The places of requests in flight.
#[derive(Clone)]
struct Slots {
    all: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
}

/// The place of a request, which a route can give up before its answer.
#[derive(Clone)]
struct Slot(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Slot {
    fn free(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Marks a request with a reserved place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserved;

/// A refusal because of what others do.
pub(crate) fn overloaded(why: &str) -> Problem {
    counter!("urumi_http_requests_shed_total").increment(1);
    Problem::new(Code::Overloaded, format!("{why}; try again in a moment")).retry_after(1)
}

/// Refuses requests over the limit at once, so that clients learn early that they must retry.
async fn shed_load(State(slots): State<Slots>, mut request: Request, next: Next) -> Response {
    // A server that is busy is healthy.
    if matches!(request.uri().path(), "/healthz" | "/readyz") {
        return next.run(request).await;
    }
    let permit = match slots.all.try_acquire_owned() {
        Ok(permit) => permit,
        Err(_full) => match slots.reserved.try_acquire_owned() {
            Ok(permit) => {
                request.extensions_mut().insert(Reserved);
                permit
            }
            Err(_full) => return overloaded("the server is processing too many requests").into_response(),
        },
    };
    let slot = Slot(Arc::new(Mutex::new(Some(permit))));
    request.extensions_mut().insert(slot.clone());
    let response = next.run(request).await;
    slot.free();
    response
}

/// Whether a request's route has lifted the time limit.
#[derive(Clone, Debug, Default)]
struct TimeLimit(Arc<AtomicBool>);

async fn limit_time(State(limit): State<Duration>, mut request: Request, next: Next) -> Response {
    let ours = TimeLimit::default();
    request.extensions_mut().insert(ours.clone());
    let mut answer = pin!(next.run(request));
    match tokio::time::timeout(limit, &mut answer).await {
        Ok(response) => response,
        Err(_elapsed) if ours.0.load(Ordering::Relaxed) => answer.await,
        Err(_elapsed) => {
            Problem::new(Code::TimedOut, format!("the request took longer than {limit:?}")).into_response()
        }
    }
}

/// A middleware for routes whose handlers have a deadline and a limit of their number of their own: lifts
/// [`LayerOptions::request_timeout`], and does not count the request among [`LayerOptions::max_in_flight`] any more.
pub async fn long_running(request: Request, next: Next) -> Response {
    if let Some(TimeLimit(lifted)) = request.extensions().get() {
        lifted.store(true, Ordering::Relaxed);
    }
    if let Some(slot) = request.extensions().get::<Slot>() {
        slot.free();
    }
    next.run(request).await
}

/// Accepts the encoding `identity` for clients that refuse it. The layer of compression would answer 406 after the handler
/// has run: a store would be created, and its client told that its request failed.
async fn always_plain(mut request: Request, next: Next) -> Response {
    let refuses = |coding: &str| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().to_ascii_lowercase();
        let is_zero = weight.strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0));
        is_zero && matches!(name.trim().to_ascii_lowercase().as_str(), "identity" | "*")
    };
    let headers = request.headers_mut();
    let given = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings: Vec<String> = given.flat_map(|value| value.split(',')).map(str::to_owned).collect();
    if codings.iter().any(|coding| refuses(coding)) {
        let kept: Vec<String> = codings.into_iter().filter(|coding| !refuses(coding)).collect();
        headers.remove(ACCEPT_ENCODING);
        if let Ok(kept) = HeaderValue::from_str(&kept.join(","))
            && !kept.is_empty()
        {
            headers.insert(ACCEPT_ENCODING, kept);
        }
    }
    next.run(request).await
}

/// Selects large answers of known size, unless they were compressed before. A stream is not compressed: its parts must not
/// wait for each other.
#[derive(Clone, Copy)]
struct Whole;

impl Predicate for Whole {
    fn should_compress<B: HttpBody>(&self, response: &http::Response<B>) -> bool {
        let is_large = response.body().size_hint().exact().is_some_and(|length| length >= WORTH_PACKING);
        is_large && response.extensions().get::<AsItIs>().is_none()
    }
}

fn cors(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            ACCEPT,
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_MATCH,
            IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            REQUEST_ID,
        ])
        .expose_headers([
            ETAG,
            LINK,
            LOCATION,
            RETRY_AFTER,
            header::WARNING,
            REQUEST_ID,
            HeaderName::from_static("deprecation"),
            HeaderName::from_static("idempotency-replayed"),
            HeaderName::from_static("sunset"),
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
        ])
        .max_age(Duration::from_secs(600))
}

/// Sets safe headers for browsers and caches, except those that the route has set.
async fn safe_headers(State(hsts): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    if hsts {
        let value = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().entry(header::STRICT_TRANSPORT_SECURITY).or_insert(value);
    }
    response
}
