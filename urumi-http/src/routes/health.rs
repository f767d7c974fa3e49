//! The liveness and readiness of the server.
//!
//! Readiness is about this process only. An unavailable API server affects all replicas at once: if all became unready,
//! clients would get a proxy's 502 instead of the last known stores and problem details.

use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use urumi_core::monitor::leader::ElectionHealth;
use utoipa::ToSchema;

use crate::answer::Json;
use crate::state::ServerState;
use crate::view::WatchState;

/// Whether the server can serve requests, and what does not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether the server can serve requests.
    pub ready: bool,
    /// Why it cannot, one line per reason.
    pub problems: Vec<String>,
    /// What does not work although the server is ready, one line each; for example, the API server does not answer.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The election of the replica that writes statuses and repairs stores; left out without an election.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub election: Option<Election>,
}

/// The state of the election among the server's replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Election {
    /// Whether this replica leads.
    pub leads: bool,
    /// The leading replica, as far as this one knows: the name of its host or pod, and a random part.
    pub leader: Option<String>,
    /// Since when it leads.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

/// Check that the process runs
///
/// Says nothing about the cluster or the stores. It needs no authentication and has no limits.
#[utoipa::path(
    get, path = "/healthz", tag = "health", operation_id = "getHealth", security(()),
    responses((status = 200, description = "The process runs", body = str, content_type = "text/plain")),
)]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Check that the server can serve requests
///
/// Needs no authentication and has no limits. The server is ready after it has listed all stores, until it or its monitor stops. While the Kubernetes API server does not
/// answer, it serves the last known stores and reports this in `warnings`.
#[utoipa::path(
    get, path = "/readyz", tag = "health", operation_id = "getReadiness", security(()),
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not ready", body = Readiness),
    ),
)]
pub(super) async fn ready(State(state): State<ServerState>) -> (StatusCode, Json<Readiness>) {
    let readiness = state.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

impl ServerState {
    /// The server's readiness.
    pub fn readiness(&self) -> Readiness {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        if !self.view().is_synced() {
            problems.push("the stores have not been listed yet".to_owned());
        }
        // Callers who may not see the cluster must not see the cause; it is in the log.
        match self.view().watch_state() {
            WatchState::Works => {}
            WatchState::Fails => warnings.push("the watch of the stores fails: stores may be out of date".to_owned()),
            WatchState::Ended => problems.push("the watch of the stores has ended".to_owned()),
        }
        if let Some(monitor) = self.monitor() {
            let health = monitor.health();
            if !health.running {
                problems.push("the readiness monitor has stopped".to_owned());
            } else if !health.synced {
                problems.push("the readiness monitor has not listed everything yet".to_owned());
            } else if !health.failing_watches.is_empty() {
                let count = health.failing_watches.len();
                warnings.push(format!("{count} of the readiness monitor's watches fail"));
            }
        }
        if self.draining().is_cancelled() {
            problems.push("the server is stopping".to_owned());
        }
        // Followers serve requests too; without a leader, only statuses are late.
        let election = self.election().map(|election| {
            let ElectionHealth { leads, leader, since, .. } = election.health();
            Election { leads, leader, since }
        });
        Readiness { ready: problems.is_empty(), problems, warnings, election }
    }
}
