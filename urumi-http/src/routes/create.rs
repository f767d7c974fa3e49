//! New stores: `POST /stores` and `POST /stores/preview`.

use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use http::header::{LOCATION, WARNING};
use http::{HeaderMap, HeaderName, HeaderValue};
use urumi_core::error::{Error, FieldError};
use urumi_core::store::preview::Preview;
use urumi_core::store::{OptionWarning, StoreName};
use urumi_core::{CreateStore, Creation, Store, StoreId};

use super::stores::{accepted, insert};
use super::synced;
use crate::answer::Json;
use crate::auth::policy::owner_of_new;
use crate::auth::{Action, Caller, Owner, Principal, decide};
use crate::extract::{Body, Fields, Nothing, Query, idempotency_key};
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// The most warnings in the headers of an answer, which proxies limit to a few KiB.
const MAX_WARNINGS: usize = 8;
/// Marks the answer to an earlier request with the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Create a store
///
/// Answers when the store is on record and the cluster has accepted its objects; follow its progress at the URL in
/// `Location`, or with `/watch`. With an `Idempotency-Key`, the request can be repeated for 24 hours, at any replica
/// and any number of times, and creates one store. The options are those of the engine: `GET /engines` has their schema.
#[utoipa::path(
    post, path = "/stores", tag = "stores", operation_id = "createStore",
    params(
        ("Idempotency-Key" = Option<String>, Header,
            // Either plain or as a string of structured headers.
            pattern = r#"^([!#-~]([ -~]{0,253}[!-~])?|"(\\["\\]|[!#-\[\]-~])((\\["\\]|[ !#-\[\]-~]){0,253}(\\["\\]|[!#-\[\]-~]))?")$"#,
            description = "1 to 255 visible ASCII characters, e.g. a UUID; use a different key for each store"),
    ),
    request_body = CreateStore,
    responses(
        (status = 202, description = "The store, which is being created", body = Store, headers(
            ("Location" = String, description = "The URL of the store"),
            ("ETag" = String, description = "The store's version, for `If-Match`"),
            ("Idempotency-Replayed" = String),
            ("Warning" = String),
        )),
        (status = 409, description = "The id is taken, or the key's store is being deleted"),
        (status = 413),
        (status = 415),
        (status = 422, description = "Fields are invalid, or the key was used for another request"),
        (status = 502),
    ),
)]
pub(super) async fn create(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    // The path as the client sees it, wherever this API is mounted.
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    _: Query<Nothing>,
    body: Result<Body, Problem>,
) -> Result<Response, Problem> {
    let request = requested(&state, &principal, Action::CreateStore, &headers, body).await?;
    let warnings = state.orchestrator().warnings(&request);
    synced(&state).await?;
    let named = request.id.as_deref().and_then(|id| StoreId::parse(id).ok());
    let created = create_or_find(&state, request).await;
    // A repetition changes nothing.
    if !created.as_ref().is_ok_and(Creation::is_repeated) {
        let store = created.as_ref().ok().map(|creation| &creation.store().id).or(named.as_ref());
        state.audit().note(&principal, Action::CreateStore, store, &created);
    }
    let created = created?;
    let store = created.store();
    let mut response = accepted(store);
    insert(response.headers_mut(), LOCATION, &format!("{}/{}", uri.path(), store.id));
    if created.is_repeated() {
        insert(response.headers_mut(), REPLAYED, "true");
    }
    warn(response.headers_mut(), &warnings);
    Ok(response)
}

/// Preview a store
///
/// Checks a request for a new store as `POST /stores` does, and shows the objects that it would create. Creates nothing.
#[utoipa::path(
    post, path = "/stores/preview", tag = "stores", operation_id = "previewStore",
    request_body = CreateStore,
    responses(
        (status = 200, description = "What the request would create", body = Preview, headers(("Warning" = String))),
        (status = 409, description = "The id is taken"),
        (status = 413),
        (status = 415),
        (status = 422),
        (status = 502),
    ),
)]
pub(super) async fn preview(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    _: Query<Nothing>,
    body: Result<Body, Problem>,
) -> Result<Response, Problem> {
    let request = requested(&state, &principal, Action::PreviewStore, &headers, body).await?;
    let preview = state.orchestrator().preview(request).await?;
    let mut response = Json(&preview).into_response();
    warn(response.headers_mut(), &preview.warnings);
    Ok(response)
}

/// The request for a new store, with its owner, if the caller may do `action`.
async fn requested(
    state: &ServerState,
    principal: &Principal,
    action: Action,
    headers: &HeaderMap,
    body: Result<Body, Problem>,
) -> Result<CreateStore, Problem> {
    // Before the body is checked: callers without permission learn nothing from its errors.
    let decision = decide(principal, action, None);
    decision.or_refuse(principal, action, || Problem::new(Code::Forbidden, "this role creates no stores"))?;
    let (mut request, mut wrong) = read(body?.0);
    request.idempotency_key = idempotency_key(headers)?;
    request.authority = principal.role.authority();
    let owner = request.owner.take().and_then(|owner| owner.parse::<Owner>().map_err(|error| wrong.push(error)).ok());
    if !wrong.is_empty() {
        return Err(with_others(state, request, wrong).await);
    }
    request.owner = Some(owner_of_new(principal, action, owner)?.to_string());
    Ok(request)
}

/// Reads a request from its JSON. Fields that are wrong are as if left out.
fn read(mut fields: Fields) -> (CreateStore, Vec<FieldError>) {
    let mut request = CreateStore::new(fields.required_text("name"), fields.required_text("engine"));
    request.id = fields.text("id");
    request.options = fields.object("options");
    request.owner = fields.text("owner");
    request.labels = fields.texts("labels");
    (request, fields.finish())
}

/// The problem of wrong fields, with all other errors of the request.
async fn with_others(state: &ServerState, mut request: CreateStore, mut wrong: Vec<FieldError>) -> Problem {
    // A preview of a request with an invalid name checks everything else and does not ask the cluster.
    let is_named = StoreName::parse(&request.name).is_ok();
    if is_named {
        request.name.clear();
    }
    if let Err(Error::Invalid(others)) = state.orchestrator().preview(request).await {
        let is_new = |other: &FieldError| wrong.iter().all(|known| known.field != other.field);
        let is_ours = |other: &FieldError| is_named && other.field == "name";
        let others: Vec<_> = others.into_iter().filter(|other| is_new(other) && !is_ours(other)).collect();
        wrong.extend(others);
    }
    Problem::fields(wrong)
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

/// Adds a header for each warning, in the format of Kubernetes.
pub(super) fn warn(headers: &mut HeaderMap, warnings: &[OptionWarning]) {
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
