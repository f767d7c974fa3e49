//! `HttpOrchestrator`: stores through a urumi server.

mod logs;
mod probe;
mod problem;
mod tls;
mod token;
mod warning;
mod watch;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH, LINK};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

pub use self::probe::Answer;
use self::problem::{Purpose, innermost, is_version_not_reached, no_answer, refusal, unreadable};
pub use self::token::TokenSource;
use crate::engine::EngineInfo;
use crate::error::{Error, FieldError, Operation, Result};
use crate::orchestrator::LogLines;
use crate::orchestrator::{Action, Precondition, StoreOrchestrator, StoreStream};
use crate::secret::SecretString;
use crate::store::credentials::Credentials;
use crate::store::idempotency::check_key;
use crate::store::logs::LogQuery;
use crate::store::preview::{Difference, Preview};
use crate::store::revision::Revision;
use crate::store::smoke::SmokeReport;
use crate::store::timeline::TimelineEntry;
use crate::store::update::{UpdatePreview, UpdateStore};
use crate::store::{CreateStore, Creation, Store, StoreId, StoreOptions};

/// The request header with the idempotency key.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The response header that says that an earlier request with the same key created the store.
const REPLAYED: &str = "Idempotency-Replayed";
/// The media type of merge patches.
const MERGE_PATCH: &str = "application/merge-patch+json";
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(40);
/// How long a smoke order may take: an hour is the most that a store's options allow.
const SMOKE: Duration = Duration::from_secs(3700);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a request that failed for a passing reason is sent.
const TRIES: usize = 4;

/// Stores through a urumi server. A cheap handle: clones share the connections.
///
/// What fails for a passing reason (overload, a connection that was refused or lost) is sent again a few times;
/// creations carry an idempotency key, so that this makes nothing twice. Redirects are not followed.
#[derive(Clone)]
pub struct HttpOrchestrator {
    client: Client,
    base: Url,
    /// Gives the token of each request, if there is a source.
    tokens: Option<Arc<dyn TokenSource>>,
    /// The highest version that a change of ours has led to: reads are asked to be at least as new.
    written: Arc<AtomicU64>,
    /// Is told each warning of the server.
    on_warning: Arc<dyn Fn(&str) + Send + Sync>,
}

/// How a server is found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerOptions {
    /// A bearer token.
    pub token: Option<SecretString>,
    /// Certificates to trust besides the system's, as PEM.
    pub ca_certificates: Option<Vec<u8>>,
    /// What to call oneself; `urumi-core/<version>` by default.
    pub user_agent: Option<String>,
    /// Headers that every request has, for servers behind something of one's own.
    pub headers: Vec<(String, String)>,
}

impl ServerOptions {
    /// Authenticates with a bearer token.
    #[must_use]
    pub fn token(mut self, token: SecretString) -> Self {
        self.token = Some(token);
        self
    }

    /// Trusts these certificate authorities too, as PEM.
    #[must_use]
    pub fn ca_certificates(mut self, pem: Vec<u8>) -> Self {
        self.ca_certificates = Some(pem);
        self
    }

    /// Sets the `User-Agent`.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// Adds a header to every request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// A server's address or settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ServerError(String);

impl fmt::Debug for HttpOrchestrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOrchestrator").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// The value of the header `Authorization`.
fn bearer(token: &SecretString) -> Result<HeaderValue, ServerError> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal().trim()))
        .map_err(|_| ServerError("the token has characters that no token has".to_owned()))?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

