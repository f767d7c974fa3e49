//! The HTTP API of urumi: stores, why they are as they are, and every change as it happens.
//!
//! [`router`] serves a [`ServerState`] over any [`StoreOrchestrator`](urumi_core::StoreOrchestrator); mount it in a
//! service of your own, or let the program `urumi-http` serve it with limits, TLS, metrics and traces. Thin by design:
//! a request is parsed, authorised, passed on, and its error mapped to a [`problem::Problem`].

mod audit;
pub mod auth;
mod causes;
pub mod config;
pub mod dashboard;
mod extract;
pub mod layers;
pub mod listener;
pub mod metrics_server;
mod openapi;
mod outgoing;
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
use self::rate_limit::RateLimiter;
pub use self::routes::Readiness;
pub use self::state::{HEARTBEAT, ServerState, ServerStateBuilder};

/// The whole API, to be mounted anywhere. Limits of time and size are up to whoever mounts it; authentication is within.
pub fn router(state: ServerState) -> Router {
    mount(state, None)
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
    let (_, paths) =
        OpenApiRouter::<ServerState>::new().merge(routes::of_callers()).merge(routes::public()).split_for_parts();
    openapi::complete(openapi::Api::openapi().merge_from(paths))
}

/// The API, where there are limits with those of a client's and of an address's requests.
pub(crate) fn mount(state: ServerState, limits: Option<[RateLimiter; 2]>) -> Router {
    let authenticate = from_fn_with_state(state.authentication().clone(), auth::middleware::authenticate);
    // The last layer is the outermost: an address is counted before anybody is recognised, a client after.
    let routes = routes::of_callers();
    let routes = match limits {
        Some([client, address]) => routes
            .layer(from_fn_with_state(client, rate_limit::limit))
            .layer(authenticate)
            .layer(from_fn_with_state(address, rate_limit::limit)),
        None => routes.layer(authenticate),
    };
    // Its badge would otherwise have every reader's browser ask a validator elsewhere.
    let config = utoipa_swagger_ui::Config::default().validator_url("none");
    let docs = SwaggerUi::new("/docs").url("/openapi.json", document()).config(config);
    routes.merge(routes::public()).split_for_parts().0.with_state(state).merge(docs)
}
