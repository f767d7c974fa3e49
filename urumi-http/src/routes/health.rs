//! Whether the server lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use urumi_core::monitor::leader::ElectionHealth;
use utoipa::ToSchema;

use crate::state::ServerState;

/// Whether the server can do its work, part by part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether all of it is well.
    pub ready: bool,
    /// What is not well, a line each.
    pub problems: Vec<String>,
    /// Who writes statuses and repairs stores; left out where it is not elected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub election: Option<Election>,
}

/// How the election among the server's replicas stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Election {
    /// Whether it is this replica.
    pub leads: bool,
    /// Which replica leads, as far as this one knows: its host's name, or its pod's, and a random part.
    pub leader: Option<String>,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

/// Whether the process lives
#[utoipa::path(
    get, path = "/healthz", tag = "health", operation_id = "alive", security(()),
    responses((status = 200, description = "It lives", body = str, content_type = "text/plain")),
)]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether the server can do its work
///
/// Not before it has seen all stores, and not while what it shows may be out of date or its monitor has stopped.
#[utoipa::path(
    get, path = "/readyz", tag = "health", operation_id = "ready", security(()),
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It cannot", body = Readiness),
    ),
)]
pub(super) async fn ready(State(state): State<ServerState>) -> (StatusCode, Json<Readiness>) {
    let readiness = state.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

impl ServerState {
    /// Whether the server can do its work.
    pub fn readiness(&self) -> Readiness {
        let mut problems = Vec::new();
        let (synced, error) = self.view().health();
        if !synced {
            problems.push("the stores have not been seen yet".to_owned());
        }
        // Reasons are for those who may see the cluster; they are in the log.
        if error.is_some() {
            problems.push("the watch of the stores fails: what is shown may be out of date".to_owned());
        }
        if let Some(monitor) = self.monitor() {
            let health = monitor.health();
            if !health.running {
                problems.push("the readiness monitor has stopped".to_owned());
            } else if !health.synced {
                problems.push("the readiness monitor has not seen everything yet".to_owned());
            } else if !health.failing_watches.is_empty() {
                let count = health.failing_watches.len();
                problems.push(format!("{count} of the readiness monitor's watches fail"));
            }
        }
        if self.draining().is_cancelled() {
            problems.push("the server is stopping".to_owned());
        }
        // Whoever follows serves as well as the leader; and while nobody leads, all that is lost is time.
        let election = self.election().map(|election| {
            let ElectionHealth { leads, leader, since, .. } = election.health();
            Election { leads, leader, since }
        });
        Readiness { ready: problems.is_empty(), problems, election }
    }
}
