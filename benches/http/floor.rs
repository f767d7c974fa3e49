//! The floors of urumi-http: minimal servers that send the same bytes.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};

/// Larger bodies are answered without being received, as urumi-http does by default.
const MAX_BODY: u64 = 256 * 1024;

async fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(listener)
}

/// Receives every request and answers it with a file's content, using only hyper. A watch gets one event and no end.
pub(crate) async fn answer(file: &Path) -> Result<()> {
    let body = Bytes::from(std::fs::read(file)?);
    let listener = listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer_one(request, body.clone()));
            // Ignore errors: a client may close its connection at any time.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer_one(request: Request<Incoming>, body: Bytes) -> Result<Response<BoxBody<Bytes, Infallible>>> {
    let (head, received) = request.into_parts();
    if received.size_hint().lower() <= MAX_BODY {
        received.collect().await?;
    }
    let body = if head.uri.path() == "/watch" {
        let listed = stream::iter([Ok(Frame::data(Bytes::from_static(b"event: listed\n\n")))]);
        BodyExt::boxed(StreamBody::new(listed.chain(stream::pending())))
    } else {
        BodyExt::boxed(Full::new(body))
    };
    Ok(Response::builder().header("content-type", "application/json").body(body)?)
}

/// Sends a file's content to all connections whenever one of them sends a `!`.
pub(crate) async fn broadcast(file: &Path) -> Result<()> {
    let frame = Bytes::from(std::fs::read(file)?);
    let listener = listen().await?;
    let all: Arc<Mutex<Vec<OwnedWriteHalf>>> = Arc::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(stream, frame.clone(), all.clone()));
    }
}

async fn serve(stream: TcpStream, frame: Bytes, all: Arc<Mutex<Vec<OwnedWriteHalf>>>) {
    let (mut reads, mut writes) = stream.into_split();
    let mut asked = [0_u8; 256];
    // Answer at once, like urumi-http, so that the client knows that it is connected.
    if writes.write_all(b"event: listed\n\n").await.is_err() {
        return;
    }
    all.lock().unwrap_or_else(PoisonError::into_inner).push(writes);
    while let Ok(length @ 1..) = reads.read(&mut asked).await {
        if asked.iter().take(length).any(|byte| *byte == b'!') {
            for writes in all.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                // The frame fits into the buffer of an idle connection, so a partial write means a closed connection.
                let _ = writes.try_write(&frame);
            }
        }
    }
}
