//! The files of the built dashboard, embedded in the binary.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};
use rust_embed::{Embed, EmbeddedFile};

use crate::extract::is_known;
use crate::problem::{Code, Problem};

/// Files below this have a hash of their content in their names, so they never change.
const HASHED: &str = "assets/";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Browsers must revalidate a cached copy at each use.
const ASK: &str = "no-cache";

#[derive(Embed)]
#[folder = "dashboard/dist"]
#[allow_missing = true]
struct Built;

/// The page for all paths of the dashboard; `None` if the dashboard was not built.
pub(super) fn index() -> Option<String> {
    let file = Built::get("index.html")?;
    String::from_utf8(file.data.into_owned()).ok()
}

/// A file by its path below `/ui/`; `None` for a path of the application.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    // No file name of the build has empty parts, `.` or `..`.
    let is_plain = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    let is_file = is_plain && path != "index.html";
    match is_file.then(|| Built::get(path)).flatten() {
        Some(file) => Some(answer(path, file, headers)),
        None if path.starts_with(HASHED) => {
            let detail = "the file does not exist; if the dashboard has been updated, reload it";
            Some(Problem::new(Code::NoSuchPath, detail).into_response())
        }
        None => None,
    }
}

fn answer(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let tag = format!("\"{}\"", base16ct::lower::encode_string(&hash));
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
