//! The engines, and the caller.

use axum::Json;
use axum::extract::State;
use urumi_core::engine::EngineInfo;

use crate::auth::{Caller, Principal};
use crate::problem::Problem;
use crate::state::ServerState;

/// List the engines
///
/// With the options of each engine as JSON Schema (draft 2020-12), including defaults, from which forms can be generated. The
/// schema depends on the caller's role: options that the policy of the installation locks are `readOnly`, limits are part of the
/// schema, and `x-urumi-policy` has the rule, its text, and who may lift it.
#[utoipa::path(
    get, path = "/engines", tag = "engines", operation_id = "listEngines",
    responses((status = 200, description = "The engines", body = Vec<EngineInfo>)),
)]
pub(super) async fn engines(
    State(state): State<ServerState>,
    Caller(principal): Caller,
) -> Result<Json<Vec<EngineInfo>>, Problem> {
    let engines = state.orchestrator().engines().await?;
    let authority = principal.role.authority();
    Ok(Json(engines.iter().map(|engine| engine.for_authority(authority)).collect()))
}

/// Show who the caller is
#[utoipa::path(
    get, path = "/whoami", tag = "access", operation_id = "whoAmI",
    responses((status = 200, description = "The caller and their role", body = Principal)),
)]
pub(super) async fn whoami(Caller(principal): Caller) -> Json<Principal> {
    Json(principal)
}
