//! The engines, the caller, and how callers authenticate.

use axum::extract::State;
use urumi_core::engine::EngineInfo;

use crate::answer::Json;
use crate::auth::{Caller, Principal, SignInMethods};
use crate::extract::{Name, Nothing, Query};
use crate::layers::shown;
use crate::problem::{Code, Problem};
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
    _: Query<Nothing>,
) -> Result<Json<Vec<EngineInfo>>, Problem> {
    let engines = state.orchestrator().engines().await?;
    let authority = principal.role.authority();
    Ok(Json(engines.iter().map(|engine| engine.for_authority(authority)).collect()))
}

/// Show an engine
///
/// As in the list of engines: with its options as JSON Schema, for the caller's role.
#[utoipa::path(
    get, path = "/engines/{name}", tag = "engines", operation_id = "getEngine",
    params(("name" = String, Path, description = "The engine's name")),
    responses((status = 200, description = "The engine", body = EngineInfo), (status = 404)),
)]
pub(super) async fn engine(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Name(name): Name,
    _: Query<Nothing>,
) -> Result<Json<EngineInfo>, Problem> {
    let engines = state.orchestrator().engines().await?;
    if let Some(engine) = engines.iter().find(|engine| engine.name == name) {
        return Ok(Json(engine.for_authority(principal.role.authority())));
    }
    let known: Vec<&str> = engines.iter().map(|engine| engine.name.as_str()).collect();
    Err(Problem::new(Code::NoSuchEngine, format!("{:?} is not known; there is {}", shown(&name), known.join(", "))))
}

/// Show who the caller is
///
/// The name, teams and role of the caller, and how the server has authenticated them.
#[utoipa::path(
    get, path = "/whoami", tag = "access", operation_id = "whoAmI",
    responses((status = 200, description = "The caller and their role", body = Principal)),
)]
pub(super) async fn whoami(Caller(principal): Caller, _: Query<Nothing>) -> Json<Principal> {
    Json(principal)
}

/// Show how to authenticate
///
/// For clients that have no token yet, such as `urumi login`.
#[utoipa::path(
    get, path = "/authentication", tag = "access", operation_id = "authentication", security(()),
    responses((status = 200, description = "The accepted methods", body = SignInMethods)),
)]
pub(super) async fn authentication(State(state): State<ServerState>, _: Query<Nothing>) -> Json<SignInMethods> {
    Json(state.sign_in().clone())
}
