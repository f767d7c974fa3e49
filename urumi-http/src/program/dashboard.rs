//! The web dashboard: a browser application that uses only the API.
//!
//! Its sources are in `urumi-http/dashboard`; `make dashboard` builds it for this crate to embed. It is served at `/ui/` next
//! to the API, or by separate [replicas](replica) that forward all other requests to the API.

mod assets;
mod pages;
mod proxy;
mod settings;

use std::sync::Arc;

use axum::Router;

pub use self::proxy::{Api, ApiOptions, health};
pub use self::settings::{OidcSignIn, Settings, SignIn};

/// The dashboard at `/ui/`, and a redirect from `/`, to merge with the API's [router](crate::router).
pub fn router(settings: Settings) -> Router {
    pages::router(Arc::new(settings))
}

/// The dashboard at `/ui/`; all other requests are forwarded to the API.
pub fn replica(api: Arc<Api>) -> Router {
    pages::router(api.clone()).merge(health(api.clone())).merge(proxy::router(api))
}
