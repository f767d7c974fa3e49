//! The watch through a server, which heals itself.

use std::sync::atomic::Ordering;
use std::time::Duration;

use eventsource_stream::{Event, EventStream, Eventsource};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use super::problem::{is_version_not_reached, no_answer, refusal, unreadable};
use super::{HttpOrchestrator, TRIES};
use crate::error::{Operation, Result};
use crate::orchestrator::{StoreEvent, StoreStream};
use crate::store::{Store, StoreId};

/// A server shows at least every fifteen seconds that it is there.
const SILENCE: Duration = Duration::from_secs(45);
/// The pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

type Events = EventStream<BoxStream<'static, reqwest::Result<bytes::Bytes>>>;

struct Watch {
    server: HttpOrchestrator,
    id: Option<StoreId>,
    /// The last event that was received, from which the server goes on.
    last: Option<String>,
    events: Option<Events>,
    /// When the open connection began, while it has brought no event.
    silent_since: Option<Instant>,
    pause: Duration,
    failed: bool,
    /// How often in a row the server had not seen our own changes.
    unreached: usize,
}

#[derive(Deserialize)]
struct Gone {
    id: StoreId,
}

pub(super) fn watch(server: HttpOrchestrator, id: Option<StoreId>) -> StoreStream {
    let watch = Watch {
        server,
        id,
        last: None,
        events: None,
        silent_since: None,
        pause: FIRST_PAUSE,
        failed: false,
        unreached: 0,
    };
    stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await;
        Some((event, watch))
    })
    .boxed()
}

impl Watch {
    async fn next(&mut self) -> Result<StoreEvent> {
        if std::mem::take(&mut self.failed) {
            sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        let outcome = self.advance().await;
        self.failed = outcome.is_err();
        if self.failed {
            self.events = None;
        }
        outcome
    }

    async fn advance(&mut self) -> Result<StoreEvent> {
        loop {
            let mut events = match self.events.take() {
                Some(events) => events,
                None => {
                    let events = self.connect().await?;
                    self.silent_since = Some(Instant::now());
                    events
                }
            };
            // Comments keep the connection alive but are no events: silence is measured beneath, by the bytes.
            match events.next().await {
                Some(Ok(event)) => {
                    self.events = Some(events);
                    self.silent_since = None;
                    if let Some(event) = self.read(event)? {
                        self.pause = FIRST_PAUSE;
                        return Ok(event);
                    }
                }
                Some(Err(error)) => return Err(no_answer(Operation::Watch, &error)),
                // The server or a proxy ended a connection that worked: another one continues from the last event.
                None if self.silent_since.take().is_none_or(|since| since.elapsed() >= LONGEST_PAUSE) => {
                    sleep(self.pause).await;
                }
                None => return Err(no_answer(Operation::Watch, &"the connection ended at once, without an event")),
            }
        }
    }

    async fn connect(&mut self) -> Result<Events> {
        let mut request = self.server.request(Method::GET, &["watch"]).header(ACCEPT, "text/event-stream");
        if let Some(id) = &self.id {
            request = request.query(&[("id", id.as_str())]);
        }
        if let Some(last) = &self.last {
            request = request.header("Last-Event-ID", last);
        }
        let written = self.server.written.load(Ordering::Relaxed);
        if written > 0 {
            request = request.query(&[("resourceVersion", written)]);
        }
        let request = self.server.authorized(request).await?;
        let response = match timeout(SILENCE, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(no_answer(Operation::Watch, &super::problem::innermost(&error))),
            Err(_elapsed) => return Err(no_answer(Operation::Watch, &"none in time")),
        };
        if !response.status().is_success() {
            let error = refusal(Operation::Watch, self.id.as_ref(), response).await.0;
            if is_version_not_reached(&error) {
                self.unreached += 1;
                if self.unreached >= TRIES {
                    self.server.forget_written();
                }
            }
            return Err(error);
        }
        self.unreached = 0;
        Ok(until_silent(response.bytes_stream().boxed()).boxed().eventsource())
    }

    fn read(&mut self, event: Event) -> Result<Option<StoreEvent>> {
        let wrong = |error: serde_json::Error| unreadable(Operation::Watch, &error);
        let read = match event.event.as_str() {
            "listed" => StoreEvent::Listed(serde_json::from_str::<Vec<Store>>(&event.data).map_err(wrong)?),
            "changed" => StoreEvent::Changed(serde_json::from_str(&event.data).map_err(wrong)?),
            "gone" => StoreEvent::Gone(serde_json::from_str::<Gone>(&event.data).map_err(wrong)?.id),
            // A newer server may have more to say.
            _ => return Ok(None),
        };
        if !event.id.is_empty() {
            self.last = Some(event.id);
        }
        Ok(Some(read))
    }
}

/// The bytes, until nothing comes for too long: a connection that died silently ends here.
fn until_silent<S, T>(bytes: S) -> impl futures::Stream<Item = T> + Send
where
    S: futures::Stream<Item = T> + Unpin + Send,
    T: Send,
{
    stream::unfold(bytes, |mut bytes| async move {
        let next = timeout(SILENCE, bytes.next()).await.ok().flatten()?;
        Some((next, bytes))
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::http_client::ServerOptions;

    /// The caller learns of it and decides; until then the pauses grow.
    #[tokio::test]
    async fn a_server_that_ends_every_connection_at_once_is_an_error_and_not_a_loop() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let _ = connection.read(&mut [0; 4096]).await;
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
                let _ = connection.write_all(head.as_bytes()).await;
            }
        });
        let client = HttpOrchestrator::connect(&address, &ServerOptions::default()).unwrap();
        let mut events = watch(client, None);
        for _ in 0..3 {
            let event = timeout(Duration::from_secs(30), events.next()).await.unwrap().unwrap();
            assert!(event.unwrap_err().is_retryable());
        }
        server.abort();
    }
}
