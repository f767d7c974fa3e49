//! `/stores`: create, list, show, delete, retry.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use futures::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LINK, LOCATION, WARNING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use urumi_core::error::{Error, FieldError};
use urumi_core::orchestrator;
use urumi_core::store::OptionWarning;
use urumi_core::store::preview::Preview;
use urumi_core::store::status::StoreStatus;
use urumi_core::{CreateStore, Creation, Store, StoreId};
use utoipa::IntoParams;

use super::{acting, may_view, remembered, synced};
use crate::auth::policy::owner_of_new;
use crate::auth::{Action, Caller, Owner, Principal, Role, decide};
use crate::extract::{Body, Id, IfMatch, Query, idempotency_key, is_known};
use crate::openapi::OnStore;
use crate::problem::{Code, Problem};
use crate::state::ServerState;
use crate::view::{Filter, Page, PageRequest, Sort, View, array, array_length};

/// The maximum and default size of a page.
const MAX_PAGE: usize = 1000;
/// The most warnings in the headers of an answer, which proxies limit to a few KiB.
const MAX_WARNINGS: usize = 8;
/// Marks the answer to an earlier request with the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Filters, order and page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// The maximum number of stores in the answer: 1 to 1000, 1000 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// The position of the next page, from the `Link` header with `rel="next"`.
    cursor: Option<String>,
    /// Only stores with one of these statuses, separated by commas.
    #[param(
        example = "failed,degraded",
        pattern = "^(provisioning|ready|degraded|failed|deleting)(,(provisioning|ready|degraded|failed|deleting))*$"
    )]
    status: Option<String>,
    /// Only stores of this engine.
    engine: Option<String>,
    /// Only stores with this text in their name or id, ignoring case.
    name: Option<String>,
    /// The order; with a leading `-`, reversed.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// Waits a moment for an answer that is at least as new as this version of any store.
    #[param(pattern = "^[0-9]{1,19}$")]
    resource_version: Option<String>,
}

impl ListQuery {
    fn request(&self) -> Result<PageRequest, Problem> {
        let limit = self.limit.unwrap_or(MAX_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Problem::malformed(FieldError::new("limit", format!("must be from 1 to {MAX_PAGE}"))));
        }
        let statuses = self.status.iter().flat_map(|list| list.split(','));
        let status = statuses.map(|word| {
            StoreStatus::parse(word).ok_or_else(|| {
                let known = StoreStatus::ALL.map(StoreStatus::as_str).join(", ");
                Problem::malformed(FieldError::new("status", format!("{word:?} is no status; they are {known}")))
            })
        });
        let filter = Filter {
            status: status.collect::<Result<_, _>>()?,
            engine: self.engine.clone(),
            name: self.name.as_ref().map(|name| name.to_lowercase()),
        };
        let mut request = PageRequest { filter, sort: self.sort, limit, cursor: None };
        if let Some(cursor) = &self.cursor
            && !request.behind(cursor)
        {
            let message = "does not belong to this query; begin again without a cursor";
            return Err(Problem::malformed(FieldError::new("cursor", message)));
        }
        Ok(request)
    }
}

/// Waits for the first list of all stores, and for the version that the client has seen elsewhere.
async fn as_new_as(state: &ServerState, version: Option<&str>) -> Result<(), Problem> {
    synced(state).await?;
    let Some(version) = version else { return Ok(()) };
    let wrong = || FieldError::new("resourceVersion", "must be a number, as a store's resourceVersion is");
    state.view().at_least(version.parse().map_err(|_| Problem::malformed(wrong()))?).await;
    Ok(())
}

