//! `/stores`: list, show, delete, retry, restart.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LINK};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use urumi_core::Store;
use urumi_core::error::Error;
use urumi_core::orchestrator;
use urumi_core::store::selector::LabelSelector;
use urumi_core::store::status::StoreStatus;
use utoipa::IntoParams;

use super::{acting, may_view, remembered, synced};
use crate::answer::Json;
use crate::auth::{Action, Caller, Principal, Role};
use crate::extract::{FromQuery, Id, IfMatch, Nothing, Params, Query, is_known};
use crate::openapi::OnStore;
use crate::problem::{Code, Problem};
use crate::state::ServerState;
use crate::view::{Cursor, Filter, Page, PageRequest, Sort, View, array, array_length};

/// The maximum and default size of a page.
const MAX_PAGE: u32 = 1000;
/// How long a client waits before it asks again for a version that the server has not seen.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Filters, order and page of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ListQuery {
    /// The maximum number of stores in the answer: 1 to 1000, 1000 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The position of the next page, from the `Link` header with `rel="next"`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
    /// Only stores with this status. If the parameter is there several times, or has several values separated by commas,
    /// only stores with one of these statuses.
    #[param(required = false, style = Form, explode)]
    status: Vec<StoreStatus>,
    /// Only stores of this engine.
    engine: Option<String>,
    /// Only stores with this text in their name or id, ignoring case.
    name: Option<String>,
    /// Only stores whose labels meet these requirements, in the syntax of Kubernetes.
    #[param(value_type = Option<String>, example = "team=web,env!=prod,tier,!old")]
    label_selector: Option<LabelSelector>,
    /// The order; with a leading `-`, reversed.
    #[param(inline, required = false)]
    sort: Sort,
    /// Only an answer that is at least as new as this version of any store; `504` with the code `version-not-reached` if
    /// the server has not seen it within two seconds.
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,19}$")]
    resource_version: Option<u64>,
}

impl FromQuery for ListQuery {
    fn read(params: &mut Params) -> Self {
        let sort = params.value("sort", Sort::parse).unwrap_or_default();
        ListQuery {
            limit: params.number("limit", 1..=MAX_PAGE),
            cursor: params.value("cursor", |text| Cursor::read(text, sort)),
            status: statuses(params),
            engine: params.text("engine"),
            name: params.text("name"),
            label_selector: params.value("labelSelector", str::parse),
            sort,
            resource_version: resource_version(params),
        }
    }
}

fn statuses(params: &mut Params) -> Vec<StoreStatus> {
    let mut statuses = Vec::new();
    for word in params.each("status").iter().flat_map(|list| list.split(',')) {
        match StoreStatus::parse(word) {
            Some(status) => statuses.push(status),
            None => {
                let known = StoreStatus::ALL.map(StoreStatus::as_str).join(", ");
                params.note("status", format!("{word:?} is not a status; there are {known}"));
            }
        }
    }
    statuses
}

/// Reads the version that an answer must have reached.
pub(super) fn resource_version(params: &mut Params) -> Option<u64> {
    params.value("resourceVersion", |text| {
        text.parse().map_err(|_| format!("must be a number, as a store's resourceVersion is, not {text:?}"))
    })
}

impl From<ListQuery> for PageRequest {
    fn from(query: ListQuery) -> Self {
        let filter = Filter {
            status: query.status,
            engine: query.engine,
            name: query.name.map(|name| name.to_lowercase()),
            labels: query.label_selector.unwrap_or_default(),
        };
        let limit = query.limit.unwrap_or(MAX_PAGE) as usize;
        PageRequest { filter, sort: query.sort, limit, cursor: query.cursor }
    }
}

/// Waits for the first list of all stores, and for the version that the client has seen elsewhere.
pub(super) async fn as_new_as(state: &ServerState, version: Option<u64>) -> Result<(), Problem> {
    synced(state).await?;
    let Some(version) = version else { return Ok(()) };
    if state.view().at_least(version).await {
        return Ok(());
    }
    let detail = format!("the server has not seen the resource version {version}; try again");
    Err(Problem::new(Code::VersionNotReached, detail).retry_after(RETRY_AFTER_SECONDS))
}

