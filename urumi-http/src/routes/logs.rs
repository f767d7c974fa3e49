//! `/stores/{id}/logs`: the logs of a store's containers.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use urumi_core::error::FieldError;
use urumi_core::store::logs::{LogLine, LogQuery};
use utoipa::IntoParams;

use super::reading;
use crate::auth::{Action, Caller};
use crate::extract::{Id, Query, UNBUFFERED};
use crate::openapi::OnStore;
use crate::places::Kind;
use crate::problem::Problem;
use crate::state::ServerState;

/// The media type of lines as JSON objects with their origin.
const NDJSON: &str = "application/x-ndjson";

/// Which lines to return.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct LogsQuery {
    /// Only this component, e.g. `api`; all components if left out.
    component: Option<String>,
    /// The number of lines from the end of each container's log; 100 by default.
    #[param(minimum = 0, maximum = 10000)]
    tail: Option<u32>,
    /// Whether to continue with new lines.
    #[serde(default)]
    follow: bool,
}

/// Show the logs of a store
///
/// As text; without `component`, each line begins with its component and pod in brackets. With `Accept:
/// application/x-ndjson`, as one JSON object per line. With `follow=true`, until the client or the server ends the
/// stream.
#[utoipa::path(
    get, path = "/stores/{id}/logs", tag = "stores", operation_id = "getStoreLogs",
    params(("id" = String, Path, description = "The store's id"), LogsQuery),
    responses(
        (status = 200, description = "The lines; those of a container are in order", content(
            (String = "text/plain"),
            (LogLine = "application/x-ndjson"),
        )),
        OnStore,
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
    let tail = query.tail.unwrap_or(LogQuery::TAIL);
    if tail > LogQuery::MAX_TAIL {
        let message = format!("must be from 0 to {}", LogQuery::MAX_TAIL);
        return Err(Problem::malformed(FieldError::new("tail", message)));
    }
    let brackets = query.component.is_none();
    let mut wanted = LogQuery::default().tail(tail).follow(query.follow);
    wanted.component = query.component;
    // Also without `follow`: a slow client holds as many requests to the cluster.
    let place = state.open().streams.take(&principal, Kind::Logs)?;
    // An open stream keeps its containers.
    let asked = (&principal, Action::ViewLogs, &id);
    let lines = reading(&state, asked, state.orchestrator().logs(&id, &wanted)).await?;
    let draining = state.draining().clone();
    let structured = headers.get_all(ACCEPT).iter().any(|value| value.to_str().is_ok_and(|v| v.contains(NDJSON)));
    let bytes = lines
        .take_until(async move { draining.cancelled().await })
        // Lines after an error may be complete, so report the error in the stream (and in the log) and continue.
        .map(move |line| {
            let _kept = &place;
            let text = match line {
                Ok(line) if structured => json(&line),
                Ok(line) if brackets => format!("[{} {}] {}\n", line.component, line.pod, line.text),
                Ok(line) => format!("{}\n", line.text),
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
    if query.follow {
        response.headers_mut().insert(UNBUFFERED, HeaderValue::from_static("no"));
    }
    Ok(response)
}

fn json(value: &impl serde::Serialize) -> String {
    // These values contain only texts, which JSON can always represent.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}
