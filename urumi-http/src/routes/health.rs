//! Whether the server lives, and whether it can serve.
//!
//! Readiness is about this process alone. An API server that is away concerns all replicas at once: were they all unready,
//! clients would get a proxy's 502 instead of the stores as they were last seen, and of problems that say what is wrong.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use urumi_core::monitor::leader::ElectionHealth;
use utoipa::ToSchema;

use crate::state::ServerState;
use crate::view::WatchState;

/// Whether the server can serve, and what does not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether it can serve.
    pub ready: bool,
    /// Why it cannot serve, a line each.
    pub problems: Vec<String>,
    /// What does not work although it serves, a line each: for example, the API server does not answer.
    #[serde(default)]
    pub warnings: Vec<String>,
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

/// Whether the server can serve
///
/// It can once it has listed all stores, until it stops or its monitor does. While the Kubernetes API server does not
/// answer it serves the stores as they were, and says so in `warnings`.
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
    /// Whether the server can serve.
    pub fn readiness(&self) -> Readiness {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        if !self.view().is_synced() {
            problems.push("the stores have not been listed yet".to_owned());
        }
        // The cause is for those who may see the cluster; the log has it.
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
        // A follower serves as well as the leader, and without a leader statuses are only late.
        let election = self.election().map(|election| {
            let ElectionHealth { leads, leader, since, .. } = election.health();
            Election { leads, leader, since }
        });
        Readiness { ready: problems.is_empty(), problems, warnings, election }
    }
}
