//! `/stores/{id}/logs`: the logs of a store's containers.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use urumi_core::settings;
use urumi_core::store::logs::{LogLine, LogQuery};
use utoipa::IntoParams;

use super::reading;
use crate::auth::{Action, Caller};
use crate::extract::{FromQuery, Id, Params, Query, UNBUFFERED, preferred};
use crate::openapi::OnStore;
use crate::places::Kind;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// The media types of the answer: lines of text, and lines that are JSON objects with their origin, under both names that
/// clients ask for.
const TEXT: &str = "text/plain";
const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";

/// Which lines to return.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct LogsQuery {
    /// Only this component, e.g. `api`; all components if left out.
    component: Option<String>,
    /// The number of lines from the end of each container's log; 100 by default.
    #[param(minimum = 0, maximum = 10000)]
    tail: Option<u32>,
    /// Whether to continue with new lines, also of pods and containers that start later, until the store is gone.
    #[param(required = false)]
    follow: bool,
    /// Only lines of at most this age: a duration with its unit, e.g. `90s`, `10m` or `1h30m`, up to 7 days.
    #[param(value_type = Option<String>, example = "5m")]
    since: Option<Duration>,
    /// Whether to show the lines from before the last restart of each container. They cannot be followed.
    #[param(required = false)]
    previous: bool,
    /// Whether each line of text begins with its time. Lines of JSON always have it.
    #[param(required = false)]
    timestamps: bool,
}

impl FromQuery for LogsQuery {
    fn read(params: &mut Params) -> Self {
        let query = LogsQuery {
            component: params.text("component"),
            tail: params.number("tail", 0..=LogQuery::MAX_TAIL),
            follow: params.flag("follow"),
            since: params.value("since", settings::duration),
            previous: params.flag("previous"),
            timestamps: params.flag("timestamps"),
        };
        if query.previous && query.follow {
            params.note("previous", "must not be true together with follow: lines from before a restart have ended");
        }
        query
    }
}

impl From<LogsQuery> for LogQuery {
    fn from(query: LogsQuery) -> Self {
        let mut wanted = LogQuery::default().follow(query.follow).since(query.since).previous(query.previous);
        wanted.tail = query.tail.unwrap_or(LogQuery::TAIL);
        wanted.component = query.component;
        wanted
    }
}

/// Show the logs of a store
///
/// As text; without `component`, each line begins with its component and pod in brackets. With `Accept:
/// application/x-ndjson` or `application/json`, as one JSON object per line. With `follow=true`, until the store is gone,
/// or the client or the server ends the stream.
#[utoipa::path(
    get, path = "/stores/{id}/logs", tag = "stores", operation_id = "getStoreLogs",
    params(("id" = String, Path, description = "The store's id"), LogsQuery),
    responses(
        (status = 200, description = "The lines; those of a container are in order", content(
            (String = "text/plain"),
            (LogLine = "application/x-ndjson"),
        )),
        OnStore,
        (status = 406, description = "`Accept` allows neither text nor lines of JSON"),
        (status = 422, description = "There is no such component"),
        (status = 429, description = "The caller has too many streams, or sent too many requests"),
    ),
)]
pub(super) async fn logs(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    headers: HeaderMap,
    Query(query): Query<LogsQuery>,
) -> Result<Response, Problem> {
    let structured = match preferred(&headers, &[TEXT, NDJSON, JSON]) {
        Some(media_type) => media_type != TEXT,
        None => {
            let detail = format!("logs are {TEXT}, or {NDJSON} for lines of JSON; accept one of them");
            return Err(Problem::new(Code::NotAcceptable, detail));
        }
    };
    let (brackets, timestamps, follow) = (query.component.is_none(), query.timestamps, query.follow);
    let wanted = LogQuery::from(query);
    // Also without `follow`: a slow client holds as many requests to the cluster.
    let place = state.open().streams.take(&principal, Kind::Logs)?;
    // An open stream keeps its containers.
    let asked = (&principal, Action::ViewLogs, &id);
    let lines = reading(&state, asked, state.orchestrator().logs(&id, &wanted)).await?;
    let draining = state.draining().clone();
    let bytes = lines
        .take_until(async move { draining.cancelled().await })
        // Lines after an error may be complete, so report the error in the stream (and in the log) and continue.
        .map(move |line| {
            let _kept = &place;
            let text = match line {
                Ok(line) if structured => json(&line),
                Ok(line) => text(&line, timestamps, brackets),
                Err(error) => {
                    let problem = Problem::from(error);
                    if structured { json(&problem) } else { format!("urumi: {}\n", problem.detail) }
                }
            };
            Ok::<_, std::convert::Infallible>(Bytes::from(text))
        });
    let content_type = if structured { NDJSON } else { "text/plain; charset=utf-8" };
    let mut response =
        ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")], Body::from_stream(bytes)).into_response();
    if follow {
        response.headers_mut().insert(UNBUFFERED, HeaderValue::from_static("no"));
    }
    Ok(response)
}

/// A line as text.
fn text(line: &LogLine, timestamps: bool, brackets: bool) -> String {
    let mut text = String::new();
    if let Some(timestamp) = line.timestamp.filter(|_| timestamps) {
        // As Kubernetes writes them, with nanoseconds.
        text.push_str(&format!("{timestamp:.9} "));
    }
    if brackets {
        text.push_str(&format!("[{} {}] ", line.component, line.pod));
    }
    text.push_str(&line.text);
    text.push('\n');
    text
}

fn json(value: &impl serde::Serialize) -> String {
    // These values contain only texts, which JSON can always represent.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}
