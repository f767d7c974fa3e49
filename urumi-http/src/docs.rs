//! `/openapi.json` and `/openapi.yaml`, and `/docs`, the page that shows them.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderMap, HeaderValue};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::answer::line;
use crate::document;
use crate::packed::Packed;

const DESCRIPTION: &str = "/openapi.json";
const IN_YAML: &str = "/openapi.yaml";

// Made at the first request.
static JSON: LazyLock<Packed> =
    LazyLock::new(|| Packed::new(HeaderValue::from_static("application/json"), line(&document())));
static YAML: LazyLock<Packed> = LazyLock::new(|| {
    // The description contains only texts, numbers, lists and maps with texts as keys, which YAML can always represent.
    let text = serde_saphyr::to_string(&document()).unwrap_or_default();
    Packed::new(HeaderValue::from_static("application/yaml"), text.into())
});

/// Only the page's own files, and requests to this server only. The page has the origin of the dashboard, so its scripts could
/// read the token that the dashboard keeps. A sandbox would give it an origin of its own, from which no operation could be
/// tried.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn router() -> Router {
    // The page's badge would make every reader's browser send the document to a validator elsewhere.
    let config = Config::new([DESCRIPTION]).validator_url("none");
    let page = Router::from(SwaggerUi::new("/docs").config(config));
    page.route(DESCRIPTION, get(async |headers: HeaderMap| JSON.answer(&headers)))
        .route(IN_YAML, get(async |headers: HeaderMap| YAML.answer(&headers)))
        .layer(from_fn(protect))
}

async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
