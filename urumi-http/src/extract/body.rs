//! Extracts a JSON object from the body of a request.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use urumi_core::error::FieldError;

use super::fields::{Fields, kind};
use super::json;
use crate::problem::{Code, Problem};

/// The byte order mark of UTF-8, with which some programs begin every text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The JSON object in a body.
#[derive(Debug)]
pub(crate) struct Body(pub(crate) Fields);

/// The JSON object in the body of a PATCH.
#[derive(Debug)]
pub(crate) struct MergePatch(pub(crate) Fields);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read(request, state, &["application/json"]).await.map(Body)
    }
}

impl<S: Send + Sync> FromRequest<S> for MergePatch {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // Many clients send every JSON as `application/json`; a merge patch is meant in any case.
        read(request, state, &["application/merge-patch+json", "application/json"]).await.map(MergePatch)
    }
}

/// Reads the JSON object in a body of one of these types.
async fn read<S: Send + Sync>(request: Request, state: &S, types: &[&str]) -> Result<Fields, Problem> {
    check_headers(request.headers(), types)?;
    let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::PayloadTooLarge, "send a smaller body"),
        _ => Problem::new(Code::Malformed, "the body ended early"),
    })?;
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    match json::read(text) {
        Ok((Value::Object(fields), twice)) => Ok(Fields::new(fields, twice)),
        Ok((other, _)) => {
            let message = format!("must be a JSON object, not {}", kind(&other));
            Err(Problem::fields(vec![FieldError::new("body", message)]))
        }
        Err(error) if error.is_data() => {
            let detail = format!("send at most {} values in a body", json::MAX_VALUES);
            Err(Problem::new(Code::PayloadTooLarge, detail))
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let what = if error.is_eof() { "it ends too early, at" } else { "see" };
            let detail = format!("the body is not valid JSON: {what} line {line}, column {column}");
            Err(Problem::new(Code::Malformed, detail))
        }
    }
}

/// Refuses bodies that are not JSON in UTF-8, as they are.
fn check_headers(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let encodings = headers.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    if encodings.map(<[u8]>::trim_ascii).any(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        let detail = "send the body without compression, and without the header Content-Encoding";
        return Err(Problem::new(Code::UnsupportedEncoding, detail));
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|given| types.iter().any(|known| given.eq_ignore_ascii_case(known)));
    let is_utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if is_json && is_utf8 {
        return Ok(());
    }
    let expected = types.first().copied().unwrap_or_default();
    let detail = format!("send the body as JSON in UTF-8, with `Content-Type: {expected}`");
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}
