//! JSON answers. They end with a newline, so that a terminal's next prompt begins on a line of its own.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::Serialize;

/// An answer of JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], line(&self.0)).into_response()
    }
}

/// A value as one line of JSON.
pub(crate) fn line(value: &impl Serialize) -> Bytes {
    // Answers contain only texts, numbers, lists and maps with texts as keys, which JSON can always represent.
    let mut json = serde_json::to_vec(value).unwrap_or_default();
    json.push(b'\n');
    json.into()
}
