//! One change sent to many watching clients, compared with a TCP broadcast of the same bytes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator};

use urumi_benches::server_process::{ServerProcess, memory_row};
use urumi_benches::stats::{Row, median};

const TIMEOUT: Duration = Duration::from_secs(120);
const WATCH: &[u8] = b"GET /watch HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Many connections that wait for a marker in the received bytes.
struct Subscribers {
    arrivals: mpsc::UnboundedReceiver<(Instant, u64)>,
    size: usize,
}

impl Subscribers {
    /// Opens all connections, and waits for the first bytes on each of them.
    async fn connect(address: SocketAddr, size: usize, request: &'static [u8]) -> Result<Subscribers> {
        let (tell, arrivals) = mpsc::unbounded_channel();
        let connecting = Arc::new(Semaphore::new(256));
        for _ in 0..size {
            let (tell, connecting) = (tell.clone(), connecting.clone());
            tokio::spawn(async move {
                let connected = async {
                    let _permit = connecting.acquire().await?;
                    let mut stream = TcpStream::connect(address).await?;
                    stream.write_all(request).await?;
                    Ok::<_, anyhow::Error>(stream)
                };
                if let Ok(stream) = connected.await {
                    listen(stream, &tell).await;
                }
            });
        }
        let mut subscribers = Subscribers { arrivals, size };
        subscribers.all(0).await.context("connecting")?;
        Ok(subscribers)
    }

    /// The time when the last connection has received the event with this number.
    async fn all(&mut self, wanted: u64) -> Result<Instant> {
        let mut last = Instant::now();
        let mut missing = self.size;
        while missing > 0 {
            match timeout(TIMEOUT, self.arrivals.recv()).await {
                Ok(Some((at, number))) if number == wanted => {
                    last = last.max(at);
                    missing -= 1;
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => bail!("{missing} of {} did not receive event {wanted}", self.size),
            }
        }
        Ok(last)
    }
}

/// Reports the first response as number 0, and each `marker-<n>-` once.
async fn listen(mut stream: TcpStream, tell: &mpsc::UnboundedSender<(Instant, u64)>) {
    let mut buffer = vec![0_u8; 4096];
    let mut kept = Vec::new();
    let mut greeted = false;
    let mut seen = 0;
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let at = Instant::now();
        kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&kept).into_owned();
        if !greeted && text.contains("event: listed") {
            greeted = true;
            let _ = tell.send((at, 0));
        }
        for found in text.split("marker-").skip(1) {
            let number = found.split_once('-').and_then(|(number, _)| number.parse::<u64>().ok()).unwrap_or(0);
            if number > seen {
                seen = number;
                let _ = tell.send((at, number));
            }
        }
        // A marker may be split between two reads.
        let keep = kept.len().min(32);
        kept.drain(..kept.len() - keep);
    }
}

pub(crate) async fn measure(program: &Path, subscribers: usize, rounds: usize) -> Result<Vec<Row>> {
    eprintln!("measuring: one change for {subscribers} watching clients");
    let urumi = ServerProcess::in_memory(program, "600s").await?;
    let client = HttpOrchestrator::connect(&format!("http://{}", urumi.address), &Default::default())?;
    client.list().await?;
    let before = urumi.resident()?;
    let mut ours = Subscribers::connect(urumi.address, subscribers, WATCH).await?;
    let our_growth = urumi.resident()?.saturating_sub(before);

    let mut our_times = Vec::new();
    let mut frame = 0;
    for number in 1..=rounds as u64 {
        let began = Instant::now();
        let store = client.create(CreateStore::new(format!("marker-{number}-"), "medusa")).await?.into_store();
        our_times.push(ours.all(number).await?.duration_since(began));
        eprintln!("  urumi {:?}", our_times.last().unwrap_or(&Duration::ZERO));
        frame = serde_json::to_vec(&store)?.len() + 80;
        client.delete_if(&store.id, &urumi_core::Precondition::NONE).await?;
        // Wait for the store's later changes, so that they don't delay the next event.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    drop(ours);
    drop(urumi);

    let mut their_times = Vec::new();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("frame");
    std::fs::write(&file, "")?;
    let floor = ServerProcess::floor("answer", &file).await?;
    let before = floor.resident()?;
    let theirs = Subscribers::connect(floor.address, subscribers, WATCH).await?;
    let their_growth = floor.resident()?.saturating_sub(before);
    drop((theirs, floor));
    for number in 1..=rounds as u64 {
        let mut bytes = format!("id: 1\nevent: changed\ndata: marker-{number}-").into_bytes();
        bytes.resize(frame.max(bytes.len()), b'x');
        std::fs::write(&file, &bytes)?;
        let floor = ServerProcess::floor("broadcast", &file).await?;
        let mut theirs = Subscribers::connect(floor.address, subscribers, b"s").await?;
        let mut control = TcpStream::connect(floor.address).await?;
        let began = Instant::now();
        control.write_all(b"!").await?;
        their_times.push(theirs.all(number).await?.duration_since(began));
        eprintln!("  floor {:?}", their_times.last().unwrap_or(&Duration::ZERO));
    }
    ensure!(!our_times.is_empty(), "no rounds");
    let clients = (subscribers as u64).max(1);
    Ok(vec![
        Row::compared(
            format!("one change → received by {subscribers} watching clients"),
            median(&our_times),
            median(&their_times),
            "≤ 1.5",
        ),
        memory_row("memory per watching client", our_growth / clients, their_growth / clients, "≤ 2"),
    ])
}
