//! `/watch`: all changes as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, stream};
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use urumi_core::StoreId;
use utoipa::IntoParams;

use super::{may_view, synced};
use crate::auth::{Caller, Principal};
use crate::extract::{Query, UNBUFFERED};
use crate::places::{Kind, Place};
use crate::problem::Problem;
use crate::state::ServerState;
use crate::view::{Beginning, Change, View, What, listed_frame};

/// Which stores to watch.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct WatchQuery {
    /// Only this store.
    id: Option<String>,
}

/// Watch stores
///
/// Server-sent events. First `listed` with the JSON array of all stores that the caller may see; then, for every change
/// in order, `changed` with a store, or `gone` with its id (`{"id": …}`). A client that reconnects sends the last
/// event's id as `Last-Event-ID` (browsers do this automatically) and gets the missed events, or `listed` again if
/// these are no longer known. Comment lines keep the connection alive.
#[utoipa::path(
    get, path = "/watch", tag = "stores", operation_id = "watchStores",
    params(
        WatchQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received"),
    ),
    responses(
        (status = 200, description = "Events, until the client or the server ends the stream", body = String, content_type = "text/event-stream"),
        (status = 422, description = "The id is invalid"),
        (status = 429, description = "The caller has too many streams, or sent too many requests"),
    ),
)]
pub(super) async fn watch(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    Query(query): Query<WatchQuery>,
) -> Result<Response, Problem> {
    synced(&state).await?;
    // A store that does not exist, or that the caller may not see, gives an empty list; it may be created later.
    let only = query.id.map(|id| StoreId::parse(&id)).transpose().map_err(|wrong| Problem::fields(vec![wrong]))?;
    let place = state.open().streams.take(&principal, Kind::Watch)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let subscriber = Subscriber::new(&state, principal, place, only, last);
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store"), (UNBUFFERED, "no")];
    Ok((headers, Body::from_stream(subscriber.frames())).into_response())
}

/// A client of the watch.
struct Subscriber {
    view: Arc<View>,
    principal: Principal,
    _place: Place,
    only: Option<StoreId>,
    /// What to send before waiting for changes.
    first: Box<dyn Iterator<Item = Bytes> + Send>,
    changes: Receiver<Arc<Change>>,
    draining: CancellationToken,
}

impl Subscriber {
    fn new(state: &ServerState, principal: Principal, place: Place, only: Option<StoreId>, last: Option<&str>) -> Self {
        let (beginning, changes) = state.view().watch(last);
        let mut subscriber = Subscriber {
            view: state.view().clone(),
            principal,
            _place: place,
            only,
            first: Box::new(std::iter::empty()),
            changes,
            draining: state.draining().clone(),
        };
        subscriber.begin(beginning);
        subscriber
    }

    fn begin(&mut self, beginning: Beginning) {
        self.first = match beginning {
            Beginning::All(all) => {
                let seen = all.entries.iter().filter(|entry| self.sees(entry)).cloned().collect();
                Box::new(listed_frame(&self.view.tag(all.sequence), seen))
            }
            // Send a comment at once, so that proxies and clients see that the connection works.
            Beginning::Missed(changes) => {
                let seen = changes.iter().filter(|c| c.entry().is_some_and(|e| self.sees(e))).map(|c| c.frame.clone());
                let seen: Vec<Bytes> = seen.collect();
                Box::new(std::iter::once(Bytes::from_static(b":\n\n")).chain(seen))
            }
        };
    }

    fn sees(&self, entry: &crate::view::Entry) -> bool {
        self.only.as_ref().is_none_or(|id| entry.store.id == *id) && may_view(&self.principal, entry)
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.first.next() {
                return Some(frame);
            }
            let change = tokio::select! {
                biased;
                () = self.draining.cancelled() => return None,
                change = self.changes.recv() => change,
            };
            match change {
                Ok(change) => match &change.what {
                    What::Heartbeat => return Some(change.frame.clone()),
                    What::Changed(entry) | What::Gone(entry) if self.sees(entry) => return Some(change.frame.clone()),
                    What::Changed(_) | What::Gone(_) => {}
                },
                // The client was too slow for every change: send the current list.
                Err(RecvError::Lagged(_)) => {
                    let (beginning, changes) = self.view.watch(None);
                    self.changes = changes;
                    self.begin(beginning);
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn frames(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        stream::unfold(self, |mut subscriber| async move {
            let frame = subscriber.next().await?;
            Some((Ok(frame), subscriber))
        })
    }
}
