//! Logs through a server. A log that is followed is read on when the connection is lost, until the store is gone.

use std::collections::HashMap;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::ACCEPT;
use tokio::time::{Instant, sleep};

use super::HttpOrchestrator;
use super::problem::{in_stream, no_answer};
use crate::error::{Error, Operation, Result};
use crate::lines::Lines;
use crate::orchestrator::LogLines;
use crate::store::StoreId;
use crate::store::logs::{LogLine, LogQuery};

/// The pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often connecting may fail in a row: for about six seconds.
const RECONNECTS: usize = 4;
/// How much earlier than the last line a log is read on, because lines take a while to come.
const OVERLAP: Duration = Duration::from_secs(10);

/// A line, or the error of a container; none if the connection was lost.
type Received = BoxStream<'static, Option<Result<LogLine>>>;

/// The pod and the container of a line.
type Origin = (String, String);

impl HttpOrchestrator {
    pub(super) async fn store_logs(&self, id: &StoreId, query: &LogQuery) -> Result<LogLines> {
        let lines = self.open_logs(id, query).await?;
        let follow = Follow {
            server: self.clone(),
            id: id.clone(),
            query: query.clone(),
            lines: Some(lines),
            heard: Instant::now(),
            latest: HashMap::new(),
            known: HashMap::new(),
            pause: FIRST_PAUSE,
            ended: false,
        };
        Ok(stream::unfold(follow, |mut follow| async move { Some((follow.next().await?, follow)) }).boxed())
    }

    async fn open_logs(&self, id: &StoreId, query: &LogQuery) -> Result<Received> {
        let mut request = self
            .request(Method::GET, &["stores", id.as_str(), "logs"])
            .query(&[("tail", query.tail)])
            .query(&[("follow", query.follow)])
            .header(ACCEPT, "application/x-ndjson");
        if let Some(component) = &query.component {
            request = request.query(&[("component", component)]);
        }
        if let Some(age) = query.since {
            request = request.query(&[("since", format!("{}s", age.as_secs() + u64::from(age.subsec_nanos() > 0)))]);
        }
        if query.previous {
            request = request.query(&[("previous", true)]);
        }
        let response = self.send(Operation::Logs, Some(id), request).await?;
        let id = id.clone();
        let follow = query.follow;
        let read = move |line: std::result::Result<String, reqwest::Error>| match line {
            Ok(line) => Some(
                serde_json::from_str::<LogLine>(&line).map_err(|error| in_stream(Operation::Logs, &id, &line, &error)),
            ),
            Err(_) if follow => None,
            Err(error) => Some(Err(no_answer(Operation::Logs, &error))),
        };
        Ok(Lines::of(response.bytes_stream().boxed()).map(read).boxed())
    }
}

/// The logs of a store, read through a server.
struct Follow {
    server: HttpOrchestrator,
    id: StoreId,
    query: LogQuery,
    lines: Option<Received>,
    /// When a line came last, or the log was opened.
    heard: Instant,
    /// The time of the latest line of each container.
    latest: HashMap<Origin, Timestamp>,
    /// `latest` when the connection was lost: lines up to then are known.
    known: HashMap<Origin, Timestamp>,
    pause: Duration,
    ended: bool,
}

impl Follow {
    async fn next(&mut self) -> Option<Result<LogLine>> {
        while !self.ended {
            let Some(lines) = &mut self.lines else {
                if let Err(error) = self.reconnect().await {
                    self.ended = true;
                    return error.map(Err);
                }
                continue;
            };
            match lines.next().await {
                Some(Some(Ok(line))) if !self.is_new(&line) => {}
                Some(Some(line)) => return Some(line),
                None if !self.query.follow => self.ended = true,
                Some(None) | None => self.lines = None,
            }
        }
        None
    }

