//! The floors of urumi-http: minimal servers that send the same bytes.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};

async fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(listener)
}

/// Answers every request with a file's content, using only hyper.
pub(crate) async fn answer(file: &Path) -> Result<()> {
    let body = Bytes::from(std::fs::read(file)?);
    let listener = listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        tokio::spawn(async move {
            let service = service_fn(move |_| {
                let response = Response::builder().header("content-type", "application/json");
                let response = response.body(Full::new(body.clone()));
                async move { Ok::<_, Infallible>(response.unwrap_or_default()) }
            });
            // Ignore errors: a client may close its connection at any time.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
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
