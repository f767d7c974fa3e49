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

mod answer;
mod audit;
pub mod auth;
mod browser_guard;
mod causes;
mod current_request;
mod docs;
mod extract;
pub mod layers;
mod openapi;
mod outgoing;
mod packed;
mod places;
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
use axum::routing::any;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use self::browser_guard::BrowserGuard;
pub use self::places::OpenLimits;
use self::rate_limit::RateLimiter;
pub use self::routes::{Readiness, ServerInfo};
pub use self::state::{HEARTBEAT, ServerState, ServerStateBuilder};

/// The whole API with its authentication, to mount anywhere. It has no limits of time, size or rate.
pub fn router(state: ServerState) -> Router {
    mount(state, None, Router::new())
}

/// `/healthz` and `/readyz` alone, without authentication.
pub fn health_router(state: ServerState) -> Router {
    routes::public().split_for_parts().0.with_state(state)
}

/// The API's OpenAPI description.
pub fn document() -> OpenApi {
    let (_, paths) = OpenApiRouter::<ServerState>::new()
        .merge(routes::of_callers())
        .merge(routes::orders())
        .merge(routes::for_anyone())
        .merge(routes::public())
        .split_for_parts();
    openapi::complete(openapi::Api::openapi().merge_from(paths))
}

/// The API and pages without authentication, with rate limits for each client and for each address if there are any. The
/// health routes have none: whoever checks them may share its address with clients behind a proxy, and they cost nothing.
pub(crate) fn mount(state: ServerState, limits: Option<[RateLimiter; 2]>, pages: Router) -> Router {
    let authenticate = from_fn_with_state(state.authentication().clone(), auth::authenticate);
    let admit = from_fn_with_state(state.open().requests.clone(), places::admit);
    let routes = routes::of_callers().layer(admit).merge(routes::orders());
    let pages = pages.merge(docs::router());
    // The last layer is the outermost: an address is counted before its caller is recognised, a client after.
    let (routes, for_anyone, pages) = match limits {
        Some([client, address]) => {
            let address = from_fn_with_state(address, rate_limit::limit);
            let client = from_fn_with_state(client, rate_limit::limit);
            let routes = routes.layer(client).layer(authenticate).layer(address.clone());
            (routes, routes::for_anyone().layer(address.clone()), pages.layer(address))
        }
        None => (routes.layer(authenticate), routes::for_anyone(), pages),
    };
    let routes = if state.authentication().is_open() {
        routes.layer(from_fn_with_state(state.browser_guard().clone(), browser_guard::guard))
    } else {
        routes
    };
    let (routes, api) = routes.merge(for_anyone).merge(routes::public()).split_for_parts();
    let slashed = api.paths.paths.keys().map(|path| format!("{path}/"));
    let routes = slashed.fold(routes, |routes, path| routes.route(&path, any(layers::slash_at_the_end)));
    routes.with_state(state).merge(pages)
}

/// Tests the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
