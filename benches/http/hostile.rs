//! What clients that behave notice of those that do not.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator};

use crate::child::Server;
use crate::load;
use crate::stats::{Row, quantile};

/// How long each turn is.
const TURN: Duration = Duration::from_secs(4);
/// How many stores are listed: an answer of some hundred kilobytes, which hostile clients ask for and do not read.
const STORES: usize = 200;

/// The ways in which a client can be a burden.
const BEGINNINGS: [&str; 5] = [
    // Says nothing at all.
    "",
    // Never ends its head.
    "GET /stores HTTP/1.1\r\nhost: x\r\nx-",
    // Never ends its body.
    "POST /stores HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{",
    // Asks for more than is allowed.
    "POST /stores HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n{",
    // Reads nothing of what it asks for.
    "GET /stores HTTP/1.1\r\nhost: x\r\n\r\nGET /stores HTTP/1.1\r\nhost: x\r\n\r\n",
];

pub(crate) async fn measure(program: &Path, rounds: usize, hostile: usize) -> Result<Vec<Row>> {
    eprintln!("measuring: {hostile} hostile clients");
    let urumi = Server::urumi(program, "10ms").await?;
    let client = HttpOrchestrator::connect(&format!("http://{}", urumi.address), &Default::default())?;
    for n in 0..STORES {
        client.create(CreateStore::new(format!("Store {n}"), "medusa")).await?;
    }
    load::run(urumi.address, TURN).await?;
    let before = urumi.resident()?;
    let (mut alone, mut among, mut most) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        alone.extend(load::run(urumi.address, TURN).await?.latencies);
        let flood = flood(urumi.address, hostile).await;
        among.extend(load::run(urumi.address, TURN).await?.latencies);
        most = most.max(urumi.resident()?);
        flood.iter().for_each(JoinHandle::abort);
        join_all(flood).await;
        eprintln!("  p99 {:?} alone, {:?} among them", quantile(&alone, 0.99), quantile(&among, 0.99));
    }
    ensure!(!among.is_empty(), "no rounds");
    Ok(vec![
        Row::compared(
            format!("`GET /stores` among {hostile} hostile clients, p99"),
            quantile(&among, 0.99),
            quantile(&alone, 0.99),
            "≤ 2",
        ),
        Row {
            what: "memory that they take".into(),
            urumi: format!("{:.1} MiB", most.saturating_sub(before) as f64 / 1024.0 / 1024.0),
            floor: "–".into(),
            ratio: "–".into(),
            goal: "≤ 32 MiB".into(),
        },
    ])
}

/// Opens all connections; each sends a byte a second for as long as it is left.
async fn flood(address: SocketAddr, size: usize) -> Vec<JoinHandle<()>> {
    let (tell, mut connected) = tokio::sync::mpsc::unbounded_channel();
    let clients = (0..size).map(|n| {
        let tell = tell.clone();
        tokio::spawn(async move {
            let beginning = BEGINNINGS.get(n % BEGINNINGS.len()).copied().unwrap_or_default();
            let mut stream = TcpStream::connect(address).await.ok();
            if let Some(stream) = &mut stream {
                let _ = stream.write_all(beginning.as_bytes()).await;
            }
            let _ = tell.send(());
            while let Some(open) = &mut stream {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if n % BEGINNINGS.len() != 0 && open.write_all(b"x").await.is_err() {
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
