//! The built application, which is a part of the binary.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};
use rust_embed::{Embed, EmbeddedFile};

use crate::extract::is_known;
use crate::problem::{Code, Problem};

/// Files whose names have a hash of their content never change.
const HASHED: &str = "assets/";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// May be kept, and is asked about at each use.
const ASK: &str = "no-cache";

#[derive(Embed)]
#[folder = "dashboard/dist"]
#[allow_missing = true]
struct Built;

/// The page that all addresses of the application answer with; none where the application was not built.
pub(super) fn index() -> Option<String> {
    let file = Built::get("index.html")?;
    String::from_utf8(file.data.into_owned()).ok()
}

/// A file of the application, by its path below `/ui/`. None for what is no file: the application knows what that is.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    // Files are named by the build: whatever climbs or is absolute is none of them.
    let is_plain = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    let is_file = is_plain && path != "index.html";
    match is_file.then(|| Built::get(path)).flatten() {
        Some(file) => Some(answer(path, file, headers)),
        None if path.starts_with(HASHED) => {
            let detail = "there is no such file; the dashboard may have been updated: load it again";
            Some(Problem::new(Code::NoSuchPath, detail).into_response())
        }
        None => None,
    }
}

fn answer(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    let tag = format!("\"{hash}\"");
    let kept = if path.starts_with(HASHED) { FOR_EVER } else { ASK };
    let (status, body) =
        if is_known(headers, &tag) { (StatusCode::NOT_MODIFIED, Cow::default()) } else { (StatusCode::OK, file.data) };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    if let Ok(media_type) = HeaderValue::from_str(file.metadata.mimetype()) {
        headers.insert(CONTENT_TYPE, media_type);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}
