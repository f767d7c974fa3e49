//! Forwards requests to the API. Bodies are streamed in both directions, and nothing is cached.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures::StreamExt as _;
use http::header::{
    CONNECTION, FORWARDED, HOST, ORIGIN, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use reqwest::{Client, Url, redirect};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::pages::Source;
use super::settings::Settings;
use crate::BrowserGuard;
use crate::browser_guard::{addressed, authority_of};
use crate::causes::in_one_line;
use crate::extract::UNBUFFERED;
use crate::layers::{REQUEST_ID, RequestId};
use crate::outgoing;
use crate::problem::{Code, Problem};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the API's settings are cached, and how long a failure to get them.
const CACHED: Duration = Duration::from_secs(30);
const FAILURE_CACHED: Duration = Duration::from_secs(1);
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The headers of one connection only (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] =
    [CONNECTION, KEEP_ALIVE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// The API and how to reach it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiOptions {
    /// Its URL, without a path.
    pub url: Url,
    /// A PEM file of certificate authorities for it, in addition to the system's.
    pub ca: Option<PathBuf>,
    /// Whether other computers can reach the replica. If so, it forwards nothing to an API without authentication, which
    /// listens on loopback and relies on that.
    pub exposed: bool,
    /// The hosts that browsers may use for the replica, if the API has no authentication.
    pub browser_guard: BrowserGuard,
    /// Cancelled when the replica shuts down: endless streams end then.
    pub draining: CancellationToken,
}

impl ApiOptions {
    /// The API at this URL.
    pub fn new(url: Url) -> Self {
        ApiOptions {
            url,
            ca: None,
            exposed: false,
            browser_guard: BrowserGuard::default(),
            draining: CancellationToken::new(),
        }
    }
}

/// The client of a dashboard replica for the API.
#[derive(Debug)]
pub struct Api {
    client: Client,
    url: Url,
    exposed: bool,
    browser_guard: BrowserGuard,
    draining: CancellationToken,
    /// The cached settings and the end of their validity.
    settings: Mutex<Option<(Instant, Result<Settings, Problem>)>>,
}

impl Api {
    /// Sets up the client; sends no request yet.
    ///
    /// # Errors
    /// If the certificate authorities are invalid.
    pub fn new(options: ApiOptions) -> Result<Self, String> {
        let ApiOptions { url, ca, exposed, browser_guard, draining } = options;
        let more = match &ca {
            Some(path) => outgoing::authorities(path)
                .map_err(|why| format!("cannot use the certificate authorities in {}: {why}", path.display()))?,
            None => Vec::new(),
        };
        let tls = outgoing::tls(more, url.scheme() == "https").map_err(|error| error.to_string())?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            // No reuse of connections: the Service selects a replica per connection, and an old one may be shutting down.
            .pool_max_idle_per_host(0)
            // The proxies in the environment are for requests to the outside; the API is in the same network.
            .no_proxy()
            .build()
            .map_err(|error| in_one_line(&error))?;
        Ok(Api { client, url, exposed, browser_guard, draining, settings: Mutex::new(None) })
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }

    fn unreachable(&self, error: &reqwest::Error) -> Problem {
        // The address of the API is for operators only, in the log.
        tracing::warn!(api = %self.url, error = in_one_line(error), "the API cannot be reached");
        let detail = "the dashboard cannot reach its API; try again, and if the error persists, check that the backend \
                      runs and that --api-url is its address";
        Problem::new(Code::ApiUnreachable, detail).retry_after(1)
    }

    /// Whether the API is ready, by its own answer.
    async fn readiness(&self) -> Result<(), Problem> {
        let url = self.at("/readyz");
        let answer = self.client.get(url).timeout(CONNECT_TIMEOUT).send().await;
        let status = answer.map_err(|error| self.unreachable(&error))?.status();
        if status.is_success() {
            return Ok(());
        }
        Err(Problem::new(Code::NotReady, format!("the API answers {status} to /readyz")))
    }

    /// Protects an API without authentication from other computers, and from web pages on this one.
    /// `guarded` is the verdict of the browser guard.
    async fn permitted(&self, guarded: Result<(), Problem>) -> Result<(), Problem> {
        if self.settings().await?.has_authentication() {
            return Ok(());
        }
        if !self.exposed {
            return guarded;
        }
        let detail = "the API of this dashboard has no authentication, and other computers can reach the dashboard: \
                      configure authentication of the API (--tokens-file, --oidc-issuer, --token-review), or let the \
                      dashboard listen on loopback";
        Err(Problem::new(Code::Forbidden, detail))
    }

    async fn ask_settings(&self) -> Result<Settings, Problem> {
        let url = self.at("/ui/settings.json");
        let asked = async {
            let answer = self.client.get(url).timeout(CONNECT_TIMEOUT).send().await?.error_for_status()?;
            answer.json::<Settings>().await
        };
        asked.await.map_err(|error| self.unreachable(&error))
    }

    async fn forward(&self, request: Request) -> Result<Response, Problem> {
        self.permitted(self.browser_guard.check(request.method(), request.uri(), request.headers())).await?;
        let (parts, body) = request.into_parts();
        let mut url = self.at(parts.uri.path());
        url.set_query(parts.uri.query());
        let mut headers = parts.headers;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        drop_own_origin(&parts.uri, &mut headers);
        set_forwarded_headers(&mut headers, peer.map(|peer| peer.to_string()).as_deref());
        if let Some(RequestId(id)) = parts.extensions.get::<RequestId>()
            && let Ok(id) = HeaderValue::from_str(id)
        {
            headers.insert(REQUEST_ID, id);
        }
        let mut forwarded = self.client.request(parts.method, url).headers(headers);
        if !body.is_end_stream() {
            forwarded = forwarded.body(reqwest::Body::wrap_stream(body.into_data_stream()));
        }
        let answer = forwarded.send().await.map_err(|error| self.unreachable(&error))?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        drop_hop_by_hop(response.headers_mut());
        let endless = answer.headers().get(UNBUFFERED).is_some_and(|value| value == "no");
        let body = answer.bytes_stream();
        *response.body_mut() = if endless {
            Body::from_stream(body.take_until(self.draining.clone().cancelled_owned()))
        } else {
            Body::from_stream(body)
        };
        Ok(response)
    }
}

#[async_trait]
impl Source for Api {
    /// The API's settings, so that a replica needs no configuration. Concurrent callers share one request.
    async fn settings(&self) -> Result<Settings, Problem> {
        let mut kept = self.settings.lock().await;
        if let Some((until, answer)) = &*kept
            && Instant::now() < *until
        {
            return answer.clone();
        }
        let answer = self.ask_settings().await;
        let counts = if answer.is_ok() { CACHED } else { FAILURE_CACHED };
        *kept = Some((Instant::now() + counts, answer.clone()));
        answer
    }
}

/// The health of the replica and the readiness of its API.
pub fn health(api: Arc<Api>) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).with_state(api)
}

