//! A server on a port of its own, and clients that need not behave.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use urumi_http::problem::{CONTENT, Problem};
use urumi_http::program::listener::{ListenerOptions, serve_router};

/// No test waits longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) ended: JoinHandle<std::io::Result<()>>,
    _guard: DropGuard,
}

impl Server {
    pub(crate) async fn start(router: Router, options: ListenerOptions) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let ended = tokio::spawn(serve_router(listener, router, options, shutdown.clone()));
        Server { addr, _guard: shutdown.clone().drop_guard(), shutdown, ended }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    /// What comes back for these bytes until the server closes.
    pub(crate) async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may refuse before it has read all.
        let _ = stream.write_all(bytes).await;
        rest(&mut stream).await
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await
    }
}

/// Everything that comes until the connection ends, however it ends.
pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    let reading = async {
        while let Ok(length @ 1..) = stream.read(&mut part).await {
            all.extend_from_slice(&part[..length]);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the server closes");
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until `end` has come.
pub(crate) async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&all).contains(end) {
            all.push(stream.read_u8().await.expect("more is to come"));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the server answers");
    String::from_utf8_lossy(&all).into_owned()
}

#[track_caller]
pub(crate) fn assert_problem(answer: &str, status: u16, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "not {status}: {answer:?}");
    assert!(answer.contains(CONTENT), "no problem: {answer:?}");
    assert!(answer.contains(&format!("\"code\":\"{code}\"")), "not {code}: {answer:?}");
}

pub(crate) async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) async fn problem(response: Response) -> Problem {
    assert_eq!(response.headers()["content-type"], CONTENT);
    let status = response.status().as_u16();
    let problem: Problem = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem.status, status);
    problem
}

/// Has what this thread logs go to `subscriber`, until the guard is dropped.
///
/// tracing remembers of each place that logs whether anybody listens, and while there is one listener only, it asks the
/// thread that comes by first: a test beside this one might silence it for all. With a second listener it asks all.
pub(crate) fn log_into(subscriber: impl tracing::Subscriber + Send + Sync) -> tracing::subscriber::DefaultGuard {
    // Another test may have done so.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    tracing::subscriber::set_default(subscriber)
}