/// List stores
///
/// The stores that the caller may see, as a JSON array, from memory. If there are more than `limit`, the `Link` header
/// has the URL of the next page. Repeat the request with `If-None-Match` to check cheaply for changes.
#[utoipa::path(
    get, path = "/stores", tag = "stores", operation_id = "listStores",
    params(
        ListQuery,
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the list that the client has"),
    ),
    responses(
        (status = 200, description = "The stores", body = Vec<Store>, headers(
            ("ETag" = String, description = "Changes with every change of any store"),
            ("Link" = String),
        )),
        (status = 304, description = "Nothing has changed since the given ETag"),
        (status = 504, description = "The request timed out, or the server has not seen `resourceVersion`"),
    ),
)]
pub(super) async fn list(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    as_new_as(&state, query.resource_version).await?;
    let request = PageRequest::from(query);
    let view = state.view();
    let everything = principal.role == Role::Admin
        && request.filter == Filter::default()
        && request.sort == Sort::CreatedAt
        && request.cursor.is_none();
    let all = view.all();
    let tag = list_tag(view, all.sequence, &principal);
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let (body, length, next) = if everything && all.entries.len() <= request.limit {
        let json = all.json();
        let length = json.len();
        (axum::body::Body::from(json), length, None)
    } else {
        let Page { entries, next } = Page::of(&all.entries, &request, |entry| may_view(&principal, entry));
        let length = array_length(&entries) + 1;
        let pieces = array(entries).chain(std::iter::once(Bytes::from_static(b"\n")));
        (axum::body::Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>))), length, next)
    };
    let mut response = ([(CONTENT_TYPE, "application/json")], body).into_response();
    insert(response.headers_mut(), CONTENT_LENGTH, &length.to_string());
    insert(response.headers_mut(), ETAG, &tag);
    if let Some(next) = next {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        query.extend_pairs(given.filter(|(key, _)| key != "cursor" && key != "resourceVersion"));
        query.append_pair("cursor", &next);
        insert(response.headers_mut(), LINK, &format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish()));
    }
    Ok(response)
}

/// The ETag of a list: it changes with every change of any store, and with the caller's permissions.
fn list_tag(view: &View, sequence: u64, principal: &Principal) -> String {
    let mut hasher = DefaultHasher::new();
    if principal.role != Role::Admin {
        (&principal.subject, &principal.teams).hash(&mut hasher);
    }
    format!("W/\"{}-{:x}\"", view.tag(sequence), hasher.finish())
}

/// Adds a header. All values are visible ASCII; an invalid one would be left out.
pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The answer to a change: the store, with its version.
pub(super) fn accepted(store: &Store) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(store)).into_response();
    insert(response.headers_mut(), ETAG, &format!("\"{}\"", store.resource_version));
    response
}

/// Options for showing a store.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct GetQuery {
    /// Only an answer that is at least as new as this version of any store; `504` with the code `version-not-reached` if
    /// the server has not seen it within two seconds.
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,19}$")]
    resource_version: Option<u64>,
}

impl FromQuery for GetQuery {
    fn read(params: &mut Params) -> Self {
        GetQuery { resource_version: resource_version(params) }
    }
}

/// Show a store
///
/// From memory: the answer is as new as the server's watch of the cluster. Ask with `resourceVersion` for an answer that
/// is at least as new as another.
#[utoipa::path(
    get, path = "/stores/{id}", tag = "stores", operation_id = "getStore",
    params(
        ("id" = String, Path, description = "The store's id"),
        GetQuery,
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the store that the client has"),
    ),
    responses(
        (status = 200, description = "The store", body = Store, headers(
            ("ETag" = String, description = "The store's version, for `If-Match` and `If-None-Match`"),
        )),
        (status = 304, description = "The store has not changed since the given ETag"),
        (status = 404),
        (status = 504, description = "The request timed out, or the server has not seen `resourceVersion`"),
    ),
)]
pub(super) async fn get(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    headers: HeaderMap,
    Query(query): Query<GetQuery>,
) -> Result<Response, Problem> {
    as_new_as(&state, query.resource_version).await?;
    let entry = remembered(&state, &principal, &id).await?;
    let tag = format!("\"{}\"", entry.store.resource_version);
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    Ok(([(CONTENT_TYPE, "application/json".to_owned()), (ETAG, tag)], entry.line.clone()).into_response())
}

