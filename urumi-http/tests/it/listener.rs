//! Connections over TCP and TLS: reuse, ends and renewal.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::routing::get;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use urumi_http::program::listener::{ListenerOptions, TlsOptions};

use crate::support::{PATIENCE, Server, assert_problem, rest, until};

fn options() -> ListenerOptions {
    ListenerOptions::default()
}

fn router() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
}

/// A route that says when it is entered and answers when it may; and one that streams until `stop` is cancelled.
fn slow_router(stop: CancellationToken) -> (Router, Arc<Notify>, Arc<Notify>) {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (entered, leave) = (entered.clone(), leave.clone());
        async move || {
            entered.notify_one();
            leave.notified().await;
            "slow"
        }
    };
    let stream = async move || {
        let parts = futures::stream::unfold(0, move |part| {
            let stop = stop.clone();
            async move {
                match part {
                    0 => Some((Ok::<_, Infallible>("first;"), 1)),
                    1 => {
                        stop.cancelled().await;
                        Some((Ok("goodbye;"), 2))
                    }
                    _ => None,
                }
            }
        });
        Body::from_stream(parts)
    };
    (router().route("/slow", get(slow)).route("/stream", get(stream)), entered, leave)
}

#[tokio::test]
async fn one_connection_serves_many_requests_and_handlers_see_the_peer() {
    let server = Server::start(router(), options()).await;
    let mut stream = server.connect().await;
    let local = stream.local_addr().unwrap().to_string();
    for _ in 0..3 {
        stream.write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(until(&mut stream, &local).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn http2_is_spoken_without_tls_too() {
    let server = Server::start(router(), options()).await;
    let io = TokioIo::new(server.connect().await);
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().uri("http://x/").body(Empty::<Bytes>::new()).unwrap();
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
    let long = Request::builder().uri(format!("http://x/?{}", "x".repeat(9000))).body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(client.send_request(long).await.unwrap().status(), 414);
}

#[tokio::test]
async fn long_paths_and_large_headers_are_problems() {
    let server = Server::start(router(), options()).await;
    let long = format!("/{}", "x".repeat(8 * 1024));
    assert_problem(&server.get(&long).await, 414, "uri-too-long");
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(25 * 1024));
    let mut stream = server.connect().await;
    stream.write_all(large.as_bytes()).await.unwrap();
    assert_problem(&until(&mut stream, "}").await, 431, "headers-too-large");
}

#[tokio::test]
async fn a_head_that_does_not_come_and_an_idle_connection_are_closed() {
    let short = Duration::from_millis(50);
    let server = Server::start(router(), ListenerOptions { header_timeout: short, ..options() }).await;
    assert_eq!(rest(&mut server.connect().await).await, "");
    assert_eq!(server.send(b"GET / HT").await, "");

    let server = Server::start(router(), ListenerOptions { idle_timeout: short, ..options() }).await;
    assert!(server.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.ends_with("hello"));
}

#[tokio::test]
async fn no_more_connections_are_served_than_allowed() {
    let server = Server::start(router(), ListenerOptions { max_connections: 1, ..options() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut first, "hello").await;
    let mut second = server.connect().await;
    second.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // The first is still served while the second waits.
    first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut first, "hello").await;
    assert_eq!(second.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    until(&mut second, "hello").await;
}

#[tokio::test]
async fn what_is_in_flight_finishes_and_streams_are_told() {
    let stop = CancellationToken::new();
    let (router, entered, leave) = slow_router(stop.clone());
    let server = Server::start(router, options()).await;
    let (mut slow, mut stream, mut idle) = (server.connect().await, server.connect().await, server.connect().await);
    slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;
    stream.write_all(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut stream, "first;").await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut idle, "hello").await;

    server.shutdown.cancel();
    stop.cancel();
    assert_eq!(rest(&mut idle).await, "");
    // The last chunk has come: the stream ended by itself.
    assert!(rest(&mut stream).await.ends_with("goodbye;\r\n0\r\n\r\n"));
    assert!(TcpStream::connect(server.addr).await.is_err(), "the port is still open");
    assert!(!server.ended.is_finished());
    leave.notify_one();
    assert!(rest(&mut slow).await.ends_with("slow"));
    server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let (router, entered, _leave) = slow_router(CancellationToken::new());
    let options = ListenerOptions { shutdown_grace: Duration::from_millis(20), ..options() };
    let server = Server::start(router, options).await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;
    let io = TokioIo::new(server.connect().await);
    let (mut http2, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let waiting = tokio::spawn(async move {
        http2.send_request(Request::get("http://x/slow").body(Empty::<Bytes>::new()).unwrap()).await
    });
    entered.notified().await;
    server.shutdown.cancel();
    tokio::time::timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
    assert_eq!(rest(&mut slow).await, "");
    assert!(waiting.await.unwrap().is_err());
}

/// Writes a new certificate and returns it.
fn certificate(dir: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(dir.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

async fn tls_connect(addr: SocketAddr, trusted: &CertificateDer<'static>) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let first = certificate(dir.path());
    let mut tls = TlsOptions::new(dir.path().join("cert.pem"), dir.path().join("key.pem"));
    tls.reload_every = Duration::from_millis(5);
    let server = Server::start(router(), ListenerOptions { tls: Some(tls), ..options() }).await;

    let stream = tls_connect(server.addr, &first).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = client.send_request(Request::get("https://localhost/").body(Empty::<Bytes>::new()).unwrap()).await;
    assert_eq!(response.unwrap().into_body().collect().await.unwrap().to_bytes(), "hello");

    std::fs::write(dir.path().join("cert.pem"), "no certificate").unwrap();
    tls_connect(server.addr, &first).await.unwrap();
    let second = certificate(dir.path());
    let renewed = async { while tls_connect(server.addr, &second).await.is_err() {} };
    tokio::time::timeout(PATIENCE, renewed).await.expect("the new certificate is served");
    assert!(tls_connect(server.addr, &first).await.is_err());

    // Who speaks no TLS, or nothing, does not keep others from it.
    let _silent = server.connect().await;
    assert!(!server.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.contains("hello"));
    tls_connect(server.addr, &second).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_said_at_the_start() {
    let tls = TlsOptions::new("/nowhere/cert.pem", "/nowhere/key.pem");
    let server = Server::start(router(), ListenerOptions { tls: Some(tls), ..options() }).await;
    let error = server.ended.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("/nowhere/cert.pem"), "{error}");
}
