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
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use urumi_core::StoreId;
use urumi_core::store::selector::LabelSelector;
use utoipa::openapi::schema::{AnyOfBuilder, Array, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::may_view;
use super::stores::{as_new_as, resource_version};
use crate::auth::{Caller, Principal};
use crate::extract::{FromQuery, Params, Query, UNBUFFERED};
use crate::places::{Kind, Place};
use crate::problem::Problem;
use crate::state::ServerState;
use crate::view::{Beginning, Change, Entry, View, listed_frame};

/// Which stores to watch.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct WatchQuery {
    /// Only this store.
    #[param(value_type = Option<String>, min_length = 1, max_length = 50, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    id: Option<StoreId>,
    /// Only stores whose labels meet these requirements, in the syntax of Kubernetes. A store that meets them no longer is
    /// reported as `gone`.
    #[param(value_type = Option<String>, example = "team=web,env!=prod,tier,!old")]
    label_selector: Option<LabelSelector>,
    /// Begins only with stores that are at least as new as this version of any store; `504` with the code
    /// `version-not-reached` if the server has not seen it within two seconds.
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,19}$")]
    resource_version: Option<u64>,
}

impl FromQuery for WatchQuery {
    fn read(params: &mut Params) -> Self {
        WatchQuery {
            id: params.value("id", |text| StoreId::parse(text).map_err(|wrong| wrong.message)),
            label_selector: params.value("labelSelector", str::parse),
            resource_version: resource_version(params),
        }
    }
}

/// The data of an event.
#[derive(Debug)]
pub(crate) enum WatchEvent {}

impl PartialSchema for WatchEvent {
    fn schema() -> RefOr<Schema> {
        let store = || Ref::from_schema_name("Store");
        let description = "The `data` of an event of `/watch`: an array of stores if the event is `listed`, a store if it \
            is `changed`, the id of a store if it is `gone`. Ignore events with other names: new ones may be added.";
        let any = AnyOfBuilder::new().item(Array::new(store())).item(store()).item(Ref::from_schema_name("GoneStore"));
        any.description(Some(description)).into()
    }
}

impl ToSchema for WatchEvent {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((GoneStore::name().into(), GoneStore::schema()));
        GoneStore::schemas(schemas);
    }
}

/// A store that is gone.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used: the view writes its JSON")]
pub(crate) struct GoneStore {
    /// The store's id.
    id: StoreId,
}

/// Watch stores
///
/// Server-sent events. First `listed` with the JSON array of all stores that the caller may see; then, for every change
/// in order, `changed` with a store, or `gone` with its id (`{"id": …}`). The schema is that of the `data` of one event. A
/// client that reconnects sends the last event's id as `Last-Event-ID` and gets the missed events, or `listed` again if
/// these are no longer known. Comment lines keep the connection alive.
#[utoipa::path(
    get, path = "/watch", tag = "stores", operation_id = "watchStores",
    params(
        WatchQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received"),
    ),
    responses(
        (status = 200, description = "Events, until the client or the server ends the stream", body = WatchEvent,
            content_type = "text/event-stream"),
        (status = 429, description = "The caller has too many streams, or sent too many requests"),
        (status = 504, description = "The request timed out, or the server has not seen `resourceVersion`"),
    ),
)]
pub(super) async fn watch(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    Query(query): Query<WatchQuery>,
) -> Result<Response, Problem> {
    as_new_as(&state, query.resource_version).await?;
    let place = state.open().streams.take(&principal, Kind::Watch)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let subscriber = Subscriber::new(&state, principal, place, query, last);
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store"), (UNBUFFERED, "no")];
    Ok((headers, Body::from_stream(subscriber.frames())).into_response())
}

/// A client of the watch.
struct Subscriber {
    view: Arc<View>,
    principal: Principal,
    _place: Place,
    /// A store that does not exist, or that the client may not see, gives an empty list; it may be created later.
    query: WatchQuery,
    /// What to send before waiting for changes.
    first: Box<dyn Iterator<Item = Bytes> + Send>,
    changes: Receiver<Arc<Change>>,
    draining: CancellationToken,
}

impl Subscriber {
    fn new(state: &ServerState, principal: Principal, place: Place, query: WatchQuery, last: Option<&str>) -> Self {
        let (beginning, changes) = state.view().watch(last);
        let mut subscriber = Subscriber {
            view: state.view().clone(),
            principal,
            _place: place,
            query,
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
                let seen: Vec<Bytes> = changes.iter().filter_map(|change| change.frame_for(|e| self.sees(e))).collect();
                Box::new(std::iter::once(Bytes::from_static(b":\n\n")).chain(seen))
            }
        };
    }

    fn sees(&self, entry: &Entry) -> bool {
        let WatchQuery { id, label_selector, .. } = &self.query;
        id.as_ref().is_none_or(|id| entry.store.id == *id)
            && label_selector.as_ref().is_none_or(|selector| selector.matches(&entry.store.labels))
            && may_view(&self.principal, entry)
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
                Ok(change) => {
                    if let Some(frame) = change.frame_for(|entry| self.sees(entry)) {
                        return Some(frame);
                    }
                }
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
