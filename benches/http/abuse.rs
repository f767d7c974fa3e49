//! The effect of a viewer and an operator who take as much as they can on other callers, with the default limits.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use urumi_core::http_client::ServerOptions;
use urumi_core::secret::SecretString;
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator};

use crate::load;
use urumi_benches::server_process::ServerProcess;
use urumi_benches::stats::{Row, quantile};

/// The duration of each measurement.
const TURN: Duration = Duration::from_secs(8);
/// The time until the stores are ready and the server has checked each again.
const SETTLE: Duration = Duration::from_secs(30);
/// The numbers of stores of the attackers' team and of the other caller.
const STORES: [(&str, usize); 2] = [("mallory", 1000), ("ann", 100)];
/// The connections of the other caller, and the interval of each: together less than `--rate-limit`.
const CONNECTIONS: usize = 4;
const EVERY: Duration = Duration::from_millis(100);

/// The clients that request all stores and do not read the answer.
const STALLED: usize = 60;
/// The requests that each of them sends at once.
const PIPELINED: usize = 3;
/// The smoke orders that are requested at once.
const ORDERS: usize = 1024;
/// The attempts to open streams, spread evenly over a turn.
const STREAMS: usize = 12_000;
/// The connections that send bodies, the pause of each, and the size of a body.
const SENDERS: usize = 8;
const PAUSE: Duration = Duration::from_millis(20);
const BODY: usize = 260_000;

/// The number of answers by request and status.
type Answers = Arc<Mutex<BTreeMap<(&'static str, String), usize>>>;

/// A caller with a token. Each has an address of its own, so that they do not share the rate limit of an address.
#[derive(Clone)]
struct Caller {
    server: SocketAddr,
    address: Ipv4Addr,
    token: String,
    attacks: bool,
    answers: Answers,
}

impl Caller {
    /// Opens a connection. Closing it leaves no state in the kernel, which would use up the ports.
    async fn connect(&self) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_zero_linger()?;
        socket.set_nodelay(true)?;
        if self.attacks {
            socket.set_recv_buffer_size(4096)?;
        }
        socket.bind((self.address, 0).into())?;
        Ok(socket.connect(self.server).await?)
    }

    fn head(&self, request: &str, length: usize) -> String {
        format!(
            "{request} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            self.token
        )
    }

    /// Sends a request on a new connection.
    async fn send(&self, request: &str, body: &[u8]) -> Result<TcpStream> {
        let mut stream = self.connect().await?;
        stream.write_all(self.head(request, body.len()).as_bytes()).await?;
        stream.write_all(body).await?;
        Ok(stream)
    }

    /// Sends a request on a new connection, and counts the status of the answer. Returns the connection if it is 200.
    async fn ask(&self, what: &'static str, request: &str, body: &[u8]) -> Option<TcpStream> {
        let answer = async {
            let mut stream = self.send(request, body).await?;
            let mut line = [0; 12];
            stream.read_exact(&mut line).await?;
            Ok::<_, anyhow::Error>((stream, String::from_utf8_lossy(line.get(9..).unwrap_or_default()).into_owned()))
        };
        let answer = answer.await;
        let status = answer.as_ref().map_or("none", |(_, status)| status);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry((what, status.to_owned())).or_default() += 1;
        answer.ok().filter(|(_, status)| status == "200").map(|(stream, _)| stream)
    }
}

