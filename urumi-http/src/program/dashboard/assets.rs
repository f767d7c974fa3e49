//! The files of the built dashboard, embedded in the binary.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};
use rust_embed::{Embed, EmbeddedFile};

use crate::extract::is_known;
use crate::packed::Packed;
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

/// A file as it is served.
struct Asset {
    /// A hash of its content.
    tag: String,
    content: Packed,
}

static ASSETS: LazyLock<HashMap<Cow<'static, str>, Asset>> =
    LazyLock::new(|| Built::iter().filter_map(|path| Some((path.clone(), Asset::new(Built::get(&path)?)))).collect());

impl Asset {
    fn new(file: EmbeddedFile) -> Self {
        let tag = format!("\"{}\"", base16ct::lower::encode_string(&file.metadata.sha256_hash()));
        let media_type = HeaderValue::from_str(file.metadata.mimetype());
        let media_type = media_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        let content = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Asset { tag, content: Packed::new(media_type, content) }
    }
}

/// The page for all paths of the dashboard; `None` if the dashboard was not built.
pub(super) fn index() -> Option<String> {
    let file = Built::get("index.html")?;
    String::from_utf8(file.data.into_owned()).ok()
}

/// A file by its path below `/ui/`; `None` for a path of the application.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    match ASSETS.get(path).filter(|_| path != "index.html") {
        Some(asset) => Some(answer(path, asset, headers)),
        None if path.starts_with(HASHED) => {
            let detail = "the file does not exist; if the dashboard has been updated, reload it";
            Some(Problem::new(Code::NoSuchPath, detail).into_response())
        }
        None => None,
    }
}

fn answer(path: &str, asset: &Asset, headers: &HeaderMap) -> Response {
    let kept = if path.starts_with(HASHED) { FOR_EVER } else { ASK };
    let mut response = match is_known(headers, &asset.tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => asset.content.answer(headers),
    };
    if let Ok(tag) = HeaderValue::from_str(&asset.tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}
