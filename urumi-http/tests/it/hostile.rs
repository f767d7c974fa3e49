//! Clients that mean harm, next to one that does not.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::routing::{get, post};
use futures::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use urumi_http::layers::{LayerOptions, wrap};
use urumi_http::program::listener::{ListenerOptions, serve_router};

use crate::support::{PATIENCE, Server, assert_problem, rest, until};

/// Short limits: nobody here has to be waited for long.
fn listener_options() -> ListenerOptions {
    let short = Duration::from_millis(300);
    ListenerOptions { header_timeout: short, write_timeout: short, ..Default::default() }
}

fn router() -> Router {
    let endless = async || {
        let parts = futures::stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 16 * 1024])));
        Body::from_stream(parts)
    };
    let router = Router::new()
        .route("/", get(async || "hello"))
        .route("/echo", post(async |body: Result<Bytes, BytesRejection>| body))
        .route("/endless", get(endless));
    wrap(router, &LayerOptions { body_timeout: Duration::from_millis(300), ..Default::default() })
}

async fn start() -> Server {
    Server::start(router(), listener_options()).await
}

/// Asks on and on while `harm` is being done, and demands that every answer is right.
async fn while_served<T>(addr: SocketAddr, harm: impl Future<Output = T>) -> (T, Vec<Duration>) {
    let stop = Arc::new(AtomicBool::new(false));
    let good = tokio::spawn({
        let stop = stop.clone();
        async move {
            let (mut times, mut stream) = (Vec::new(), TcpStream::connect(addr).await.unwrap());
            while !stop.load(Ordering::Relaxed) || times.len() < 100 {
                let begun = Instant::now();
                stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
                let answer = until(&mut stream, "hello").await;
                assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
                times.push(begun.elapsed());
                tokio::task::yield_now().await;
            }
            times
        }
    });
    let done = harm.await;
    stop.store(true, Ordering::Relaxed);
    (done, good.await.unwrap())
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_before_they_are_read() {
    let server = start().await;
    let huge = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\nbegin";
    assert_problem(&server.send(huge.as_bytes()).await, 413, "payload-too-large");

    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let chunked = format!("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{}", chunk.repeat(40));
    let (answer, _) = while_served(server.addr, server.send(chunked.as_bytes())).await;
    assert_problem(&answer, 413, "payload-too-large");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let server = start().await;
    let harm = async {
        let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "x".repeat(9000));
        let endless = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}", "x".repeat(100_000));
        let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(1000));
        (server.send(path.as_bytes()).await, server.send(endless.as_bytes()).await, server.send(many.as_bytes()).await)
    };
    let ((path, endless, many), _) = while_served(server.addr, harm).await;
    assert_problem(&path, 414, "uri-too-long");
    for answer in [endless, many] {
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
    }
}

