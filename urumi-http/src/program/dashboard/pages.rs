//! The paths below `/ui/`: files, settings, and one page for everything else.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::Url;
use uuid::Uuid;

use super::assets;
use super::settings::Settings;
use crate::problem::Problem;

/// The path of the dashboard.
const HOME: &str = "/ui/";
/// The placeholder of the nonce in the built page.
const NONCE: &str = "__CSP_NONCE__";
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// A source of the settings.
#[async_trait::async_trait]
pub(super) trait Source: Send + Sync {
    async fn settings(&self) -> Result<Settings, Problem>;
}

/// Constant settings.
#[async_trait::async_trait]
impl Source for Settings {
    async fn settings(&self) -> Result<Settings, Problem> {
        Ok(self.clone())
    }
}

/// The dashboard, and redirects to it.
pub(super) fn router(source: Arc<dyn Source>) -> Router {
    Router::new()
        .route("/", get(async || Redirect::to(HOME)))
        .route("/ui", get(async || Redirect::to(HOME)))
        .route("/ui/", get(index))
        .route("/ui/settings.json", get(settings))
        .route("/ui/{*path}", get(file_or_index))
        .with_state(source)
}

async fn settings(State(source): State<Arc<dyn Source>>) -> Result<Json<Settings>, Problem> {
    source.settings().await.map(Json)
}

async fn file_or_index(state: State<Arc<dyn Source>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    match assets::file(&path, &headers) {
        Some(response) => response,
        None => index(state).await,
    }
}

async fn index(State(source): State<Arc<dyn Source>>) -> Response {
    let Some(page) = assets::index() else { return not_built() };
    // Without the settings, the page itself shows the error.
    let settings = source.settings().await.ok();
    let nonce = Uuid::new_v4().simple().to_string();
    let policy = content_security_policy(&nonce, settings.as_ref());
    let mut response = Html(page.replace(NONCE, &nonce)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
    response
}

/// Allows only files of this server, and style elements with the nonce, which the application creates.
fn content_security_policy(nonce: &str, settings: Option<&Settings>) -> HeaderValue {
    let oidc = settings.and_then(|settings| settings.sign_in.oidc.as_ref());
    let issuer = oidc.and_then(|oidc| Url::parse(&oidc.issuer).ok());
    let issuer = issuer.map(|url| format!(" {}", url.origin().ascii_serialization())).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'{issuer}; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    // Origins are ASCII.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The page of a build without the dashboard.
fn not_built() -> Response {
    let page = "<!doctype html><html lang=en><title>urumi</title><h1>This build has no dashboard</h1>\
                <p>It was built without Node.js. Run <code>make dashboard</code> in urumi's sources and build urumi-http \
                again. The API works without the dashboard; see its documentation at <a href=/docs>/docs</a>.";
    let policy = [(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"))];
    (StatusCode::NOT_FOUND, policy, Html(page)).into_response()
}
