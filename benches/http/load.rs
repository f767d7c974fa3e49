//! A load generator with little overhead, so that the servers are the bottleneck.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep_until;

/// The number of concurrent connections.
const CONNECTIONS: usize = 16;

/// The result of a load test.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) latencies: Vec<Duration>,
}

/// Requests `/stores` repeatedly on several connections.
pub(crate) async fn run(address: SocketAddr, span: Duration) -> Result<Load> {
    let began = Instant::now();
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        streams.push(TcpStream::connect(address).await?);
    }
    let latencies = paced(streams, "", Duration::ZERO, span).await?;
    Ok(Load { per_second: latencies.len() as f64 / began.elapsed().as_secs_f64(), latencies })
}

/// Requests `/stores` on each of these connections, with these headers and at most once per interval.
pub(crate) async fn paced(
    streams: Vec<TcpStream>,
    headers: &str,
    every: Duration,
    span: Duration,
) -> Result<Vec<Duration>> {
    let request = format!("GET /stores HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    let until = Instant::now() + span;
    let clients = streams.into_iter().map(|stream| tokio::spawn(client(stream, request.clone(), every, until)));
    let mut latencies = Vec::new();
    for done in try_join_all(clients).await? {
        latencies.extend(done?);
    }
    Ok(latencies)
}

async fn client(mut stream: TcpStream, request: String, every: Duration, until: Instant) -> Result<Vec<Duration>> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0_u8; 256 * 1024];
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let began = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        read_answer(&mut stream, &mut buffer).await?;
        latencies.push(began.elapsed());
        if !every.is_zero() {
            sleep_until((began + every).into()).await;
        }
    }
    Ok(latencies)
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
    let mut have = 0;
    let (head, length) = loop {
        let read = stream.read(buffer.get_mut(have..).unwrap_or_default()).await?;
        ensure!(read > 0, "the connection ended");
        have += read;
        let text = String::from_utf8_lossy(buffer.get(..have.min(4096)).unwrap_or_default()).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            ensure!(text.starts_with("HTTP/1.1 200"), "the answer was {}", text.lines().next().unwrap_or_default());
            let length = text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            break (end + 4, length.context("the answer has no length")?);
        }
    };
    let mut missing = (head + length).saturating_sub(have);
    while missing > 0 {
        let room = missing.min(buffer.len());
        let read = stream.read(buffer.get_mut(..room).unwrap_or_default()).await?;
        ensure!(read > 0, "the connection ended");
        missing -= read;
    }
    Ok(())
}
