//! `/stores/{id}/smoke`: whether an order can be placed in a store.

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use urumi_core::store::smoke::SmokeReport;

use super::permitted;
use crate::auth::{Action, Caller};
use crate::extract::{Id, precondition};
use crate::problem::Problem;
use crate::state::ServerState;

/// Place an order in a store, to try it
///
/// A Job in the store buys something as a customer would. The answer comes when it has ended, after seconds as a rule
/// and after the store's `smoke.deadlineSeconds` at most, and tells of each step. A step that failed is no problem of
/// the request: the answer is 200, and the step, the last one, has an `error`. Who asked for it is noted, in the server's
/// log and as an Event.
#[utoipa::path(
    post, path = "/stores/{id}/smoke", tag = "stores", operation_id = "smokeStore",
    params(
        ("id" = String, Path, description = "The store's id"),
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|"[!#-~]+")$"#, example = r#""4711""#, description = "The ETag that the store must still have"),
    ),
    responses(
        (status = 200, description = "How the order went", body = SmokeReport),
        (status = 404, description = "The store does not exist, or the caller may not see it"),
        (status = 409, description = "The store is neither ready nor degraded, is deleted while it is tried, or stores of its engine cannot be tried"),
        (status = 412, description = "The store has changed since the given ETag"),
        (status = 502, description = "The order told nothing (`no-report`), or the cluster refused it"),
    ),
)]
pub(super) async fn smoke(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Json<SmokeReport>, Problem> {
    let expected = precondition(&headers)?;
    let outcome = match permitted(&state, &principal, Action::SmokeStore, &id).await {
        Ok(store) => state.orchestrator().smoke_if(&id, &expected.pinned_to(&store)).await.map_err(Problem::from),
        Err(refusal) => Err(refusal),
    };
    state.audit().note(&principal, Action::SmokeStore, Some(&id), &outcome);
    outcome.map(Json)
}