impl HttpOrchestrator {
    /// Prepares to talk to the server at `base`, e.g. `https://urumi.example.com`. No request is made yet.
    ///
    /// # Errors
    /// When the address is no `http` or `https` URL, has credentials, a query or a fragment; when the token or the
    /// certificates cannot be used.
    pub fn connect(base: &str, options: &ServerOptions) -> Result<Self, ServerError> {
        let wrong = |what: &str| ServerError(format!("the server's address {what}"));
        let not_http = || wrong("must begin with http:// or https:// and name a host");
        if !base.contains("://") {
            return Err(not_http());
        }
        let mut base: Url = base.parse().map_err(|e| wrong(&format!("is not a URL: {e}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(not_http());
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("must not have credentials in it; give a token instead"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong("must not have a query or a fragment"));
        }
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        let agent = options.user_agent.as_deref().unwrap_or(concat!("urumi-core/", env!("CARGO_PKG_VERSION")));
        let mut client = Client::builder()
            .user_agent(agent)
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true);
        let mut headers = HeaderMap::new();
        for (name, value) in &options.headers {
            let wrong = || ServerError(format!("the header {name:?} is none that can be sent"));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|_| wrong())?);
        }
        if let Some(token) = &options.token {
            headers.insert(AUTHORIZATION, bearer(token)?);
        }
        client = client.default_headers(headers);
        let authorities = options.ca_certificates.as_deref().map_or(Ok(Vec::new()), tls::certificates);
        let authorities = authorities.map_err(|e| ServerError(format!("the CA certificates cannot be read: {e}")))?;
        if is_loopback(&base) {
            // A proxy has a loopback of its own, and would be given the token.
            client = client.no_proxy();
        }
        let tls = if base.scheme() == "http" { tls::unused() } else { tls::verified(authorities) };
        let tls = tls.map_err(|e| ServerError(format!("cannot prepare TLS: {e}")))?;
        let client = client.tls_backend_preconfigured(tls);
        let client =
            client.build().map_err(|e| ServerError(format!("cannot prepare connections: {}", innermost(&e))))?;
        let on_warning = Arc::new(|text: &str| tracing::warn!("the server warns: {text}"));
        Ok(HttpOrchestrator { client, base, tokens: None, written: Arc::default(), on_warning })
    }

    /// Sends the tokens of this source instead of [`ServerOptions::token`].
    #[must_use]
    pub fn token_source(mut self, source: impl TokenSource + 'static) -> Self {
        self.tokens = Some(Arc::new(source));
        self
    }

    /// Adds the token of the source, if there is one.
    async fn authorized(&self, request: RequestBuilder) -> Result<RequestBuilder> {
        match &self.tokens {
            Some(source) => Ok(request.header(AUTHORIZATION, bearer(&source.token().await?)?)),
            None => Ok(request),
        }
    }

    /// Tells `handler` the server's warnings about what it accepts, which are logged otherwise: the texts of the header
    /// `Warning` of successful answers.
    #[must_use]
    pub fn on_warning(mut self, handler: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_warning = Arc::new(handler);
        self
    }

    /// The server's address.
    pub fn address(&self) -> &str {
        self.base.as_str()
    }

    /// Whether nobody on the way can read what is sent: it is encrypted, or does not leave this machine.
    pub fn is_confidential(&self) -> bool {
        self.base.scheme() == "https" || is_loopback(&self.base)
    }

    /// Asks the server anything by GET: for its own resources, such as `whoami`.
    ///
    /// # Errors
    /// When there is no answer, it is a problem, or is not what `T` reads.
    pub async fn ask<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T> {
        self.read(Purpose::Ask, None, self.request(Method::GET, path)).await
    }

    /// The body of an answer to a GET, as it is.
    ///
    /// # Errors
    /// When there is no answer, or it is a problem.
    pub async fn raw(&self, path: &[&str]) -> Result<Vec<u8>> {
        let response = self.send(Operation::Get, None, self.request(Method::GET, path)).await?;
        Ok(body(Operation::Get.into(), response).await?.into())
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // An http URL has a path, always.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// A change of a store.
    fn patch(&self, id: &StoreId, update: &UpdateStore) -> RequestBuilder {
        // The header is set first: a body of JSON would otherwise set another.
        let request = self.request(Method::PATCH, &["stores", id.as_str()]).header(CONTENT_TYPE, MERGE_PATCH);
        request.json(update)
    }

    /// A read that must not be older than our own changes.
    fn get(&self, path: &[&str]) -> RequestBuilder {
        let request = self.request(Method::GET, path);
        match self.written.load(Ordering::Relaxed) {
            0 => request,
            version => request.query(&[("resourceVersion", version)]),
        }
    }

    /// Sends until there is an answer that is no passing failure, and returns its head.
    async fn send(
        &self,
        purpose: impl Into<Purpose>,
        id: Option<&StoreId>,
        request: RequestBuilder,
    ) -> Result<Response> {
        let purpose = purpose.into();
        let mut delays = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(5))
            .with_max_times(TRIES - 1)
            .with_jitter()
            .with_jitter_seed(rand::random())
            .build();
        loop {
            // Bodies are JSON in memory, so that a copy can always be made.
            let Some(copy) = request.try_clone() else { return Err(no_answer(purpose, &"the body is a stream")) };
            let (error, after) = match self.authorized(copy).await {
                Ok(copy) => match timeout(REQUEST, copy.send()).await {
                    Ok(Ok(response)) if response.status().is_success() => {
                        warning::texts(response.headers()).iter().for_each(|text| (self.on_warning)(text));
                        return Ok(response);
                    }
                    Ok(Ok(response)) => refusal(purpose, id, response).await,
                    Ok(Err(error)) => (no_answer(purpose, &innermost(&error)), None),
                    Err(_elapsed) => (no_answer(purpose, &format_args!("none within {REQUEST:?}")), None),
                },
                Err(error) => (error, None),
            };
            match delays.next() {
                Some(delay) if error.is_retryable() => sleep(delay.max(after.unwrap_or_default())).await,
                _ => {
                    if is_version_not_reached(&error) {
                        self.forget_written();
                    }
                    return Err(error);
                }
            }
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        purpose: impl Into<Purpose>,
        id: Option<&StoreId>,
        request: RequestBuilder,
    ) -> Result<T> {
        let purpose = purpose.into();
        json(purpose, self.send(purpose, id, request).await?).await
    }

    /// A key that cannot be one may not even be sendable: it is refused here, with what else is wrong.
    async fn check_key(&self, request: &CreateStore) -> Result<()> {
        let Some(Err(wrong)) = request.idempotency_key.as_deref().map(check_key) else { return Ok(()) };
        let without = CreateStore { idempotency_key: None, ..request.clone() };
        let mut errors = match self.preview(without).await {
            Err(Error::Invalid(errors)) => errors,
            _ => Vec::new(),
        };
        errors.push(wrong);
        Err(Error::Invalid(errors))
    }

    /// A change, after which reads must show it.
    async fn change(&self, operation: Operation, id: Option<&StoreId>, request: RequestBuilder) -> Result<Store> {
        Ok(self.wrote(self.read(operation, id, request).await?))
    }

    /// Forgets the versions of our own changes: a server that started after a store was gone never sees its last one.
    fn forget_written(&self) {
        self.written.store(0, Ordering::Relaxed);
    }

    /// Remembers that a change led to this version of a store.
    fn wrote(&self, store: Store) -> Store {
        if let Ok(version) = store.resource_version.parse() {
            self.written.fetch_max(version, Ordering::Relaxed);
        }
        store
    }
}

