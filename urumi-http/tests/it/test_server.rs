//! A server on an in-memory cluster, with callers of every role, and a client for its router.

use std::io::Read as _;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use urumi_core::cluster::InMemoryCluster;
use urumi_core::secret::SecretString;
use urumi_core::{CreateStore, Orchestrator, OwnerLimits, Store, StoreOrchestrator};
use urumi_http::auth::{AuthError, Authentication, Authenticator, Principal, Role};
use urumi_http::{ServerState, ServerStateBuilder, router};

/// Authenticates `ann` of the team `shop` in two roles, `bob`, and the admin `root`.
pub(crate) struct Tokens;

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError> {
        Ok(match token.reveal() {
            "ann-viewer" => Some(Principal::new("ann", Role::Viewer).teams(["shop"])),
            "ann-operator" => Some(Principal::new("ann", Role::Operator).teams(["shop"])),
            "bob" => Some(Principal::new("bob", Role::Operator)),
            "root" => Some(Principal::new("root", Role::Admin)),
            _ => None,
        })
    }
}

/// A server with its cluster and orchestrator. It stops when it is dropped.
pub(crate) struct TestServer {
    pub(crate) cluster: InMemoryCluster,
    pub(crate) urumi: Orchestrator,
    pub(crate) app: Router,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    _stop: DropGuard,
}

impl TestServer {
    pub(crate) fn new(cluster: InMemoryCluster) -> TestServer {
        TestServer::with(cluster, |builder| builder)
    }

    /// A server without a monitor: its stores stay `provisioning`.
    pub(crate) fn with(
        cluster: InMemoryCluster,
        settings: impl FnOnce(ServerStateBuilder) -> ServerStateBuilder,
    ) -> TestServer {
        TestServer::limited(cluster, OwnerLimits::default(), settings)
    }

    /// The same with limits for owners.
    pub(crate) fn limited(
        cluster: InMemoryCluster,
        limits: OwnerLimits,
        settings: impl FnOnce(ServerStateBuilder) -> ServerStateBuilder,
    ) -> TestServer {
        let urumi = Orchestrator::builder(cluster.clone()).owner_limits(limits).build();
        let (app, tasks, stop) = serve(Arc::new(urumi.clone()), settings);
        TestServer { cluster, urumi, app, tasks, _stop: stop.clone().drop_guard(), stop }
    }

    pub(crate) fn ask(&self, method: &str, uri: &str) -> Ask {
        Ask::new(self.app.clone(), method, uri)
    }

    /// Creates a store with the library, and waits until the server has seen it.
    pub(crate) async fn store(&self, id: &str, owner: Option<&str>) -> Store {
        let request = {
            let mut request = CreateStore::new(id, "medusa").id(id);
            request.owner = owner.map(str::to_owned);
            request
        };
        let store = self.urumi.create(request).await.unwrap().into_store();
        let seen = self.ask("GET", &format!("/stores/{id}?resourceVersion={}", store.resource_version));
        assert_eq!(seen.send().await.status, StatusCode::OK);
        store
    }
}

/// A router for any orchestrator, with the authentication of [`Tokens`].
pub(crate) fn serve(
    orchestrator: Arc<dyn StoreOrchestrator>,
    settings: impl FnOnce(ServerStateBuilder) -> ServerStateBuilder,
) -> (Router, TaskTracker, CancellationToken) {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let authentication = Authentication::chain(vec![Arc::new(Tokens)]);
    let builder = settings(ServerState::builder(orchestrator).authentication(authentication));
    (router(builder.spawn(&tasks, &stop)), tasks, stop)
}

/// A request; its caller is the admin `root` by default.
pub(crate) struct Ask {
    app: Router,
    request: http::request::Builder,
    token: Option<String>,
    body: Body,
}

impl Ask {
    pub(crate) fn new(app: Router, method: &str, uri: &str) -> Ask {
        let request = Request::builder().method(method).uri(uri);
        Ask { app, request, token: Some("root".to_owned()), body: Body::empty() }
    }

    pub(crate) fn as_(mut self, token: &str) -> Ask {
        self.token = Some(token.to_owned());
        self
    }

    pub(crate) fn anonymously(mut self) -> Ask {
        self.token = None;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Ask {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(self, body: Value) -> Ask {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Body>) -> Ask {
        self.request = self.request.header("content-type", content_type);
        self.body = body.into();
        self
    }

    /// Sends the request; the body of the answer is a stream.
    pub(crate) async fn open(self) -> (StatusCode, HeaderMap, Body) {
        let mut request = self.request;
        if let Some(token) = self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self.app.oneshot(request.body(self.body).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        (head.status, head.headers, body)
    }

    pub(crate) async fn send(self) -> Answer {
        let (status, headers, body) = self.open().await;
        Answer { status, headers, body: body.collect().await.unwrap().to_bytes() }
    }

    /// The events of a watch.
    pub(crate) async fn watch(self) -> Frames {
        let (status, headers, body) = self.open().await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (StatusCode::OK, "text/event-stream"));
        Frames { body, buffer: String::new() }
    }
}

/// A complete answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    /// The body as text, unpacked.
    pub(crate) fn text(&self) -> String {
        let mut text = self.body.to_vec();
        if self.header("content-encoding") == Some("gzip") {
            text.clear();
            flate2::read::GzDecoder::new(&*self.body).read_to_end(&mut text).unwrap();
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The status, and the code of a problem. Checks the other fields of the problem.
    pub(crate) fn verdict(&self) -> (u16, String) {
        let status = self.status.as_u16();
        if status < 400 {
            return (status, String::new());
        }
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], json!(status));
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], json!(format!("https://urumi.ai/problems/{code}")));
        assert!(!problem["detail"].as_str().unwrap().is_empty() && problem["title"].is_string(), "{problem}");
        (status, code)
    }

    /// The invalid fields in a problem.
    pub(crate) fn fields(&self) -> Vec<String> {
        let problem = self.json();
        let fields = problem["errors"].as_array().cloned().unwrap_or_default();
        fields.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }

    /// The ids of a list of stores.
    pub(crate) fn ids(&self) -> Vec<String> {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        ids(&self.json())
    }
}

/// The ids in a list of stores.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|store| store["id"].as_str().unwrap().to_owned()).collect()
}

/// A stream of server-sent events.
pub(crate) struct Frames {
    body: Body,
    buffer: String,
}

/// One server-sent event; a comment has no name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Frames {
    /// The next event or comment; `None` when the server has ended the stream.
    pub(crate) async fn next_or_comment(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    let line = frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.unwrap_or_default().to_owned()
                };
                let data = serde_json::from_str(&field("data")).unwrap_or_default();
                let frame = Frame { id: field("id"), event: field("event"), data };
                self.buffer = rest.to_owned();
                return Some(frame);
            }
            let chunk = self.body.frame().await?.unwrap().into_data().unwrap();
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            let frame = self.next_or_comment().await.expect("the stream goes on");
            if !frame.event.is_empty() {
                return frame;
            }
        }
    }

    /// The events up to and including the first that fits.
    pub(crate) async fn until(&mut self, fits: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        let mut seen = Vec::new();
        loop {
            let frame = self.next().await;
            let done = fits(&frame);
            seen.push(frame);
            if done {
                return seen;
            }
        }
    }
}

/// Polls until a condition holds. In a test with paused time this takes no real time.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let asking = futures::stream::repeat(()).then(|()| tokio::time::sleep(std::time::Duration::from_millis(10)));
    let mut asking = Box::pin(asking.take(3000));
    while asking.next().await.is_some() {
        if holds().await {
            return;
        }
    }
    panic!("{what} did not come");
}
