//! Passing requests on to the API: bodies flow both ways as they come, and nothing is kept.

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
/// How long the API's settings are believed, and how long it that it has none to give.
const BELIEVED: Duration = Duration::from_secs(30);
const REFUSED: Duration = Duration::from_secs(1);
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// What is about one connection only (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] =
    [CONNECTION, KEEP_ALIVE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// Where the API is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiOptions {
    /// Its address, without a path.
    pub url: Url,
    /// A PEM file of certificate authorities to trust for it, besides the system's.
    pub ca: Option<PathBuf>,
    /// Whether other computers reach the replica. Then nothing is passed on to an API that asks nobody who they are:
    /// such a one listens on loopback, and would be everybody's.
    pub exposed: bool,
    /// Which hosts browsers may use for the replica, where the API asks nobody who they are.
    pub browser_guard: BrowserGuard,
    /// Cancelled when the replica is to end: streams that would never end by themselves are ended then.
    pub draining: CancellationToken,
}

impl ApiOptions {
    /// The API at this address.
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

/// The API that a replica of the dashboard stands before.
#[derive(Debug)]
pub struct Api {
    client: Client,
    url: Url,
    exposed: bool,
    browser_guard: BrowserGuard,
    draining: CancellationToken,
    /// What it answered last, and until when that counts.
    settings: Mutex<Option<(Instant, Result<Settings, Problem>)>>,
}

impl Api {
    /// Prepares to pass requests on; nothing is asked yet.
    ///
    /// # Errors
    /// When the certificate authorities cannot be used; the text says why.
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
            // Each request goes to a replica that the Service has now: a kept connection would go on to one that is ending.
            .pool_max_idle_per_host(0)
            // It is a neighbour: what the environment says of proxies is about the world outside.
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
        // The API's address is the operator's business, and in the log.
        tracing::warn!(api = %self.url, error = in_one_line(error), "the API cannot be reached");
        let detail = "the dashboard cannot reach the API behind it; try again, and if that goes on, look whether the \
                      backend runs and whether --api-url is its address";
        Problem::new(Code::ApiUnreachable, detail).retry_after(1)
    }

    /// Whether the API can do its work: its own answer, and none where it cannot be reached.
    async fn readiness(&self) -> Result<(), Problem> {
        let url = self.at("/readyz");
        let answer = self.client.get(url).timeout(CONNECT_TIMEOUT).send().await;
        let status = answer.map_err(|error| self.unreachable(&error))?.status();
        if status.is_success() {
            return Ok(());
        }
        Err(Problem::new(Code::NotReady, format!("the API answers {status} when asked whether it is ready")))
    }

    /// Protects an API that asks nobody who they are: from other computers, and from web pages on this one.
    /// `guarded` is what the browser guard says of the request.
    async fn permitted(&self, guarded: Result<(), Problem>) -> Result<(), Problem> {
        if self.settings().await?.asks_who() {
            return Ok(());
        }
        if !self.exposed {
            return guarded;
        }
        let detail = "the API behind this dashboard asks nobody who they are, and the dashboard can be reached from other \
                      computers: let the API recognise its callers (--tokens-file, --oidc-issuer, --token-review), or let \
                      the dashboard listen on loopback";
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

    async fn pass_on(&self, request: Request) -> Result<Response, Problem> {
        self.permitted(self.browser_guard.check(request.method(), request.uri(), request.headers())).await?;
        let (parts, body) = request.into_parts();
        let mut url = self.at(parts.uri.path());
        url.set_query(parts.uri.query());
        let mut headers = parts.headers;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        drop_own_origin(&parts.uri, &mut headers);
        for_the_api(&mut headers, peer.map(|peer| peer.to_string()).as_deref());
        if let Some(RequestId(id)) = parts.extensions.get::<RequestId>()
            && let Ok(id) = HeaderValue::from_str(id)
        {
            headers.insert(REQUEST_ID, id);
        }
        let mut passed_on = self.client.request(parts.method, url).headers(headers);
        if !body.is_end_stream() {
            passed_on = passed_on.body(reqwest::Body::wrap_stream(body.into_data_stream()));
        }
        let answer = passed_on.send().await.map_err(|error| self.unreachable(&error))?;
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
    /// The API's own, so that a replica needs none. One request for all who wait.
    async fn settings(&self) -> Result<Settings, Problem> {
        let mut kept = self.settings.lock().await;
        if let Some((until, answer)) = &*kept
            && Instant::now() < *until
        {
            return answer.clone();
        }
        let answer = self.ask_settings().await;
        let counts = if answer.is_ok() { BELIEVED } else { REFUSED };
        *kept = Some((Instant::now() + counts, answer.clone()));
        answer
    }
}

/// Whether a replica lives, and whether the API behind it can do its work.
pub fn health(api: Arc<Api>) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).with_state(api)
}

/// Everything that is not the dashboard's own.
pub(super) fn router(api: Arc<Api>) -> Router {
    Router::new().route("/{*path}", any(pass_on)).with_state(api)
}

async fn ready(State(api): State<Arc<Api>>) -> Response {
    match api.readiness().await {
        Ok(()) => "ok\n".into_response(),
        Err(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem).into_response(),
    }
}

async fn pass_on(State(api): State<Arc<Api>>, request: Request) -> Result<Response, Problem> {
    api.pass_on(request).await
}

/// Leaves out `Origin` where it is this replica's: to the API, whose address differs, it would look like another site's.
fn drop_own_origin(uri: &Uri, headers: &mut HeaderMap) {
    let origin = headers.get(ORIGIN).and_then(authority_of);
    if origin.is_some() && origin == addressed(uri, headers) {
        headers.remove(ORIGIN);
    }
}

/// Leaves out what was about the connection to us, and adds who asked.
fn for_the_api(headers: &mut HeaderMap, peer: Option<&str>) {
    drop_hop_by_hop(headers);
    headers.remove(HOST);
    // We add to the one only; what a client wrote in the other would contradict it.
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
        for_the_api(&mut passed, Some("10.0.0.9"));
        let who: Vec<_> = passed.get_all(X_FORWARDED_FOR).iter().map(|value| value.to_str().unwrap()).collect();
        // What is true is at the right.
        assert_eq!(who, ["6.6.6.6", "10.0.0.9"]);
        assert!(!passed.contains_key(FORWARDED) && !passed.contains_key(HOST));
    }
}
