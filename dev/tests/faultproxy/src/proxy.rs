//! The proxy: connections in, requests out, and a plan in between.

use std::collections::{HashMap, HashSet};
use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::link::Link;
use crate::log::{Entry, Log};
use crate::plan::{Fault, Moment, Move, Moved, Plan, WatchFault};
use crate::scope::Scope;
use crate::tls::Identity;
use crate::upstream::{Upstreams, is_watch};
use crate::watch::{AnswerBody, BoxError, faulty};

type Answer = Response<AnswerBody>;
type Kill = Box<dyn Fn() + Send>;

/// A way to an API server on which things go wrong by plan; without a plan, nothing does.
///
/// It ends when it is dropped. If that is because a test fails, it prints its plan and its log.
pub struct FaultProxy {
    shared: Arc<Shared>,
    folder: TempDir,
    serving: JoinHandle<()>,
}

/// How many requests there were since the plan was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub requests: usize,
    /// Those that may have changed something.
    pub writes: usize,
}

struct Shared {
    upstreams: Upstreams,
    scope: Option<Scope>,
    state: Mutex<State>,
    killed: watch::Sender<bool>,
    frozen: watch::Sender<usize>,
}

struct State {
    plan: Plan,
    /// Counts the plans, so that the end of an earlier one is recognised.
    number: usize,
    counts: Counts,
    /// How many events of each kind there were.
    events: HashMap<String, usize>,
    kill: Option<Kill>,
    log: Log,
    /// The first answer to each list that may be wanted again.
    lists: HashMap<String, (http::response::Parts, Bytes)>,
    /// The kinds whose next list is an old one.
    stale: HashSet<String>,
    /// When a fault befell a request or a watch.
    last_fault: Option<Instant>,
}

/// The connection is to be reset.
#[derive(Debug)]
struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("reset by the plan")
    }
}

impl std::error::Error for Reset {}

impl FaultProxy {
    /// Starts a proxy before the API server of a kubeconfig, whose client certificate it presents itself; a token is
    /// passed on, and so its clients' to show. With a scope, clients see one store only.
    pub async fn start(kubeconfig: &str, scope: Option<Scope>) -> FaultProxy {
        let mut config = upstream_config(kubeconfig).await;
        let token = serde_json::to_value(&config.auth_info).unwrap();
        let token = token.get("token").and_then(serde_json::Value::as_str).map(str::to_owned);
        config.auth_info.token = None;
        let upstreams = Upstreams::new(kube::Client::try_from(config).unwrap());

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (folder, identity) = (tempfile::tempdir().unwrap(), Identity::new());
        let server = listener.local_addr().unwrap();
        identity.write_kubeconfig(&folder.path().join("kubeconfig"), server, token.as_deref());
        let state = State {
            plan: Plan::default(),
            number: 0,
            counts: Counts::default(),
            events: HashMap::new(),
            kill: None,
            log: Log::new(),
            lists: HashMap::new(),
            stale: HashSet::new(),
            last_fault: None,
        };
        let (killed, frozen) = (watch::Sender::new(false), watch::Sender::new(0));
        let shared = Arc::new(Shared { upstreams, scope, state: Mutex::new(state), killed, frozen });
        let serving = tokio::spawn(serve(listener, identity.acceptor, shared.clone()));
        FaultProxy { shared, folder, serving }
    }

    /// The kubeconfig of those who go this way.
    pub fn kubeconfig(&self) -> String {
        self.folder.path().join("kubeconfig").to_str().unwrap().to_owned()
    }

    /// Adds a second API server of the same cluster, to which plans may move; it lags behind when this link is frozen.
    /// Its clients are as those of the first, and have no token.
    pub async fn add_second(&self, kubeconfig: &str, link: &Link) {
        let client = kube::Client::try_from(upstream_config(kubeconfig).await).unwrap();
        self.shared.upstreams.add_second(client, link);
    }

    /// From now on things go wrong by this plan, and requests and events are counted from 1.
    pub fn obey(&self, plan: Plan) {
        let mut state = self.shared.state();
        state.plan = plan;
        state.number += 1;
        state.counts = Counts::default();
        state.events.clear();
        self.shared.move_over(&mut state, None);
        self.shared.move_when_due(&mut state);
    }

    /// How the process is killed that a plan may kill from now on. Once it is, the plan is over.
    pub fn on_kill(&self, kill: impl Fn() + Send + 'static) {
        let mut state = self.shared.state();
        state.kill = Some(Box::new(kill));
        self.shared.killed.send_replace(false);
    }

    /// Whether the plan has killed the process.
    pub fn has_killed(&self) -> bool {
        *self.shared.killed.borrow()
    }

    /// Waits until the plan has killed the process.
    pub async fn killed(&self) {
        // The sender lives as long as this proxy.
        let _ = self.shared.killed.subscribe().wait_for(|killed| *killed).await;
    }

