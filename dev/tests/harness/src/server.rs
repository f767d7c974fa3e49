//! `urumi-http` as a child process.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

/// Waits until a server prints the URL that it listens on, and returns it. Its stdout must be piped.
pub async fn listening(child: &mut Child, limit: Duration) -> String {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, url)) = line.split_once("http://") {
                return format!("http://{}", url.split_whitespace().next().unwrap());
            }
        }
        panic!("the server ended before it listened");
    };
    tokio::time::timeout(limit, url).await.expect("the server does not listen")
}
