//! One look at a server, whatever it answers: for those who want to know what is wrong with it.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Method;
use reqwest::header::DATE;
use serde_json::Value;
use tokio::time::timeout;

use super::HttpOrchestrator;
use super::problem::{Purpose, innermost, no_answer};
use crate::error::Result;

/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The most of an answer that is read.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// What a server answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What time the server has, in whole seconds.
    pub date: Option<Timestamp>,
    /// How long it took until the answer began.
    pub took: Duration,
    /// The body, where it is JSON.
    pub body: Option<Value>,
}

impl HttpOrchestrator {
    /// Asks the server once by GET and returns what it answered, be it a failure. Nothing is sent again.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn probe(&self, path: &[&str]) -> Result<Answer> {
        let request = self.authorized(self.request(Method::GET, path)).await?;
        let began = Instant::now();
        let answering = async {
            let mut response = request.send().await?;
            let (status, took) = (response.status().as_u16(), began.elapsed());
            let date = response.headers().get(DATE).and_then(|value| value.to_str().ok());
            let date = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                body.extend_from_slice(&chunk);
                if body.len() > MAX_BODY {
                    break;
                }
            }
            Ok(Answer { status, date, took, body: serde_json::from_slice(&body).ok() })
        };
        match timeout(PATIENCE, answering).await {
            Ok(answer) => answer.map_err(|error: reqwest::Error| no_answer(Purpose::Ask, &innermost(&error))),
            Err(_elapsed) => Err(no_answer(Purpose::Ask, &format_args!("none within {PATIENCE:?}"))),
        }
    }
}
