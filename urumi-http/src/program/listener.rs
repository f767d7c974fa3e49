//! Accepts connections and serves a router on them, with limits of number, time and memory.

mod activity;
mod connection;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use metrics::{counter, gauge};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use tls::TlsOptions;

/// The limits of connections.
#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// The certificate for TLS; plain HTTP without it.
    pub tls: Option<TlsOptions>,
    /// The maximum number of open connections; more wait in the kernel's queue.
    pub max_connections: usize,
    /// The time limit for the head of a request, and for the TLS handshake.
    pub header_timeout: Duration,
    /// The time after which a connection without requests is closed.
    pub idle_timeout: Duration,
    /// The time after which a connection whose client does not read is closed.
    pub write_timeout: Duration,
    /// The maximum length of path and query in bytes.
    pub max_uri: usize,
    /// The maximum size of all headers in bytes.
    pub max_headers: usize,
    /// The time limit for open requests after the shutdown begins.
    pub shutdown_grace: Duration,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        ListenerOptions {
            tls: None,
            max_connections: 12_000,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_uri: 8 * 1024,
            // Larger than the longest accepted token.
            max_headers: 24 * 1024,
            shutdown_grace: Duration::from_secs(25),
        }
    }
}

/// The shared state of the connections of a listener.
struct Shared {
    router: Router,
    options: ListenerOptions,
    builder: hyper_util::server::conn::auto::Builder<connection::Tasks>,
    tls: Option<tls::Acceptor>,
    tasks: TaskTracker,
    draining: CancellationToken,
    cut: CancellationToken,
}

/// Serves `router` on `listener` until `shutdown` is cancelled and all requests have ended.
///
/// After `shutdown` it accepts no connections and closes idle ones. Open requests have `shutdown_grace` to finish; then it
/// closes their connections. Dropping the returned future closes all connections at once.
///
/// # Errors
/// If the certificate is invalid at the start. Errors of single connections are logged and end only these connections.
pub async fn serve_router(
    listener: TcpListener,
    router: Router,
    options: ListenerOptions,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    let _cut_if_dropped = cut.clone().drop_guard();
    let tls = match &options.tls {
        Some(files) => Some(tls::Acceptor::load(files).await?),
        None => None,
    };
    if let Some(tls) = &tls {
        let (tls, stop) = (tls.clone(), cut.clone());
        tokio::spawn(async move { stop.run_until_cancelled(tls.reload()).await });
    }
    let slots = Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)));
    let builder = connection::builder(&options, connection::Tasks { tasks: tasks.clone(), cut: cut.clone() });
    let draining = shutdown.child_token();
    let shared = Arc::new(Shared { router, options, builder, tls, tasks, draining, cut });

    shutdown.run_until_cancelled(accept(&listener, &slots, &shared)).await;
    drop(listener);

    shared.tasks.close();
    if tokio::time::timeout(shared.options.shutdown_grace, shared.tasks.wait()).await.is_err() {
        tracing::warn!(tasks = shared.tasks.len(), "the shutdown grace period is over; closing all connections");
        shared.cut.cancel();
        shared.tasks.wait().await;
    }
    Ok(())
}

/// Accepts connections forever.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>, shared: &Arc<Shared>) {
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                shared.tasks.spawn(serve(stream, peer, slot, shared.clone()));
            }
            Err(error) => {
                drop(slot);
                counter!("urumi_http_accept_errors_total").increment(1);
                // An aborted connection needs no pause. A shortage of descriptors or memory may pass.
                if !is_of_one_connection(&error) {
                    tracing::error!(%error, "cannot accept connections; retrying in a moment");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Serves one connection until it ends or all connections are closed.
async fn serve(stream: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit, shared: Arc<Shared>) {
    let connections = gauge!("urumi_http_connections");
    connections.increment(1);
    let cut = shared.cut.clone();
    cut.run_until_cancelled(serve_stream(stream, peer, &shared)).await;
    connections.decrement(1);
    drop(slot);
}

async fn serve_stream(stream: TcpStream, peer: SocketAddr, shared: &Shared) {
    // Answers are written in one piece, so delaying them gains nothing. A failure only costs latency.
    let _ = stream.set_nodelay(true);
    // Boxed separately: otherwise the future of every connection would have twice the size of the largest kind.
    let Some(tls) = &shared.tls else {
        return Box::pin(connection::serve(stream, peer, shared)).await;
    };
    let handshake = Box::pin(tokio::time::timeout(shared.options.header_timeout, tls.accept(stream)));
    match shared.draining.run_until_cancelled(handshake).await {
        Some(Ok(Ok(stream))) => Box::pin(connection::serve(stream, peer, shared)).await,
        Some(Ok(Err(error))) => tracing::debug!(%peer, %error, "the TLS handshake failed"),
        Some(Err(_)) => tracing::debug!(%peer, "the TLS handshake timed out"),
        None => {}
    }
}
