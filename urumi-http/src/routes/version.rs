//! The version of the server, and what its users should know.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::Json;
use crate::extract::{Nothing, Query};
use crate::state::ServerState;

/// The version of the server, and what its users should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerInfo {
    /// The server's version.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// The commit from which the server was built; left out if it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The kind of cluster: `kubernetes`, or `memory` for a simulated one. New kinds may be added.
    #[schema(example = "kubernetes")]
    pub cluster: String,
    /// Sentences to show to every user, e.g. that the stores are simulated.
    pub notices: Vec<String>,
}

/// Show the version of the server
///
/// Also says what every user should know: for example, that the server uses an in-memory cluster, whose stores are simulated.
#[utoipa::path(
    get, path = "/version", tag = "health", operation_id = "getVersion", security(()),
    responses((status = 200, description = "The version", body = ServerInfo)),
)]
pub(super) async fn version(State(state): State<ServerState>, _: Query<Nothing>) -> Json<ServerInfo> {
    Json(ServerInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("URUMI_COMMIT").filter(|commit| !commit.is_empty()).map(str::to_owned),
        cluster: state.cluster_kind().to_owned(),
        notices: state.notices().to_vec(),
    })
}
