//! The effect of hostile clients on normal ones.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator};

use crate::load;
use urumi_benches::server_process::{ServerProcess, memory_row};
use urumi_benches::stats::{Row, quantile};

/// The duration of each measurement.
const TURN: Duration = Duration::from_secs(4);
/// The number of listed stores. They make a response of some hundred kilobytes, which hostile clients don't read.
const STORES: usize = 200;

/// What hostile clients send first.
const REQUESTS: [&str; 5] = [
    // Sends nothing.
    "",
    // Never completes its headers.
    "GET /stores HTTP/1.1\r\nhost: localhost\r\nx-",
    // Never completes its body.
    "POST /stores HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{",
    // Announces a body larger than the limit.
    "POST /stores HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n{",
    // Never reads the response.
    "GET /stores HTTP/1.1\r\nhost: localhost\r\n\r\nGET /stores HTTP/1.1\r\nhost: localhost\r\n\r\n",
];

pub(crate) async fn measure(program: &Path, rounds: usize, hostile: usize) -> Result<Vec<Row>> {
    eprintln!("measuring: {hostile} hostile clients");
    let urumi = ServerProcess::in_memory(program, "10ms").await?;
    let client = HttpOrchestrator::connect(&format!("http://{}", urumi.address), &Default::default())?;
    for n in 0..STORES {
        client.create(CreateStore::new(format!("Store {n}"), "medusa")).await?;
    }
    load::run(urumi.address, TURN).await?;
    let before = urumi.resident()?;
    let (mut alone, mut attacked, mut peak) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        alone.extend(load::run(urumi.address, TURN).await?.latencies);
        let flood = flood(urumi.address, hostile).await;
        attacked.extend(load::run(urumi.address, TURN).await?.latencies);
        peak = peak.max(urumi.resident()?);
        flood.iter().for_each(JoinHandle::abort);
        join_all(flood).await;
        eprintln!("  p99 {:?} alone, {:?} under attack", quantile(&alone, 0.99), quantile(&attacked, 0.99));
    }
    ensure!(!attacked.is_empty(), "no rounds");
    let our_growth = peak.saturating_sub(before);

    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, client.raw(&["stores"]).await?)?;
    drop(urumi);
    let floor = ServerProcess::floor("answer", file.path()).await?;
    load::run(floor.address, TURN).await?;
    let (before, mut peak) = (floor.resident()?, 0);
    for _ in 0..rounds {
        let flood = flood(floor.address, hostile).await;
        load::run(floor.address, TURN).await?;
        peak = peak.max(floor.resident()?);
        flood.iter().for_each(JoinHandle::abort);
        join_all(flood).await;
    }
    let their_growth = peak.saturating_sub(before);
    Ok(vec![
        Row::compared(
            format!("`GET /stores` among {hostile} hostile clients, p99"),
            quantile(&attacked, 0.99),
            quantile(&alone, 0.99),
            "≤ 2",
        ),
        memory_row(format!("memory used by {hostile} hostile clients"), our_growth, their_growth, "≤ 2"),
    ])
}

/// Opens all connections. Each of them sends one byte per second until the server closes it.
async fn flood(address: SocketAddr, size: usize) -> Vec<JoinHandle<()>> {
    let (tell, mut connected) = tokio::sync::mpsc::unbounded_channel();
    let clients = (0..size).map(|n| {
        let tell = tell.clone();
        tokio::spawn(async move {
            let request = REQUESTS.get(n % REQUESTS.len()).copied().unwrap_or_default();
            let mut stream = TcpStream::connect(address).await.ok();
            if let Some(stream) = &mut stream {
                let _ = stream.write_all(request.as_bytes()).await;
            }
            let _ = tell.send(());
            while let Some(open) = &mut stream {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if n % REQUESTS.len() != 0 && open.write_all(b"x").await.is_err() {
                    stream = None;
                }
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    for _ in 0..size {
        connected.recv().await;
    }
    clients
}
