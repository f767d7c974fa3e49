//! A way to the API server that kills a process at one of its writes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;

type Answer = Response<kube::client::Body>;

/// When a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the API server gets the write.
    Before,
    /// When the API server has carried it out, before the process sees the answer.
    After,
}

/// Passes requests on to an API server, watches included, and kills the process that makes them at one of its writes.
pub struct Killer {
    shared: Arc<Shared>,
    folder: TempDir,
    serving: JoinHandle<()>,
}

struct Shared {
    upstream: kube::Client,
    sentence: Mutex<Option<Sentence>>,
    writes: AtomicUsize,
    done: Notify,
}

struct Sentence {
    about: String,
    at: usize,
    moment: Moment,
    victim: Child,
}

impl Killer {
    /// Listens on a free port.
    pub async fn start(upstream: kube::Client) -> Killer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        write_kubeconfig(folder.path(), listener.local_addr().unwrap());
        let (sentence, writes, done) = (Mutex::new(None), AtomicUsize::new(0), Notify::new());
        let shared = Arc::new(Shared { upstream, sentence, writes, done });
        let serving = tokio::spawn(serve(listener, shared.clone()));
        Killer { shared, folder, serving }
    }

    /// The kubeconfig of those who go this way.
    pub fn kubeconfig(&self) -> String {
        self.folder.path().join("kubeconfig").to_str().unwrap().to_owned()
    }

    /// Starts a process and kills it at its `at`-th write that has `about` in its path or body.
    pub async fn start_and_kill(&self, about: &str, at: usize, moment: Moment, start: impl FnOnce() -> Child) {
        // Held while the process is started, so that none of its writes is missed.
        let mut sentence = self.shared.sentence.lock().await;
        self.shared.writes.store(0, Ordering::SeqCst);
        *sentence = Some(Sentence { about: about.to_owned(), at, moment, victim: start() });
    }

    /// Waits until the process is killed. It must not end before: then it made fewer writes, and the test is wrong.
    pub async fn done(&self, limit: Duration) {
        let waiting = async {
            loop {
                let killed = self.shared.done.notified();
                {
                    let mut sentence = self.shared.sentence.lock().await;
                    let Some(Sentence { at, victim, .. }) = sentence.as_mut() else { return };
                    if let Some(status) = victim.try_wait().unwrap() {
                        panic!("it ended ({status}) before its write {at}");
                    }
                }
                let _ = tokio::time::timeout(Duration::from_millis(20), killed).await;
            }
        };
        tokio::time::timeout(limit, waiting).await.expect("the write never came");
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    /// The answer; none for whoever is dead.
    async fn pass_on(&self, request: Request<Incoming>) -> Option<Answer> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.ok()?.to_bytes().to_vec();
        let due = parts.method != "GET" && self.is_due(&parts.uri.to_string(), &body).await;
        if due && self.kill(Moment::Before).await {
            return None;
        }
        let answer = self.upstream.send(Request::from_parts(parts, body.into())).await.ok()?;
        if due && self.kill(Moment::After).await {
            return None;
        }
        Some(answer)
    }

    /// Whether this write is the one.
    async fn is_due(&self, uri: &str, body: &[u8]) -> bool {
        let sentence = self.sentence.lock().await;
        let Some(Sentence { about, at, .. }) = sentence.as_ref() else { return false };
        let in_body = || body.windows(about.len().max(1)).any(|part| part == about.as_bytes());
        (uri.contains(about) || in_body()) && self.writes.fetch_add(1, Ordering::SeqCst) + 1 == *at
    }

    async fn kill(&self, moment: Moment) -> bool {
        let mut sentence = self.sentence.lock().await;
        if sentence.as_ref().is_none_or(|sentence| sentence.moment != moment) {
            return false;
        }
        let mut victim = sentence.take().unwrap().victim;
        victim.kill().await.unwrap();
        self.done.notify_waiters();
        true
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move {
                    match shared.pass_on(request).await {
                        Some(answer) => Ok::<_, Infallible>(answer),
                        // The connection hangs: whoever waits for it is dead.
                        None => std::future::pending().await,
                    }
                }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn write_kubeconfig(folder: &Path, server: SocketAddr) {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: proxy\nclusters: [{{name: proxy, cluster: {{server: \
         'http://{server}'}}}}]\nusers: [{{name: proxy, user: {{}}}}]\ncontexts: [{{name: proxy, context: {{cluster: \
         proxy, user: proxy}}}}]\n"
    );
    std::fs::write(folder.join("kubeconfig"), text).unwrap();
}
