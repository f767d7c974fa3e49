//! The events, manifests, options and differences of a store.

use axum::extract::State;
use serde_json::Value;
use urumi_core::store::StoreOptions;
use urumi_core::store::preview::Difference;
use urumi_core::store::timeline::TimelineEntry;

use super::reading;
use crate::answer::Json;
use crate::auth::{Action, Caller};
use crate::extract::{Id, Nothing, Query};
use crate::openapi::OnStore;
use crate::problem::Problem;
use crate::state::ServerState;

/// Show the history of a store
///
/// Changes of its status, Kubernetes' Events of its objects, and audited requests, oldest first. Kubernetes deletes
/// Events after an hour; changes of the status are kept with the store.
#[utoipa::path(
    get, path = "/stores/{id}/events", tag = "stores", operation_id = "getStoreEvents",
    params(("id" = String, Path, description = "The store's id")),
    responses(
        (status = 200, description = "The history, oldest first", body = Vec<TimelineEntry>),
        OnStore,
    ),
)]
pub(super) async fn events(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    _: Query<Nothing>,
) -> Result<Json<Vec<TimelineEntry>>, Problem> {
    let asked = (&principal, Action::ViewEvents, &id);
    reading(&state, asked, state.orchestrator().timeline(&id)).await.map(Json)
}

/// Show the manifests of a store
///
/// All Kubernetes manifests, rendered from the store's record, its namespace first. Generated secrets are `REDACTED`.
#[utoipa::path(
    get, path = "/stores/{id}/manifests", tag = "stores", operation_id = "getStoreManifests",
    params(("id" = String, Path, description = "The store's id")),
    responses(
        (status = 200, description = "The manifests", body = Vec<Object>),
        OnStore,
    ),
)]
pub(super) async fn manifests(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    _: Query<Nothing>,
) -> Result<Json<Vec<Value>>, Problem> {
    let asked = (&principal, Action::ViewManifests, &id);
    reading(&state, asked, state.orchestrator().manifests(&id)).await.map(Json)
}

/// Show the options of a store
///
/// As the request chose them, and as they are in force: completed with the defaults at the creation. Secret values are
/// `REDACTED`.
#[utoipa::path(
    get, path = "/stores/{id}/options", tag = "stores", operation_id = "getStoreOptions",
    params(("id" = String, Path, description = "The store's id")),
    responses(
        (status = 200, description = "The options", body = StoreOptions),
        OnStore,
    ),
)]
pub(super) async fn options(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    _: Query<Nothing>,
) -> Result<Json<StoreOptions>, Problem> {
    let asked = (&principal, Action::ViewOptions, &id);
    reading(&state, asked, state.orchestrator().options(&id)).await.map(Json)
}

/// Show what a repair of a store would change
///
/// Compares the objects in the cluster with the store's manifests. Generated secrets are neither read nor compared.
#[utoipa::path(
    get, path = "/stores/{id}/diff", tag = "stores", operation_id = "getStoreDiff",
    params(("id" = String, Path, description = "The store's id")),
    responses(
        (status = 200, description = "The differences; empty if there are none", body = Vec<Difference>),
        OnStore,
    ),
)]
pub(super) async fn diff(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    _: Query<Nothing>,
) -> Result<Json<Vec<Difference>>, Problem> {
    let asked = (&principal, Action::ViewDiff, &id);
    reading(&state, asked, state.orchestrator().differences(&id)).await.map(Json)
}