/// List stores
///
/// The stores that the caller may see, as a JSON array, from memory. If there are more than `limit`, the `Link` header
/// has the URL of the next page. Repeat the request with `If-None-Match` to check cheaply for changes.
#[utoipa::path(
    get, path = "/stores", tag = "stores", operation_id = "listStores", params(ListQuery),
    responses(
        (status = 200, description = "The stores", body = Vec<Store>, headers(
            ("ETag" = String, description = "Changes with every change of any store"),
            ("Link" = Option<String>, description = "The next page, with `rel=\"next\"`"),
        )),
        (status = 304, description = "Nothing has changed since the given ETag"),
    ),
)]
pub(super) async fn list(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let request = query.request()?;
    as_new_as(&state, query.resource_version.as_deref()).await?;
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
        let length = array_length(&entries);
        (axum::body::Body::from_stream(stream::iter(array(entries).map(Ok::<_, Infallible>))), length, next)
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
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Options of a creation.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct CreateQuery {
    /// Whether to only check the request and return a preview.
    #[serde(default)]
    dry_run: bool,
}

/// Create a store
///
/// Answers when the store is on record and the cluster has accepted its objects; follow its progress at the URL in
/// `Location`, or with `/watch`. With an `Idempotency-Key`, the request can be repeated for 24 hours, at any replica
/// and any number of times, and creates one store. With `dryRun=true` nothing is created, and the answer is a preview.
#[utoipa::path(
    post, path = "/stores", tag = "stores", operation_id = "createStore",
    params(
        CreateQuery,
        ("Idempotency-Key" = Option<String>, Header,
            // Either plain or as a string of structured headers.
            pattern = r#"^([!#-~]([ -~]{0,253}[!-~])?|"(\\["\\]|[!#-\[\]-~])((\\["\\]|[ !#-\[\]-~]){0,253}(\\["\\]|[!#-\[\]-~]))?")$"#,
            description = "1 to 255 visible ASCII characters, e.g. a UUID; use a different key for each store"),
    ),
    request_body = CreateStore,
    responses(
        (status = 200, description = "With `dryRun=true`: the preview", body = Preview, headers(
            ("Warning" = Option<String>, description = "As in the answer 202"),
        )),
        (status = 202, description = "The store, which is being created", body = Store, headers(
            ("Location" = String, description = "The URL of the store"),
            ("ETag" = String, description = "The store's version, for `If-Match`"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` if an earlier request with this key created it"),
            ("Warning" = Option<String>,
                description = "`299 - \"TEXT\"`, what to know about an option of the request, e.g. a secret in `api.env`; one \
                    header for each warning"),
        )),
        (status = 409, description = "The id is taken, or the key's store is being deleted"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "The body is not JSON"),
        (status = 422, description = "A field is invalid, or the key was used for another request"),
        (status = 502, description = "The cluster refused the request"),
    ),
)]
pub(super) async fn create(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    // The path as the client sees it, wherever this API is mounted.
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Query(query): Query<CreateQuery>,
    body: Result<Body<CreateStore>, Problem>,
) -> Result<Response, Problem> {
    let action = if query.dry_run { Action::PreviewStore } else { Action::CreateStore };
    // Before the body is checked: callers without permission learn nothing from its errors.
    let decision = decide(&principal, action, None);
    decision.or_refuse(&principal, action, || Problem::new(Code::Forbidden, "this role creates no stores"))?;
    let mut request = body?.0;
    request.idempotency_key = idempotency_key(&headers)?;
    request.authority = principal.role.authority();
    let owner = match request.owner.take().map(|owner| owner.parse::<Owner>()).transpose() {
        Ok(owner) => owner,
        Err(wrong) => return Err(with_others(&state, request, wrong).await),
    };
    let owner = owner_of_new(&principal, action, owner)?;
    request.owner = Some(owner.to_string());
    if query.dry_run {
        let preview = state.orchestrator().preview(request).await?;
        let mut response = Json(&preview).into_response();
        warn(response.headers_mut(), &preview.warnings);
        return Ok(response);
    }
    let warnings = state.orchestrator().warnings(&request);
    synced(&state).await?;
    let named = request.id.as_deref().and_then(|id| StoreId::parse(id).ok());
    let created = create_or_find(&state, request).await;
    // A repetition changes nothing.
    if !created.as_ref().is_ok_and(Creation::is_repeated) {
        let store = created.as_ref().ok().map(|creation| &creation.store().id).or(named.as_ref());
        state.audit().note(&principal, action, store, &created);
    }
    let created = created?;
    let store = created.store();
    let mut response = accepted(store);
    insert(response.headers_mut(), LOCATION, &format!("{}/{}", uri.path().trim_end_matches('/'), store.id));
    if created.is_repeated() {
        insert(response.headers_mut(), REPLAYED, "true");
    }
    warn(response.headers_mut(), &warnings);
    Ok(response)
}

