//! A load generator with little overhead, so that the servers are the bottleneck.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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
    let clients = (0..CONNECTIONS).map(|_| tokio::spawn(client(address, began + span)));
    let mut latencies = Vec::new();
    for done in try_join_all(clients).await? {
        latencies.extend(done?);
    }
    Ok(Load { per_second: latencies.len() as f64 / began.elapsed().as_secs_f64(), latencies })
}

async fn client(address: SocketAddr, until: Instant) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0_u8; 256 * 1024];
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let began = Instant::now();
        stream.write_all(b"GET /stores HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
        read_answer(&mut stream, &mut buffer).await?;
        latencies.push(began.elapsed());
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
