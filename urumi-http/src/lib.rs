//! The HTTP API of urumi: stores, why they are as they are, and every change as it happens.
//!
//! [`router`] serves a [`ServerState`] over any [`StoreOrchestrator`](urumi_core::StoreOrchestrator); mount it in a
//! service of your own, or let the program `urumi-http` serve it with limits, TLS, metrics and traces. Thin by design:
//! a request is parsed, authorised, passed on, and its error mapped to a [`problem::Problem`].

mod audit;
pub mod auth;
mod extract;
mod openapi;
mod owner_limits;
pub mod problem;
mod routes;
mod state;
mod view;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

pub use self::owner_limits::OwnerLimits;
pub use self::routes::Readiness;
pub use self::state::{HEARTBEAT, ServerState, ServerStateBuilder};

/// The parts of the API, for services that put layers of their own around each.
#[derive(Debug)]
pub struct Routes {
    /// What answers at once, health included.
    pub quick: Router,
    /// What answers for as long as the client likes: no time limit or compression should be around it.
    pub streaming: Router,
    /// The API's description.
    pub document: OpenApi,
}

/// The API in parts. Authentication is within.
pub fn routes(state: ServerState) -> Routes {
    let authenticate = from_fn_with_state(state.authentication().clone(), auth::middleware::authenticate);
    let quick = routes::quick().layer(authenticate.clone());
    let streaming = routes::streaming().layer(authenticate);
    let (quick, quick_paths) = quick.merge(routes::public()).split_for_parts();
    let (streaming, streaming_paths) = streaming.split_for_parts();
    let document = openapi::complete(openapi::Api::openapi().merge_from(quick_paths).merge_from(streaming_paths));
    // Its badge would otherwise have every reader's browser ask a validator elsewhere.
    let config = utoipa_swagger_ui::Config::default().validator_url("none");
    let docs = SwaggerUi::new("/docs").url("/openapi.json", document.clone()).config(config);
    Routes { quick: quick.with_state(state.clone()).merge(docs), streaming: streaming.with_state(state), document }
}

/// The whole API, to be mounted anywhere. Limits, time-outs and the like are up to whoever mounts it.
pub fn router(state: ServerState) -> Router {
    let Routes { quick, streaming, .. } = routes(state);
    quick.merge(streaming)
}

/// The API's description, without a server.
pub fn document() -> OpenApi {
    let (_, document) = OpenApiRouter::<ServerState>::new()
        .merge(routes::quick())
        .merge(routes::streaming())
        .merge(routes::public())
        .split_for_parts();
    openapi::complete(openapi::Api::openapi().merge_from(document))
}
