//! `/stores/{id}/smoke`: test orders.

use axum::extract::State;
use urumi_core::store::smoke::SmokeReport;

use super::acting;
use crate::answer::Json;
use crate::auth::{Action, Caller};
use crate::extract::{Id, IfMatch, Nothing, Query};
use crate::places::Kind;
use crate::problem::Problem;
use crate::state::ServerState;

/// Place a test order in a store
///
/// A Job in the store buys a product like a customer. The answer reports each step. It comes when the Job has ended,
/// usually after seconds, at the latest after the store's `smoke.deadlineSeconds`. A failed step is not an error of the
/// request: the answer is 200, and the last step has an `error`. A store takes one order at a time. The request is audited
/// in the server's log and as an Event.
#[utoipa::path(
    post, path = "/stores/{id}/smoke", tag = "stores", operation_id = "smokeStore",
    params(("id" = String, Path, description = "The store's id"), IfMatch),
    responses(
        (status = 200, description = "The report of the order", body = SmokeReport),
        (status = 404),
        (status = 409, description = "An order has not ended yet (`smoke-running`), the store is neither ready nor degraded, is deleted during the order, or its engine has no test order"),
        (status = 412),
        (status = 429, description = "The caller has too many smoke orders, or sent too many requests"),
        (status = 502, description = "The order has no report (`no-report`), or the cluster refused the request"),
    ),
)]
pub(super) async fn smoke(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    expected: IfMatch,
    _: Query<Nothing>,
) -> Result<Json<SmokeReport>, Problem> {
    let _place = state.open().smoke_orders.take(&principal, Kind::Smoke)?;
    let report = acting(&state, (&principal, Action::SmokeStore, &id), expected, async |expected| {
        Ok(state.orchestrator().smoke_if(&id, &expected).await?)
    });
    report.await.map(Json)
}
