//! Changes of stores: `PATCH /stores/{id}`, `GET /stores/{id}/revisions` and `POST /stores/{id}/rollback`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use urumi_core::Store;
use urumi_core::orchestrator;
use urumi_core::store::revision::Revision;
use urumi_core::store::update::{UpdatePreview, UpdateStore};
use utoipa::IntoParams;

use super::create::warn;
use super::stores::accepted;
use super::{acting, permitted, reading};
use crate::answer::Json;
use crate::auth::{Action, Caller, Principal};
use crate::extract::{FromQuery, Id, IfMatch, MergePatch, Nothing, Params, Query};
use crate::openapi::OnStore;
use crate::problem::Problem;
use crate::state::ServerState;

/// Whether to change anything.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct UpdateQuery {
    /// With `true`, nothing is changed, and the answer is what would be.
    #[param(value_type = Option<bool>)]
    dry_run: bool,
}

impl FromQuery for UpdateQuery {
    fn read(params: &mut Params) -> Self {
        UpdateQuery { dry_run: params.flag("dryRun") }
    }
}

/// Change a store
///
/// Changes the display name or the options of a store. The options are a merge patch (RFC 7396) of those that were requested:
/// `null` takes an option back. Answers when the change is on record as the store's next revision; the condition `UpToDate` says
/// whether it is rolled out, once `observedRevision` is its number. If it cannot be rolled out, the store returns to its last good
/// revision. With `dryRun=true`, answers what would change, and changes nothing.
#[utoipa::path(
    patch, path = "/stores/{id}", tag = "stores", operation_id = "updateStore",
    params(("id" = String, Path, description = "The store's id"), UpdateQuery, IfMatch),
    request_body(content = UpdateStore, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "What the change would do (`dryRun`)", body = UpdatePreview, headers(("Warning" = String))),
        (status = 202, description = "The store, which is being changed", body = Store, headers(
            ("ETag" = String, description = "The store's version, for `If-Match`"),
        )),
        OnStore,
        (status = 409, description = "The store is being deleted, or was changed at the same time"),
        (status = 412),
        (status = 413),
        (status = 415),
        (status = 422, description = "Fields are invalid, or options cannot be changed"),
    ),
)]
pub(super) async fn update(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    expected: IfMatch,
    Query(query): Query<UpdateQuery>,
    body: Result<MergePatch, Problem>,
) -> Result<Response, Problem> {
    if query.dry_run {
        let store = permitted(&state, &principal, Action::UpdateStore, &id).await?;
        let update = requested(&principal, body)?;
        let expected = expected.precondition(&store);
        let preview = state.orchestrator().preview_update(&id, update, &expected).await?;
        let mut response = Json(&preview).into_response();
        warn(response.headers_mut(), &preview.warnings);
        return Ok(response);
    }
    let updated = acting(&state, (&principal, Action::UpdateStore, &id), expected, async |expected| {
        let store = state.orchestrator().update_if(&id, requested(&principal, body)?, &expected).await?;
        state.view().seen(&id, &store.resource_version).await;
        Ok(store)
    });
    Ok(accepted(&updated.await?))
}

/// The update that the body describes, on the authority of the caller.
fn requested(principal: &Principal, body: Result<MergePatch, Problem>) -> Result<UpdateStore, Problem> {
    let mut fields = body?.0;
    let mut update = UpdateStore::new();
    update.name = fields.text("name");
    update.options = fields.object("options");
    update.refresh = fields.flag("refresh");
    update.reason = fields.text("reason");
    update.by = Some(principal.subject.clone());
    update.authority = principal.role.authority();
    let wrong = fields.finish();
    if wrong.is_empty() { Ok(update) } else { Err(Problem::fields(wrong)) }
}

/// Which revision to return to.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct RollBackQuery {
    /// The number of the revision; the one before the present one if left out.
    #[param(minimum = 1, maximum = 4294967295_u32)]
    to: Option<u32>,
    /// With `true`, nothing is changed, and the answer is what would be.
    #[param(value_type = Option<bool>)]
    dry_run: bool,
}

impl FromQuery for RollBackQuery {
    fn read(params: &mut Params) -> Self {
        RollBackQuery { to: params.number("to", 1..=u32::MAX), dry_run: params.flag("dryRun") }
    }
}

/// Return to an earlier revision of a store
///
/// The name and the options of the earlier revision become the next revision. Data is not changed: orders and products stay as they
/// are. With `dryRun=true`, answers what would change, and changes nothing.
#[utoipa::path(
    post, path = "/stores/{id}/rollback", tag = "stores", operation_id = "rollBackStore",
    params(("id" = String, Path, description = "The store's id"), RollBackQuery, IfMatch),
    responses(
        (status = 200, description = "What the return would do (`dryRun`)", body = UpdatePreview),
        (status = 202, description = "The store, which is being changed", body = Store, headers(
            ("ETag" = String, description = "The store's version, for `If-Match`"),
        )),
        OnStore,
        (status = 409, description = "The store is being deleted, or was changed at the same time"),
        (status = 412),
        (status = 422, description = "The store has no such earlier revision"),
    ),
)]
pub(super) async fn roll_back(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    expected: IfMatch,
    Query(query): Query<RollBackQuery>,
) -> Result<Response, Problem> {
    let to = query.to.map(u64::from);
    if query.dry_run {
        let store = permitted(&state, &principal, Action::RollBackStore, &id).await?;
        let preview = state.orchestrator().preview_rollback(&id, to, &expected.precondition(&store)).await?;
        return Ok(Json(&preview).into_response());
    }
    let returned = acting(&state, (&principal, Action::RollBackStore, &id), expected, async |expected| {
        let back = orchestrator::Action::Rollback { to, by: Some(principal.subject.clone()) };
        let store = state.orchestrator().act_if(&id, back, &expected).await?;
        state.view().seen(&id, &store.resource_version).await;
        Ok(store)
    });
    Ok(accepted(&returned.await?))
}

/// Show the revisions of a store
///
/// The last ten, oldest first: who requested each, when and why, and what it changed. Secret values are `REDACTED`.
#[utoipa::path(
    get, path = "/stores/{id}/revisions", tag = "stores", operation_id = "listStoreRevisions",
    params(("id" = String, Path, description = "The store's id")),
    responses(
        (status = 200, description = "The revisions, oldest first", body = Vec<Revision>),
        OnStore,
    ),
)]
pub(super) async fn history(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    _: Query<Nothing>,
) -> Result<Json<Vec<Revision>>, Problem> {
    let asked = (&principal, Action::ViewHistory, &id);
    reading(&state, asked, state.orchestrator().history(&id)).await.map(Json)
}