pub(crate) async fn measure(program: &Path, rounds: usize) -> Result<Vec<Row>> {
    eprintln!("measuring: a viewer and an operator who do their worst");
    let callers = [
        ("mallory", "operator", "crew"),
        ("vera", "viewer", "crew"),
        ("ann", "operator", "ann"),
        ("root", "admin", "x"),
    ];
    let (urumi, tokens) = ServerProcess::with_callers(program, &callers).await?;
    let answers = Answers::default();
    let caller = |name: &str| {
        let index = callers.iter().position(|(known, ..)| *known == name).unwrap_or_default();
        let address = Ipv4Addr::from([127, 0, 1, u8::try_from(index).unwrap_or_default()]);
        let token = tokens.get(index).cloned().unwrap_or_default();
        let attacks = matches!(name, "mallory" | "vera");
        Caller { server: urumi.address, address, token, attacks, answers: answers.clone() }
    };
    let (mallory, vera, ann, root) = (caller("mallory"), caller("vera"), caller("ann"), caller("root"));
    let mut ids = Vec::new();
    for (name, count) in STORES {
        let options = ServerOptions::default().token(SecretString::new(caller(name).token));
        let client = HttpOrchestrator::connect(&format!("http://{}", urumi.address), &options)?;
        let mut pace = tokio::time::interval(Duration::from_millis(25));
        for n in 0..count {
            pace.tick().await;
            let mut request = CreateStore::new(format!("Store {n}"), "medusa");
            request.owner = (name == "mallory").then(|| "team:crew".to_owned());
            let store = client.create(request).await?.into_store();
            if name == "mallory" {
                ids.push(store.id.to_string());
            }
        }
    }
    let body = nonsense();
    let load = async || {
        let mut streams = Vec::new();
        for _ in 0..CONNECTIONS {
            streams.push(ann.connect().await?);
        }
        load::paced(streams, &format!("authorization: Bearer {}\r\n", ann.token), EVERY, TURN).await
    };
    sleep(SETTLE).await;
    load().await?;
    let before = urumi.resident()?;
    let (mut alone, mut attacked, mut peak) = (Vec::new(), Vec::new(), before);
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        alone.extend(load().await?);
        let attack = attack(&mallory, &vera, &ids, &body);
        let watch = async {
            loop {
                peak = peak.max(urumi.resident().unwrap_or_default());
                sleep(Duration::from_millis(50)).await;
            }
        };
        let administer = async {
            loop {
                let began = Instant::now();
                let _ = timeout(Duration::from_secs(10), root.ask("admin", "GET /stores?limit=20", b"")).await;
                slowest = slowest.max(began.elapsed());
                sleep(EVERY).await;
            }
        };
        tokio::select! {
            latencies = load() => attacked.extend(latencies?),
            () = watch => {}
            () = administer => {}
        }
        drop(attack);
        eprintln!("  p99 {:?} alone, {:?} under attack", quantile(&alone, 0.99), quantile(&attacked, 0.99));
    }
    let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    eprintln!("  answers: {answers:?}; the slowest of the administrator's took {slowest:?}");
    let count = |what: &str, status: &str| {
        let matching = |(known, got): &(&str, String)| *known == what && (status.is_empty() || got == status);
        answers.iter().filter(|(key, _)| matching(key)).map(|(_, count)| count).sum::<usize>()
    };
    ensure!(count("watch", "200") > 0 && count("order", "200") > 0 && count("body", "413") > 0, "no attack");
    Ok(vec![
        Row::compared(
            "`GET /stores` of another caller during abuse, p99",
            quantile(&attacked, 0.99),
            quantile(&alone, 0.99),
            "≤ 2",
        ),
        Row {
            what: "memory used by abuse".into(),
            urumi: format!("{:.1} MiB", peak.saturating_sub(before) as f64 / 1024.0 / 1024.0),
            floor: "–".into(),
            ratio: "–".into(),
            goal: "≤ 64 MiB".into(),
        },
        Row {
            what: "an administrator's requests during abuse that are answered with 200".into(),
            urumi: count("admin", "200").to_string(),
            floor: format!("all, {}", count("admin", "")),
            ratio: format!("{:.2}", count("admin", "200") as f64 / count("admin", "").max(1) as f64),
            goal: "1".into(),
        },
    ])
}

/// Starts everything at once. Dropping the set ends it.
fn attack(operator: &Caller, viewer: &Caller, stores: &[String], body: &Arc<[u8]>) -> JoinSet<()> {
    let mut attack = JoinSet::new();
    for _ in 0..STALLED {
        let viewer = viewer.clone();
        attack.spawn(async move {
            // The kernel takes the first answers: on loopback, it keeps megabytes for each connection.
            let mut stalled = viewer.send("GET /stores", b"").await;
            for _ in 1..PIPELINED {
                if let Ok(stream) = &mut stalled {
                    let _ = stream.write_all(viewer.head("GET /stores", 0).as_bytes()).await;
                }
            }
            std::future::pending().await
        });
    }
    for id in stores.iter().cycle().take(ORDERS) {
        let (operator, request) = (operator.clone(), format!("POST /stores/{id}/smoke"));
        attack.spawn(async move { drop(operator.ask("order", &request, b"").await) });
    }
    for n in 0..STREAMS {
        let (viewer, wait) = (viewer.clone(), TURN.mul_f64(n as f64 / STREAMS as f64));
        attack.spawn(async move {
            sleep(wait).await;
            if let Some(_open) = viewer.ask("watch", "GET /watch", b"").await {
                std::future::pending().await
            }
        });
    }
    for _ in 0..SENDERS {
        let (operator, body) = (operator.clone(), body.clone());
        attack.spawn(async move {
            loop {
                operator.ask("body", "POST /stores", &body).await;
                sleep(PAUSE).await;
            }
        });
    }
    attack
}

/// A request with thousands of unknown options.
fn nonsense() -> Arc<[u8]> {
    let mut options = serde_json::Map::new();
    // `"x12345":null,`
    for n in 0..BODY / 14 {
        options.insert(format!("x{n}"), Value::Null);
    }
    json!({"name": "x", "engine": "medusa", "options": options}).to_string().into_bytes().into()
}