    /// When the plan has struck last, or the API server that was moved to has come to know the present.
    pub fn last_fault(&self) -> Option<Instant> {
        self.shared.state().last_fault.max(self.shared.upstreams.thawed())
    }

    /// The requests since the plan was given.
    pub fn counts(&self) -> Counts {
        self.shared.state().counts
    }

    /// From now on no watch that is open says another word, though its connection stays: what is left of a peer that
    /// has vanished. Requests and watches that are made later are well.
    pub fn freeze_watches(&self) {
        self.shared.frozen.send_modify(|times| *times += 1);
    }

    /// All requests so far.
    pub fn log(&self) -> Vec<Entry> {
        self.shared.state().log.entries.clone()
    }

    /// The plan and the log, for people.
    pub fn report(&self) -> String {
        let state = self.shared.state();
        let lines: String = state.log.entries.iter().map(|entry| format!("{entry}\n")).collect();
        format!("the plan:\n{}the requests:\n{lines}", state.plan)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.serving.abort();
        if std::thread::panicking() {
            eprintln!("{}", self.report());
        }
    }
}

/// A request with its place in the log, and the fault that befalls it.
struct Visit {
    place: usize,
    fault: Option<Fault>,
    /// Whether its connection is cut by a move.
    cut: bool,
    /// The number of the plan that makes it.
    number: usize,
    /// The plan that kills the process once the connection has ended.
    last_words: LastWords,
}

type LastWords = Arc<OnceLock<usize>>;

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an event of a watch of this kind, which has this place in the log, and returns the event's fault.
    fn watch_fault(&self, kind: &str, place: usize) -> Option<WatchFault> {
        let mut state = self.state();
        let seen = state.events.entry(kind.to_owned()).or_default();
        *seen += 1;
        let nth = *seen;
        let fault = state.plan.watch_fault(kind, nth)?;
        state.log.fault(place, &(fault, nth));
        state.last_fault = Some(Instant::now());
        if fault == WatchFault::Stale {
            state.stale.insert(kind.to_owned());
        }
        Some(fault)
    }

    /// Has this go to the second API server from now on, and all else to the first.
    fn move_over(&self, state: &mut State, what: Option<Moved>) {
        if self.upstreams.move_over(what) {
            state.last_fault = Some(Instant::now());
        }
    }

    /// Takes the way that the plan says, if this is the request at which it is taken.
    fn move_when_due(self: &Arc<Self>, state: &mut State) -> Option<Move> {
        let due = state.plan.moving.filter(|moving| moving.nth == state.counts.requests)?;
        self.move_over(state, Some(due.what));
        if let Some(pause) = due.back {
            let (shared, number) = (self.clone(), state.number);
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                let mut state = shared.state();
                if state.number == number {
                    shared.move_over(&mut state, None);
                }
            });
        }
        Some(due)
    }

    fn visit(self: &Arc<Self>, method: &Method, uri: &http::Uri, last_words: LastWords) -> Visit {
        let mut state = self.state();
        let place = state.log.begin(method, &uri.to_string());
        state.counts.requests += 1;
        let write = (*method != Method::GET).then(|| {
            state.counts.writes += 1;
            state.counts.writes
        });
        let fault = state.plan.fault(state.counts.requests, write);
        if let Some(fault) = fault {
            state.log.fault(place, &fault);
            state.last_fault = Some(Instant::now());
        }
        let moved = self.move_when_due(&mut state);
        if let Some(moved) = moved {
            state.log.fault(place, &moved);
        }
        Visit { place, fault, cut: moved.is_some(), number: state.number, last_words }
    }

    /// Kills the process if this plan is still in force, which is over then.
    fn kill(&self, number: usize) {
        let mut state = self.state();
        if state.number != number {
            return;
        }
        state.plan = Plan::default();
        if let Some(kill) = state.kill.take() {
            kill();
            self.killed.send_replace(true);
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>, last_words: LastWords) -> Result<Answer, Reset> {
        let (mut parts, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return Err(Reset) };
        parts.headers.remove(HOST);
        parts.headers.remove(CONNECTION);
        if let Some(scope) = &self.scope {
            parts.uri = scope.narrow(&parts.uri);
        }
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let visit = self.visit(&method, &uri, last_words);
        if visit.cut {
            return Err(Reset);
        }
        match visit.fault {
            Some(Fault::Kill(Moment::Before)) => {
                self.kill(visit.number);
                // Whoever waits for the answer is dead.
                return std::future::pending().await;
            }
            Some(Fault::Hang) => return std::future::pending().await,
            Some(Fault::ResetBefore) => return Err(Reset),
            Some(Fault::TooMany) => return Ok(failure(StatusCode::TOO_MANY_REQUESTS)),
            Some(Fault::Internal) => return Ok(failure(StatusCode::INTERNAL_SERVER_ERROR)),
            Some(Fault::Unavailable) => return Ok(failure(StatusCode::SERVICE_UNAVAILABLE)),
            _ => {}
        }
        let watch = is_watch(&uri);
        let kind = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        let list = (method == Method::GET && !watch).then(|| uri.to_string());
        if let Some(list) = &list
            && let Some(old) = self.old_list(&kind, list, visit.place)
        {
            return Ok(old);
        }
        let request = Request::from_parts(parts, body.to_bytes().into());
        let Ok(answer) = self.upstreams.of(&method, &uri).clone().send(request).await else { return Err(Reset) };
        self.state().log.answered(visit.place, answer.status());
        let (mut parts, body) = answer.into_parts();
        parts.headers.remove(TRANSFER_ENCODING);
        parts.headers.remove(CONNECTION);
        if watch && parts.status.is_success() && visit.fault.is_none() {
            let frozen = self.frozen.subscribe();
            let next_fault = move || self.watch_fault(&kind, visit.place);
            return Ok(Response::from_parts(parts, faulty(body, frozen, next_fault)));
        }
        let bytes = if watch {
            Bytes::new()
        } else {
            let Ok(bytes) = body.collect_bytes().await else { return Err(Reset) };
            bytes
        };
        if let Some(list) = list {
            self.remember(&kind, list, &parts, &bytes);
        }
        self.deliver(visit, parts, bytes).await
    }

    /// What reaches the client of an answer that the API server gave.
    async fn deliver(&self, visit: Visit, mut parts: http::response::Parts, bytes: Bytes) -> Result<Answer, Reset> {
        match visit.fault {
            Some(Fault::Kill(Moment::After)) => {
                self.kill(visit.number);
                std::future::pending().await
            }
            Some(Fault::Kill(_)) => {
                // The end of the connection says that the answer has left.
                parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
                let _ = visit.last_words.set(visit.number);
                Ok(Response::from_parts(parts, whole(bytes)))
            }
            Some(Fault::LateTimeout) => Ok(failure(StatusCode::GATEWAY_TIMEOUT)),
            Some(Fault::ResetAfter) => Err(Reset),
            Some(Fault::Truncate) => {
                let half = bytes.slice(..bytes.len() / 2);
                let rest = futures::stream::once(async {
                    // Until then, the half is not sent but kept.
                    tokio::task::yield_now().await;
                    Err(BoxError::from("cut off by the plan"))
                });
                let chunks = futures::stream::iter([Ok(Frame::data(half))]).chain(rest);
                Ok(Response::from_parts(parts, StreamBody::new(chunks).boxed_unsync()))
            }
            _ => Ok(Response::from_parts(parts, whole(bytes))),
        }
    }

    /// Keeps the first answer to a list that a plan may want again.
    fn remember(&self, kind: &str, list: String, parts: &http::response::Parts, bytes: &Bytes) {
        let mut state = self.state();
        let mut rules = state.plan.watches.iter();
        let wanted = rules.any(|rule| rule.kind == kind && rule.fault == WatchFault::Stale);
        if wanted && parts.status.is_success() {
            state.lists.entry(list).or_insert_with(|| (parts.clone(), bytes.clone()));
        }
    }

    /// The old answer to a list, where an old one is due.
    fn old_list(&self, kind: &str, list: &str, place: usize) -> Option<Answer> {
        let mut state = self.state();
        if !state.stale.remove(kind) {
            return None;
        }
        let (parts, bytes) = state.lists.get(list).cloned()?;
        state.log.answered(place, parts.status);
        state.log.fault(place, &WatchFault::Stale);
        Some(Response::from_parts(parts, whole(bytes)))
    }
}

