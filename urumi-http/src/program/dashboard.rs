//! The web dashboard: an application in the browser that knows this server by its API alone.
//!
//! Its sources are in `urumi-http/dashboard`; `make dashboard` builds it to where this crate takes it from. It is served
//! at `/ui/`, beside the API, or by [replicas](replica) of its own that pass everything else on to the API.

mod assets;
mod pages;
mod proxy;
mod settings;

use std::sync::Arc;

use axum::Router;

pub use self::proxy::{Api, ApiOptions, health};
pub use self::settings::{OidcSignIn, Settings, SignIn};

/// The dashboard at `/ui/`, and `/` which leads there; to be merged with the API's [router](crate::router).
pub fn router(settings: Settings) -> Router {
    pages::router(Arc::new(settings))
}

/// The dashboard at `/ui/`, with everything else passed on to the API.
pub fn replica(api: Arc<Api>) -> Router {
    pages::router(api.clone()).merge(health(api.clone())).merge(proxy::router(api))
}