/// The whole body of an answer.
async fn body(purpose: Purpose, response: Response) -> Result<Bytes> {
    let body = timeout(REQUEST, response.bytes()).await;
    let body = body.map_err(|_elapsed| no_answer(purpose, &format_args!("none within {REQUEST:?}")))?;
    body.map_err(|error| no_answer(purpose, &error))
}

async fn json<T: DeserializeOwned>(purpose: impl Into<Purpose>, response: Response) -> Result<T> {
    let purpose = purpose.into();
    serde_json::from_slice(&body(purpose, response).await?).map_err(|error| unreadable(purpose, &error))
}

/// A key as structured headers write strings, so that no character of it has a meaning of its own.
fn quoted(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether an address leads to this machine, by its own text.
fn is_loopback(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost" || host.ends_with(".localhost"), |address| address.is_loopback())
}

/// The request with what is expected of its store. A version says which store is meant, too: no two objects of a
/// cluster have the same one.
fn guarded(request: RequestBuilder, expected: &Precondition) -> Result<RequestBuilder> {
    match (expected.expected_version(), expected.expected_uid()) {
        (Some(version), _) => Ok(request.header(IF_MATCH, format!("\"{version}\""))),
        (None, None) => Ok(request),
        // Sent without it, the request would act on any store of the id.
        (None, Some(_)) => {
            let message = "a server cannot be told a uid; expect a version instead";
            Err(FieldError::new("precondition", message).into())
        }
    }
}

/// The address of the next page.
fn next_page(response: &Response, base: &Url) -> Option<Url> {
    let address = response.headers().get_all(LINK).iter().find_map(|links| linked(links.to_str().ok()?, "next"))?;
    // Only the query is taken: the server may be mounted where it does not know.
    let query = address.split_once('?')?.1;
    let mut url = base.clone();
    url.set_query(Some(query));
    Some(url)
}

/// The address with the relation `relation` in a `Link` header (RFC 8288). Addresses may contain commas and semicolons.
fn linked<'a>(links: &'a str, relation: &str) -> Option<&'a str> {
    let mut rest = links;
    while let Some((address, after)) = rest.split_once('<').and_then(|(_, link)| link.split_once('>')) {
        let parameters = after.split('<').next().unwrap_or_default();
        let is_relation = |parameter: &str| {
            let value = parameter.trim().trim_end_matches(',').trim_end().strip_prefix("rel=");
            value.is_some_and(|value| value.trim_matches('"').split_whitespace().any(|name| name == relation))
        };
        if parameters.split(';').any(is_relation) {
            return Some(address);
        }
        rest = after;
    }
    None
}

