//! Takes connections and serves a router on them, bounded in number, time and memory.

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

/// The bounds of what clients may take.
#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// The certificate to serve TLS with; plain HTTP without.
    pub tls: Option<TlsOptions>,
    /// How many connections may be open; more wait in the kernel's queue until one closes.
    pub max_connections: usize,
    /// How long a client may take over a request's head, and over TLS's handshake.
    pub header_timeout: Duration,
    /// How long a connection may stay open without a request.
    pub idle_timeout: Duration,
    /// How long a client may leave what it is sent unread.
    pub write_timeout: Duration,
    /// How many bytes path and query may have.
    pub max_uri: usize,
    /// How many bytes all headers may have.
    pub max_headers: usize,
    /// How long requests in flight may take once the server is to stop.
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
            // Room for the longest token that is looked at.
            max_headers: 24 * 1024,
            shutdown_grace: Duration::from_secs(25),
        }
    }
}

/// What all connections of a listener share.
struct Shared {
    router: Router,
    options: ListenerOptions,
    builder: hyper_util::server::conn::auto::Builder<connection::Tasks>,
    tls: Option<tls::Acceptor>,
    tasks: TaskTracker,
    draining: CancellationToken,
    cut: CancellationToken,
}

/// Serves `router` on `listener` until `shutdown` is cancelled and what is in flight has ended.
///
/// On `shutdown` no more connections are taken, idle ones are closed, and the rest has `shutdown_grace` to finish;
/// then it is cut. Dropping the returned future cuts everything at once.
///
/// # Errors
/// When the certificate cannot be used at the start. Errors of single connections are logged and end only these.
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
        tracing::warn!(tasks = shared.tasks.len(), "the time to finish is over; cutting what is still in flight");
        shared.cut.cancel();
        shared.tasks.wait().await;
    }
    Ok(())
}

/// Takes connections for ever.
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
                // A connection that its client gave up is no trouble; a lack of descriptors or memory may pass.
                if !is_of_one_connection(&error) {
                    tracing::error!(%error, "cannot take connections; trying again in a moment");
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

/// Serves one connection to its end, or until all are cut.
async fn serve(stream: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit, shared: Arc<Shared>) {
    let connections = gauge!("urumi_http_connections");
    connections.increment(1);
    let cut = shared.cut.clone();
    cut.run_until_cancelled(serve_stream(stream, peer, &shared)).await;
    connections.decrement(1);
    drop(slot);
}

async fn serve_stream(stream: TcpStream, peer: SocketAddr, shared: &Shared) {
    // Answers are written whole; to wait for more of them only delays. A failure costs speed, nothing else.
    let _ = stream.set_nodelay(true);
    // On the heap, each as large as it is: otherwise every connection would be as large as the largest kind, twice over.
    let Some(tls) = &shared.tls else {
        return Box::pin(connection::serve(stream, peer, shared)).await;
    };
    let handshake = Box::pin(tokio::time::timeout(shared.options.header_timeout, tls.accept(stream)));
    match shared.draining.run_until_cancelled(handshake).await {
        Some(Ok(Ok(stream))) => Box::pin(connection::serve(stream, peer, shared)).await,
        Some(Ok(Err(error))) => tracing::debug!(%peer, %error, "no TLS handshake"),
        Some(Err(_)) => tracing::debug!(%peer, "the TLS handshake took too long"),
        None => {}
    }
}