/// Forwards all paths.
pub(super) fn router(api: Arc<Api>) -> Router {
    Router::new().route("/{*path}", any(forward)).with_state(api)
}

async fn ready(State(api): State<Arc<Api>>) -> Response {
    match api.readiness().await {
        Ok(()) => "ok\n".into_response(),
        Err(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem).into_response(),
    }
}

async fn forward(State(api): State<Arc<Api>>, request: Request) -> Result<Response, Problem> {
    api.forward(request).await
}

/// Removes `Origin` if it is this replica's own. The API has another address and would refuse it as cross-site.
fn drop_own_origin(uri: &Uri, headers: &mut HeaderMap) {
    let origin = headers.get(ORIGIN).and_then(authority_of);
    if origin.is_some() && origin == addressed(uri, headers) {
        headers.remove(ORIGIN);
    }
}

/// Removes the headers of the incoming connection, and adds the address of the client.
fn set_forwarded_headers(headers: &mut HeaderMap, peer: Option<&str>) {
    drop_hop_by_hop(headers);
    headers.remove(HOST);
    // Only X-Forwarded-For is extended; a Forwarded from the client could contradict it.
    headers.remove(FORWARDED);
    if let Some(peer) = peer.and_then(|peer| HeaderValue::from_str(peer).ok()) {
        headers.append(X_FORWARDED_FOR, peer);
    }
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_is_about_a_connection_stays_there() {
        let mut passed = headers(&[
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("transfer-encoding", "chunked"),
            ("te", "trailers"),
            ("authorization", "Bearer t"),
            ("idempotency-key", "k"),
        ]);
        drop_hop_by_hop(&mut passed);
        assert_eq!(passed, headers(&[("authorization", "Bearer t"), ("idempotency-key", "k")]));
    }

    #[test]
    fn the_api_is_told_who_asked_whatever_a_client_says() {
        let mut passed =
            headers(&[("host", "dashboard.example.com"), ("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "6.6.6.6")]);
        set_forwarded_headers(&mut passed, Some("10.0.0.9"));
        let who: Vec<_> = passed.get_all(X_FORWARDED_FOR).iter().map(|value| value.to_str().unwrap()).collect();
        // The reliable entry is the last one.
        assert_eq!(who, ["6.6.6.6", "10.0.0.9"]);
        assert!(!passed.contains_key(FORWARDED) && !passed.contains_key(HOST));
    }
}