async fn upstream_config(kubeconfig: &str) -> kube::Config {
    let file = Kubeconfig::read_from(kubeconfig).unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    config
}

fn whole(bytes: Bytes) -> AnswerBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// What an API server says that is not well.
fn failure(code: StatusCode) -> Answer {
    let reason = match code {
        StatusCode::TOO_MANY_REQUESTS => "TooManyRequests",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
        StatusCode::GATEWAY_TIMEOUT => "Timeout",
        _ => "InternalError",
    };
    let status = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason,
        "message": "made by the plan", "code": code.as_u16(),
    });
    let mut answer = Response::new(whole(status.to_string().into()));
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if code == StatusCode::TOO_MANY_REQUESTS {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(connection(stream, acceptor.clone(), shared.clone()));
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let mut moves = shared.upstreams.moves();
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let last_words = LastWords::default();
    let service = {
        let (shared, last_words) = (shared.clone(), last_words.clone());
        service_fn(move |request| shared.clone().answer(request, last_words.clone()))
    };
    let mut serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let reset = tokio::select! {
        end = &mut serving => end.is_err_and(|error| error.source().is_some_and(|cause| cause.is::<Reset>())),
        Ok(()) = moves.changed() => true,
    };
    if reset {
        // Without lingering, its end is a reset.
        let _ = serving.into_parts().io.into_inner().get_ref().0.set_zero_linger();
    }
    if let Some(number) = last_words.get() {
        shared.kill(*number);
    }
}