#[async_trait]
impl StoreOrchestrator for HttpOrchestrator {
    async fn create(&self, request: CreateStore) -> Result<Creation> {
        self.check_key(&request).await?;
        let key = request.idempotency_key.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        let send = self.request(Method::POST, &["stores"]).header(IDEMPOTENCY_KEY, quoted(&key)).json(&request);
        let id = request.id.as_deref().and_then(|id| StoreId::parse(id).ok());
        let response = self.send(Operation::Create, id.as_ref(), send).await?;
        // A key that was generated here has no earlier request: a replay then answers our own first try.
        let own_key = request.idempotency_key.is_none();
        let replayed = response.headers().get(REPLAYED).is_some_and(|replayed| replayed == "true");
        let store = self.wrote(json(Operation::Create, response).await?);
        Ok(if replayed && !own_key { Creation::Repeated(store) } else { Creation::New(store) })
    }

    async fn preview(&self, request: CreateStore) -> Result<Preview> {
        self.check_key(&request).await?;
        let send = self.request(Method::POST, &["stores", "preview"]).json(&request);
        let id = request.id.as_deref().and_then(|id| StoreId::parse(id).ok());
        self.read(Operation::Preview, id.as_ref(), send).await
    }

    async fn get(&self, id: &StoreId) -> Result<Store> {
        self.read(Operation::Get, Some(id), HttpOrchestrator::get(self, &["stores", id.as_str()])).await
    }

    async fn list(&self) -> Result<Vec<Store>> {
        let mut stores: Vec<Store> = Vec::new();
        let mut request = HttpOrchestrator::get(self, &["stores"]);
        let base = self.url(&["stores"]);
        loop {
            let response = self.send(Operation::List, None, request).await?;
            let next = next_page(&response, &base);
            stores.extend(json::<Vec<Store>>(Operation::List, response).await?);
            match next {
                Some(next) => request = self.client.get(next),
                None => return Ok(stores),
            }
        }
    }

    fn watch(&self, id: Option<&StoreId>) -> StoreStream {
        watch::watch(self.clone(), id.cloned())
    }

    async fn delete_if(&self, id: &StoreId, expected: &Precondition) -> Result<Store> {
        let request = guarded(self.request(Method::DELETE, &["stores", id.as_str()]), expected)?;
        self.change(Operation::Delete, Some(id), request).await
    }

    async fn act_if(&self, id: &StoreId, action: Action, expected: &Precondition) -> Result<Store> {
        let (path, query) = match &action {
            Action::Retry => ("retry", None),
            Action::Restart { component } => ("restart", component.clone().map(|name| ("component", name))),
            // The server knows who asks.
            Action::Rollback { to, by: _ } => ("rollback", to.map(|to| ("to", to.to_string()))),
        };
        let request = self.request(Method::POST, &["stores", id.as_str(), path]).query(query.as_slice());
        let request = guarded(request, expected)?;
        self.change(action.operation(), Some(id), request).await
    }

    async fn update_if(&self, id: &StoreId, update: UpdateStore, expected: &Precondition) -> Result<Store> {
        let request = guarded(self.patch(id, &update), expected)?;
        self.change(Operation::Update, Some(id), request).await
    }

    async fn preview_update(
        &self,
        id: &StoreId,
        update: UpdateStore,
        expected: &Precondition,
    ) -> Result<UpdatePreview> {
        let request = guarded(self.patch(id, &update).query(&[("dryRun", true)]), expected)?;
        self.read(Operation::Update, Some(id), request).await
    }

    async fn preview_rollback(&self, id: &StoreId, to: Option<u64>, expected: &Precondition) -> Result<UpdatePreview> {
        let request = self.request(Method::POST, &["stores", id.as_str(), "rollback"]).query(&[("dryRun", true)]);
        let request = guarded(request.query(to.map(|to| ("to", to)).as_slice()), expected)?;
        self.read(Operation::Rollback, Some(id), request).await
    }

