//! The HTTP API of urumi: create stores, follow their changes, and see why one is not ready.
//!
//! [`router`] serves a [`ServerState`] over any [`StoreOrchestrator`](urumi_core::StoreOrchestrator). Mount it in a
//! service of your own; [`layers::wrap`] adds limits and safe headers, [`auth`] authentication, [`rate_limit`] rate
//! limits. A handler parses a request, authorises it, calls the orchestrator, and maps errors to a
//! [`Problem`](problem::Problem).
//!
//! # Features
//! `program` (default): the program `urumi-http` with its command line, configuration, listener, telemetry and dashboard.
//! Embedders turn it off: `urumi-http = { version = "…", default-features = false }`, and choose a version of
//! `k8s-openapi` by one of its features, as every program does.

mod audit;
pub mod auth;
mod browser_guard;
mod causes;
mod extract;
pub mod layers;
mod openapi;
mod outgoing;
pub mod problem;
#[cfg(feature = "program")]
#[doc(hidden)]
pub mod program;
pub mod rate_limit;
mod routes;
mod state;
mod view;
mod yaml;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

pub use self::browser_guard::BrowserGuard;
use self::rate_limit::RateLimiter;
pub use self::routes::Readiness;
pub use self::state::{HEARTBEAT, ServerState, ServerStateBuilder};

/// The whole API with its authentication, to mount anywhere. It has no limits of time, size or rate.
pub fn router(state: ServerState) -> Router {
    mount(state, None)
}

/// `/healthz` and `/readyz` alone, without authentication.
pub fn health_router(state: ServerState) -> Router {
    routes::public().split_for_parts().0.with_state(state)
}

/// The API's OpenAPI description.
pub fn document() -> OpenApi {
    let (_, paths) =
        OpenApiRouter::<ServerState>::new().merge(routes::of_callers()).merge(routes::public()).split_for_parts();
    openapi::complete(openapi::Api::openapi().merge_from(paths))
}

/// The API, with rate limits for each client and for each address if there are any.
pub(crate) fn mount(state: ServerState, limits: Option<[RateLimiter; 2]>) -> Router {
    let authenticate = from_fn_with_state(state.authentication().clone(), auth::authenticate);
    // The last layer is the outermost: an address is counted before its caller is recognised, a client after.
    let routes = routes::of_callers();
    let routes = match limits {
        Some([client, address]) => routes
            .layer(from_fn_with_state(client, rate_limit::limit))
            .layer(authenticate)
            .layer(from_fn_with_state(address, rate_limit::limit)),
        None => routes.layer(authenticate),
    };
    let routes = if state.authentication().is_open() {
        routes.layer(from_fn_with_state(state.browser_guard().clone(), browser_guard::guard))
    } else {
        routes
    };
    // The page's badge would make every reader's browser send the document to a validator elsewhere.
    let config = utoipa_swagger_ui::Config::default().validator_url("none");
    let docs = SwaggerUi::new("/docs").url("/openapi.json", document()).config(config);
    routes.merge(routes::public()).split_for_parts().0.with_state(state).merge(docs)
}

/// Tests the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