    /// Whether a line has not come before.
    fn is_new(&mut self, line: &LogLine) -> bool {
        let Some(time) = line.timestamp else { return true };
        let origin = (line.pod.clone(), line.container.clone());
        if self.known.get(&origin).is_some_and(|known| time <= *known) {
            return false;
        }
        self.known.remove(&origin);
        let latest = self.latest.entry(origin).or_insert(time);
        *latest = time.max(*latest);
        self.heard = Instant::now();
        self.pause = FIRST_PAUSE;
        true
    }

    /// Opens the log again. There is no error if the store is gone.
    async fn reconnect(&mut self) -> Result<(), Option<Error>> {
        let mut tries_left = RECONNECTS;
        loop {
            sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            let since = Some(self.heard.elapsed() + OVERLAP);
            let query = LogQuery { since, tail: LogQuery::MAX_TAIL, ..self.query.clone() };
            match self.server.open_logs(&self.id, &query).await {
                Ok(lines) => {
                    self.known.clone_from(&self.latest);
                    self.lines = Some(lines);
                    return Ok(());
                }
                Err(Error::NotFound { .. }) => return Err(None),
                Err(error) if error.is_retryable() && tries_left > 0 => tries_left -= 1,
                Err(error) => return Err(Some(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::http_client::ServerOptions;
    use crate::orchestrator::StoreOrchestrator;

    /// A server that answers each request with the next of these bodies, and then with 404. Returns the requests' lines.
    async fn server(bodies: Vec<String>) -> (HttpOrchestrator, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let gone = r#"{"code":"not-found","status":404,"detail":"there is no store shop"}"#;
        let answers = bodies.into_iter().map(|body| ("200 OK", body)).chain([("404 Not Found", gone.to_owned())]);
        let answers: Vec<_> = answers.collect();
        let serving = tokio::spawn(async move {
            let mut asked = Vec::new();
            for (status, body) in answers {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 4096];
                let length = connection.read(&mut head).await.unwrap();
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                asked.push(head.lines().next().unwrap().to_owned());
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                connection.write_all(head.as_bytes()).await.unwrap();
                connection.write_all(body.as_bytes()).await.unwrap();
            }
            asked
        });
        (HttpOrchestrator::connect(&address, &ServerOptions::default()).unwrap(), serving)
    }

    fn line(pod: &str, text: &str, time: &str) -> String {
        let line = LogLine::new("api", pod, "api", text).at(time.parse::<Timestamp>().unwrap());
        serde_json::to_string(&line).unwrap() + "\n"
    }

    #[tokio::test]
    async fn a_followed_log_is_read_on_until_the_store_is_gone() {
        let one = line("a", "one", "2026-01-01T00:00:01.000000001Z");
        let two = line("a", "two", "2026-01-01T00:00:01.000000002Z");
        let other = line("b", "other", "2026-01-01T00:00:00Z");
        let (server, serving) = server(vec![one.clone(), one + &other + &two.clone(), two]).await;
        let query = LogQuery::default().follow(true);
        let lines = server.logs(&StoreId::parse("shop").unwrap(), &query).await.unwrap();
        let texts: Vec<String> = lines.map(|line| line.unwrap().text).collect().await;
        assert_eq!(texts, ["one", "other", "two"]);
        let asked = serving.await.unwrap();
        assert!(asked[0].starts_with("GET /stores/shop/logs?tail=100&follow=true "), "{asked:?}");
        assert!(asked[1].starts_with("GET /stores/shop/logs?tail=10000&follow=true&since=1"), "{asked:?}");
    }

    #[tokio::test]
    async fn a_log_that_is_not_followed_ends_with_its_answer() {
        let (server, serving) = server(vec![line("a", "one", "2026-01-01T00:00:01Z")]).await;
        let query = LogQuery::default().since(Duration::from_millis(1500)).previous(true);
        let lines = server.logs(&StoreId::parse("shop").unwrap(), &query).await.unwrap();
        assert_eq!(lines.count().await, 1);
        assert!(server.logs(&StoreId::parse("shop").unwrap(), &query).await.is_err());
        let asked = serving.await.unwrap();
        assert!(asked[0].contains("&follow=false&since=2s&previous=true "), "{asked:?}");
    }
}
