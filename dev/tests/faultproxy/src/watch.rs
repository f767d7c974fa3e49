//! The events of a watch, and the faults of a plan among them.

use std::io;

use bytes::Bytes;
use futures::{TryStreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::io::StreamReader;

use crate::plan::WatchFault;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;
type Chunk = Result<Frame<Bytes>, BoxError>;

/// The stream that the client gets instead. `next_fault` is asked at each event; once `frozen` changes, the stream stays open
/// and says nothing more.
pub(crate) fn faulty(
    body: kube::client::Body,
    frozen: watch::Receiver<usize>,
    next_fault: impl FnMut() -> Option<WatchFault> + Send + 'static,
) -> AnswerBody {
    let (send, receive) = mpsc::channel(1);
    let pieces = TryStreamExt::map_err(body.into_data_stream(), io::Error::other);
    let lines = BufReader::new(StreamReader::new(pieces)).lines();
    tokio::spawn(async move {
        // The client sees the end when the channel is dropped.
        let _ = pump(lines, frozen, next_fault, send).await;
    });
    let chunks = stream::unfold(receive, async |mut receive| Some((receive.recv().await?, receive)));
    StreamBody::new(chunks).boxed_unsync()
}

/// Why a stream is over.
enum Over {
    /// The plan or the API server ended it.
    Ended,
    /// The client has closed its connection.
    Gone,
}

async fn pump<R: tokio::io::AsyncBufRead + Unpin>(
    mut lines: Lines<R>,
    mut frozen: watch::Receiver<usize>,
    mut next_fault: impl FnMut() -> Option<WatchFault>,
    send: mpsc::Sender<Chunk>,
) -> Result<Over, Over> {
    let pass = async |text: &str| {
        let chunk = Frame::data(Bytes::from(format!("{text}\n")));
        send.send(Ok(chunk)).await.map_err(|_closed| Over::Gone)
    };
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line.ok().flatten().ok_or(Over::Ended)?,
            Ok(()) = frozen.changed() => {
                send.closed().await;
                return Ok(Over::Gone);
            }
            () = send.closed() => return Ok(Over::Gone),
        };
        let event = serde_json::from_str::<Value>(&line).unwrap_or_default();
        let counts = event.get("type").and_then(Value::as_str).is_some_and(|kind| kind != "BOOKMARK");
        let fault = if counts { next_fault() } else { None };
        match fault {
            None => pass(&line).await?,
            Some(WatchFault::Delay(pause)) => {
                sleep(pause).await;
                pass(&line).await?;
            }
            Some(WatchFault::Repeat) => {
                pass(&line).await?;
                pass(&line).await?;
            }
            Some(WatchFault::Lose(pause)) => {
                let until = Instant::now() + pause;
                while let Ok(Ok(Some(_lost))) = timeout_at(until, lines.next_line()).await {}
                pass(&expired()).await?;
                return Ok(Over::Ended);
            }
            Some(WatchFault::Expire | WatchFault::Stale) => {
                pass(&expired()).await?;
                return Ok(Over::Ended);
            }
            Some(WatchFault::End) => return Ok(Over::Ended),
            Some(WatchFault::Cut) => {
                let half = Bytes::copy_from_slice(line.as_bytes().get(..line.len() / 2).unwrap_or_default());
                let _ = send.send(Ok(Frame::data(half))).await;
                let _ = send.send(Err("cut off by the plan".into())).await;
                return Ok(Over::Ended);
            }
        }
    }
}

/// What the API server says when it no longer has what follows a version.
fn expired() -> String {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Expired", "code": 410,
        "message": "too old resource version: expired by the plan",
    });
    json!({ "type": "ERROR", "object": status }).to_string()
}
