//! The HTTP API of urumi: stores, why they are as they are, and every change as it happens.
//!
//! [`router`] serves a [`ServerState`] over any [`StoreOrchestrator`](urumi_core::StoreOrchestrator); mount it in a
//! service of your own, or let the program `urumi-http` serve it with limits, TLS, metrics and traces. Thin by design:
//! a request is parsed, authorised, passed on, and its error mapped to a [`problem::Problem`].

mod audit;
pub mod auth;
pub mod config;
mod extract;
pub mod layers;
pub mod listener;
pub mod metrics_server;
mod openapi;
mod owner_limits;
pub mod problem;
pub mod program;
pub mod rate_limit;
mod routes;
mod state;
pub mod telemetry;
mod view;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

pub use self::owner_limits::OwnerLimits;
use self::rate_limit::RateLimit;
pub use self::routes::Readiness;
pub use self::state::{HEARTBEAT, ServerState, ServerStateBuilder};

/// The whole API, to be mounted anywhere. Limits of time and size are up to whoever mounts it; authentication is within.
pub fn router(state: ServerState) -> Router {
    mount(state, |router| router)
}

/// The API with a limit of requests per client, who is known by then.
pub(crate) fn limited_router(state: ServerState, limit: RateLimit) -> Router {
    mount(state, |router| router.layer(from_fn_with_state(limit, rate_limit::limit)))
}

/// Serves the API with limits that suit most, until `shutdown` is cancelled and what is in flight has ended.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, state: ServerState, shutdown: CancellationToken) -> std::io::Result<()> {
    let app = layers::wrap(router(state), &layers::LayerOptions::default());
    listener::serve_router(listener, app, listener::ListenerOptions::default(), shutdown).await
}

/// Health alone, without authentication.
pub fn health_router(state: ServerState) -> Router {
    routes::public().split_for_parts().0.with_state(state)
}

/// The API's description, without a server.
pub fn document() -> OpenApi {
    let (_, paths) = OpenApiRouter::<ServerState>::new()
        .merge(routes::of_callers())
        .merge(routes::public())
        .split_for_parts();
    openapi::complete(openapi::Api::openapi().merge_from(paths))
}

fn mount(
    state: ServerState,
    limit: impl FnOnce(OpenApiRouter<ServerState>) -> OpenApiRouter<ServerState>,
) -> Router {
    let authenticate = from_fn_with_state(state.authentication().clone(), auth::middleware::authenticate);
    // The last layer is the outermost: who asks is known before they are counted.
    let routes = limit(routes::of_callers()).layer(authenticate).merge(routes::public());
    let docs = SwaggerUi::new("/docs").url("/openapi.json", document());
    routes.split_for_parts().0.with_state(state).merge(docs)
}