/// Sends a byte now and then, until the server has had enough.
async fn trickle(mut stream: TcpStream, begin: &str) -> String {
    stream.write_all(begin.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let mut drops = tokio::time::interval(Duration::from_millis(20));
    let mut answer = String::new();
    let dripping = async {
        loop {
            drops.tick().await;
            if write.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let reading = async {
        let mut bytes = Vec::new();
        let _ = read.read_to_end(&mut bytes).await;
        answer = String::from_utf8_lossy(&bytes).into_owned();
    };
    tokio::select! {
        () = dripping => {}
        () = reading => {}
        () = tokio::time::sleep(PATIENCE) => panic!("the server listens for ever"),
    }
    answer
}

#[tokio::test]
async fn those_who_send_slowly_are_sent_away() {
    let server = start().await;
    let harm = async {
        let heads = join_all((0..50).map(async |_| trickle(server.connect().await, "GET / HTTP/1.1\r\nx: ").await));
        let body = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n";
        let bodies = join_all((0..50).map(async |_| trickle(server.connect().await, body).await));
        tokio::join!(heads, bodies)
    };
    let ((heads, bodies), _) = while_served(server.addr, harm).await;
    assert!(heads.iter().all(String::is_empty));
    for answer in bodies {
        assert_problem(&answer, 408, "timed-out");
    }
}

#[tokio::test]
async fn those_who_do_not_read_are_sent_away() {
    let (tell, mut gone) = tokio::sync::mpsc::unbounded_channel();
    let endless = get(async move || {
        let (dropped, tell) = (CancellationToken::new(), tell.clone());
        let told = dropped.clone().drop_guard();
        tokio::spawn(async move {
            dropped.cancelled().await;
            tell.send(()).unwrap();
        });
        let parts = futures::stream::repeat_with(move || {
            let _kept = &told;
            Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 16 * 1024]))
        });
        Body::from_stream(parts)
    });
    let router = Router::new().route("/", get(async || "hello"));
    let server = Server::start(router.route("/gone", endless), listener_options()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /gone HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let (given_up, _) = while_served(server.addr, tokio::time::timeout(PATIENCE, gone.recv())).await;
    given_up.expect("the server gives up").unwrap();
}

#[tokio::test]
async fn half_closed_and_broken_connections_leave_nothing_behind() {
    let server = start().await;
    let harm = async {
        for _ in 0..200 {
            let mut half = server.connect().await;
            half.shutdown().await.unwrap();
            assert_eq!(rest(&mut half).await, "");
            let mut broken = server.connect().await;
            broken.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n").await.unwrap();
            drop(broken);
        }
    };
    while_served(server.addr, harm).await;
    // Were any still open, the server would not end without cutting them.
    server.shutdown.cancel();
    tokio::time::timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
}

/// A server in a process of its own, so that its memory is only its own.
struct Process {
    child: Child,
    addr: SocketAddr,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["hostile::serve_until_stdin_ends", "--exact", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = lines.map_while(Result::ok).find_map(|it| it.strip_prefix("listening ")?.parse().ok());
        Process { child, addr: addr.expect("the server says where it is") }
    }

    /// How much memory it has, in KiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
#[ignore = "the server of another test"]
async fn serve_until_stdin_ends() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    println!("\nlistening {}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let options = ListenerOptions { max_connections: 600, ..listener_options() };
    let server = tokio::spawn(serve_router(listener, router(), options, stop.clone()));
    let waiting = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    waiting.await.unwrap().unwrap();
    stop.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_connections_costs_little_memory_and_others_are_served() {
    let server = Process::start();
    let addr = server.addr;
    let ((), calm) = while_served(addr, async {}).await;
    let before = server.memory();
    let bad = "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4000\r\n";
    let beginnings = ["", "GET / HT", bad, "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n"];
    let mut peak = before;
    let (answered, stormy) = while_served(addr, async {
        let mut done = 0;
        // Fewer at a time than a process may have descriptors.
        for _ in 0..5 {
            let wave = join_all((0..400).map(async |n| {
                let mut stream = TcpStream::connect(addr).await?;
                stream.write_all(beginnings[n % beginnings.len()].as_bytes()).await?;
                std::io::Result::Ok(stream)
            }));
            let streams: Vec<_> = wave.await.into_iter().flatten().collect();
            peak = peak.max(server.memory());
            done += streams.len();
            // All are cut by a limit, at the latest once they are read from.
            join_all(streams.into_iter().map(async |mut stream| {
                let mut part = [0; 1024];
                let _ = tokio::time::timeout(Duration::from_millis(500), stream.read(&mut part)).await;
            }))
            .await;
            peak = peak.max(server.memory());
        }
        done
    })
    .await;
    assert_eq!(answered, 2000);
    let grown = peak.saturating_sub(before);
    println!("{} KiB before, {grown} KiB more at the most", before);
    println!("alone: {}; with the flood: {}", summary(calm), summary(stormy));
    assert!(grown <= 32 * 1024, "the server has grown by {grown} KiB");
}

fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000];
    format!("{} requests, median {:?}, p99 {:?}, longest {:?}", times.len(), at(500), at(990), at(1000))
}