/// Adds a header for each warning, in the format of Kubernetes.
fn warn(headers: &mut HeaderMap, warnings: &[OptionWarning]) {
    let more = warnings.len().checked_sub(MAX_WARNINGS).filter(|more| *more > 0);
    let texts = warnings.iter().take(MAX_WARNINGS).map(ToString::to_string);
    for text in texts.chain(more.map(|more| format!("more warnings: {more}"))) {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        // A text that is cut has a character that is not ASCII.
        if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{text}\"").as_bytes()) {
            headers.append(WARNING, value);
        }
    }
}

/// The problem of an invalid owner, with all other errors of the request.
async fn with_others(state: &ServerState, request: CreateStore, wrong: FieldError) -> Problem {
    let mut errors = match state.orchestrator().preview(request).await {
        Err(Error::Invalid(errors)) => errors,
        _ => Vec::new(),
    };
    errors.push(wrong);
    Problem::fields(errors)
}

/// Creates a store, or finds the one that an earlier request with the same key has created.
async fn create_or_find(state: &ServerState, request: CreateStore) -> Result<Creation, Problem> {
    let created = match state.orchestrator().create(request).await {
        // The monitor completes the store.
        Err(error) => Creation::New(error.into_begun()?),
        Ok(created) => created,
    };
    state.view().seen(&created.store().id, &created.store().resource_version).await;
    Ok(created)
}

fn accepted(store: &Store) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(store)).into_response();
    insert(response.headers_mut(), ETAG, &format!("\"{}\"", store.resource_version));
    response
}

/// Options for showing a store.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct GetQuery {
    /// Waits a moment for an answer that is at least as new as this version of any store.
    #[param(pattern = "^[0-9]{1,19}$")]
    resource_version: Option<String>,
}

/// Show a store
#[utoipa::path(
    get, path = "/stores/{id}", tag = "stores", operation_id = "getStore",
    params(("id" = String, Path, description = "The store's id"), GetQuery),
    responses(
        (status = 200, description = "The store", body = Store, headers(
            ("ETag" = String, description = "The store's version, for `If-Match` and `If-None-Match`"),
        )),
        (status = 304, description = "The store has not changed since the given ETag"),
        (status = 404, description = "The store does not exist, or the caller may not see it"),
    ),
)]
pub(super) async fn get(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    headers: HeaderMap,
    Query(query): Query<GetQuery>,
) -> Result<Response, Problem> {
    as_new_as(&state, query.resource_version.as_deref()).await?;
    let entry = remembered(&state, &principal, &id).await?;
    let tag = format!("\"{}\"", entry.store.resource_version);
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    Ok(([(CONTENT_TYPE, "application/json".to_owned()), (ETAG, tag)], entry.json.clone()).into_response())
}

/// Delete a store
///
/// Deletes the store with everything in it, including its data. Answers when the deletion has begun; the store is
/// `deleting` until it is gone. With `If-Match`, deletes it only if it has not changed since then.
#[utoipa::path(
    delete, path = "/stores/{id}", tag = "stores", operation_id = "deleteStore",
    params(("id" = String, Path, description = "The store's id"), IfMatch),
    responses(
        (status = 202, description = "The store, which is being deleted", body = Store),
        OnStore,
        (status = 409, description = "The store was changed at the same time"),
        (status = 412, description = "The store has changed since the given ETag"),
    ),
)]
pub(super) async fn delete(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    expected: IfMatch,
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
        (status = 202, description = "The store, which is being created", body = Store),
        OnStore,
        (status = 409, description = "The store is neither failed nor provisioning"),
        (status = 412, description = "The store has changed since the given ETag"),
    ),
)]
pub(super) async fn retry(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    expected: IfMatch,
) -> Result<Response, Problem> {
    let retried = acting(&state, (&principal, Action::RetryStore, &id), expected, async |expected| {
        let retried = state.orchestrator().act_if(&id, orchestrator::Action::Retry, &expected).await;
        let store = retried.or_else(Error::into_begun)?;
        state.view().seen(&id, &store.resource_version).await;
        Ok(store)
    });
    Ok(accepted(&retried.await?))
}