    async fn history(&self, id: &StoreId) -> Result<Vec<Revision>> {
        let request = self.request(Method::GET, &["stores", id.as_str(), "revisions"]);
        self.read(Operation::History, Some(id), request).await
    }

    async fn engines(&self) -> Result<Vec<EngineInfo>> {
        self.read(Purpose::Engines, None, self.request(Method::GET, &["engines"])).await
    }

    async fn manifests(&self, id: &StoreId) -> Result<Vec<Value>> {
        let request = self.request(Method::GET, &["stores", id.as_str(), "manifests"]);
        self.read(Operation::Manifests, Some(id), request).await
    }

    async fn options(&self, id: &StoreId) -> Result<StoreOptions> {
        let request = self.request(Method::GET, &["stores", id.as_str(), "options"]);
        self.read(Operation::Options, Some(id), request).await
    }

    async fn differences(&self, id: &StoreId) -> Result<Vec<Difference>> {
        let request = self.request(Method::GET, &["stores", id.as_str(), "diff"]);
        self.read(Operation::Diff, Some(id), request).await
    }

    async fn timeline(&self, id: &StoreId) -> Result<Vec<TimelineEntry>> {
        let request = self.request(Method::GET, &["stores", id.as_str(), "events"]);
        self.read(Operation::Timeline, Some(id), request).await
    }

    async fn credentials(&self, id: &StoreId, reveal: bool) -> Result<Credentials> {
        #[derive(serde::Deserialize)]
        struct Read {
            address: String,
            username: String,
            password: Option<String>,
        }
        let request = self.request(Method::GET, &["stores", id.as_str(), "credentials"]).query(&[("reveal", reveal)]);
        let Read { address, username, password } = self.read(Operation::Credentials, Some(id), request).await?;
        Ok(Credentials { address, username, password: password.map(SecretString::new) })
    }

    async fn smoke_if(&self, id: &StoreId, expected: &Precondition) -> Result<SmokeReport> {
        const OPERATION: Operation = Operation::Smoke;
        // Sent once, since each time an order is placed, and waited for as long as an order may take.
        let request = guarded(self.request(Method::POST, &["stores", id.as_str(), "smoke"]), expected)?;
        let request = self.authorized(request).await?;
        match timeout(SMOKE, request.send()).await {
            Ok(Ok(response)) if response.status().is_success() => json(OPERATION, response).await,
            Ok(Ok(response)) => Err(refusal(OPERATION, Some(id), response).await.0),
            Ok(Err(error)) => Err(no_answer(OPERATION, &innermost(&error))),
            Err(_elapsed) => Err(no_answer(OPERATION, &format_args!("none within {SMOKE:?}"))),
        }
    }

    async fn logs(&self, id: &StoreId, query: &LogQuery) -> Result<LogLines> {
        self.store_logs(id, query).await
    }
}

impl From<ServerError> for Error {
    fn from(error: ServerError) -> Self {
        Error::Invalid(vec![crate::error::FieldError::new("server", error.0)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(base: &str) -> Result<HttpOrchestrator, String> {
        HttpOrchestrator::connect(base, &ServerOptions::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn what_does_not_leave_the_machine_or_is_encrypted_is_confidential() {
        for (base, confidential) in [
            ("https://urumi.example.com", true),
            ("http://urumi.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1:8080", false),
            ("http://127.0.0.1:8080", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:8080/urumi", true),
            ("http://localhost", true),
            ("http://urumi.localhost:8080", true),
        ] {
            assert_eq!(connect(base).unwrap().is_confidential(), confidential, "{base}");
        }
    }

    #[test]
    fn addresses_and_settings_that_cannot_be_used_are_refused() {
        for base in ["", "urumi", "ftp://x", "https://", "https://a:b@x", "https://x?y", "https://x#y", "http://x y"] {
            assert!(connect(base).is_err(), "{base} is accepted");
        }
        let options = |pem: &str| ServerOptions { ca_certificates: Some(pem.into()), ..ServerOptions::default() };
        for pem in ["", "rubbish", "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n"] {
            let refused = HttpOrchestrator::connect("https://x", &options(pem)).unwrap_err().to_string();
            assert!(!refused.contains("rubbish"), "{refused}");
        }
        let token = ServerOptions { token: Some(SecretString::new("a\nb")), ..ServerOptions::default() };
        let refused = HttpOrchestrator::connect("https://x", &token).unwrap_err().to_string();
        assert_eq!(refused, "the token has characters that no token has");
    }
}