/// Delete a store
///
/// Deletes the store with everything in it, including its data. Answers when the deletion has begun; the store is
/// `deleting` until it is gone. With `If-Match`, deletes it only if it has not changed since then.
#[utoipa::path(
    delete, path = "/stores/{id}", tag = "stores", operation_id = "deleteStore",
    params(("id" = String, Path, description = "The store's id"), IfMatch),
    responses(
        (status = 202, description = "The store, which is being deleted", body = Store, headers(
            ("ETag" = String, description = "The store's version, for `If-Match`"),
        )),
        OnStore,
        (status = 409, description = "The store was changed at the same time"),
        (status = 412),
    ),
)]
pub(super) async fn delete(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    expected: IfMatch,
    _: Query<Nothing>,
) -> Result<Response, Problem> {
    let deleted = acting(&state, (&principal, Action::DeleteStore, &id), expected, async |expected| {
        let store = state.orchestrator().delete_if(&id, &expected).await?;
        state.view().seen_deleting(&id).await;
        Ok(store)
    });
    Ok(accepted(&deleted.await?))
}

/// Retry a failed store
///
/// Sets a new deadline and creates missing objects; a store that is provisioning is resumed.
#[utoipa::path(
    post, path = "/stores/{id}/retry", tag = "stores", operation_id = "retryStore",
    params(("id" = String, Path, description = "The store's id"), IfMatch),
    responses(
        (status = 202, description = "The store, which is being created", body = Store, headers(
            ("ETag" = String, description = "The store's version, for `If-Match`"),
        )),
        OnStore,
        (status = 409, description = "The store is neither failed nor provisioning"),
        (status = 412),
    ),
)]
pub(super) async fn retry(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    expected: IfMatch,
    _: Query<Nothing>,
) -> Result<Response, Problem> {
    let retried = acting(&state, (&principal, Action::RetryStore, &id), expected, async |expected| {
        let retried = state.orchestrator().act_if(&id, orchestrator::Action::Retry, &expected).await;
        let store = retried.or_else(Error::into_begun)?;
        state.view().seen(&id, &store.resource_version).await;
        Ok(store)
    });
    Ok(accepted(&retried.await?))
}

/// What to restart.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct RestartQuery {
    /// Only this component, e.g. `api`; all components that keep no data if left out.
    component: Option<String>,
}

impl FromQuery for RestartQuery {
    fn read(params: &mut Params) -> Self {
        RestartQuery { component: params.text("component") }
    }
}

/// Restart a store
///
/// Replaces the pods of one component, or of all components that keep no data: databases and caches are restarted only by name.
/// Answers when the restart is on record. New pods start before the old ones stop, so the shop stays open, unless the component
/// keeps data.
#[utoipa::path(
    post, path = "/stores/{id}/restart", tag = "stores", operation_id = "restartStore",
    params(("id" = String, Path, description = "The store's id"), RestartQuery, IfMatch),
    responses(
        (status = 202, description = "The store, which is being restarted", body = Store, headers(
            ("ETag" = String, description = "The store's version, for `If-Match`"),
        )),
        OnStore,
        (status = 409, description = "The store is neither ready nor degraded, or was changed at the same time"),
        (status = 412),
        (status = 422, description = "The store has no such component that can be restarted"),
    ),
)]
pub(super) async fn restart(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    expected: IfMatch,
    Query(query): Query<RestartQuery>,
) -> Result<Response, Problem> {
    let restarted = acting(&state, (&principal, Action::RestartStore, &id), expected, async |expected| {
        let restart = orchestrator::Action::Restart { component: query.component.clone() };
        let store = state.orchestrator().act_if(&id, restart, &expected).await?;
        state.view().seen(&id, &store.resource_version).await;
        Ok(store)
    });
    Ok(accepted(&restarted.await?))
}
