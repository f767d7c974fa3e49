//! Extractors and header parsers. Their errors are problems that name the field.

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use urumi_core::error::{Error, FieldError};
use urumi_core::{Precondition, StoreId};
use utoipa::IntoParams;

use crate::problem::{Code, Problem};

/// The header of idempotency keys.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// With the value `no`, proxies such as nginx forward each part of the answer at once. The dashboard's proxy treats
/// such an answer as an endless stream.
pub(crate) const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            let detail = "send the body as JSON, with `Content-Type: application/json`";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::PayloadTooLarge, "send a smaller body"),
            _ => Problem::new(Code::Malformed, "the body ended early"),
        })?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(wrong_json)?;
        json.end().map_err(|error| Problem::new(Code::Malformed, format!("the body is not valid JSON: {error}")))?;
        Ok(Body(value))
    }
}

fn wrong_json(error: serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let path = error.path().to_string();
    let error = error.into_inner();
    if !error.is_data() {
        return Problem::new(Code::Malformed, format!("the body is not valid JSON: {error}"));
    }
    // The field is more useful than the line and column.
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    let field = field_of(path, &message).unwrap_or_else(|| "body".to_owned());
    Problem::fields(vec![FieldError::new(field, message)])
}

/// The invalid field: the path where parsing stopped, or the field in serde's message.
fn field_of(path: String, message: &str) -> Option<String> {
    if !matches!(&*path, "." | "?") {
        return Some(path);
    }
    let about = |what: &&str| message.strip_prefix(*what)?.split('`').next();
    ["missing field `", "duplicate field `", "unknown field `"].iter().find_map(about).map(str::to_owned)
}

/// A query without unknown parameters: a mistyped `dryrun` must not create anything.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs).map(Query).map_err(|error| {
            let path = error.path().to_string();
            let message = error.into_inner().to_string();
            match field_of(path, &message) {
                Some(field) => {
                    let detail = format!("query parameter {field}: {message}");
                    Problem { detail, ..Problem::malformed(FieldError::new(field, message)) }
                }
                None => Problem::new(Code::Malformed, format!("the query is invalid: {message}")),
            }
        })
    }
}

/// The store id in the path. An invalid id is answered like the id of a store that does not exist.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) StoreId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let raw = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let raw = raw.map_err(|_| Problem::new(Code::Malformed, "the path is not valid UTF-8"))?.0;
        StoreId::parse(&raw).map(Id).map_err(|wrong| {
            Problem::new(Code::NotFound, format!("the store does not exist: its id {}", wrong.message))
        })
    }
}

/// The precondition in `If-Match`: one entity tag, or `*` for any.
#[derive(Debug, PartialEq, Eq, IntoParams)]
#[into_params(names("If-Match"), parameter_in = Header)]
pub(crate) struct IfMatch(
    /// The ETag that the store must still have
    #[param(value_type = Option<String>, pattern = r#"^(\*|"[!#-~]+")$"#, example = r#""4711""#)]
    pub(crate) Precondition,
);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        IfMatch::read(&parts.headers)
    }
}

impl IfMatch {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = one(headers, &IF_MATCH)? else { return Ok(IfMatch(Precondition::NONE)) };
        let value = value.trim();
        if value == "*" {
            return Ok(IfMatch(Precondition::NONE));
        }
        let tag = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        match tag.filter(|tag| !tag.is_empty() && tag.bytes().all(|b| matches!(b, b'!' | b'#'..=b'~'))) {
            Some(tag) => Ok(IfMatch(Precondition::version(tag))),
            None => Err(Problem::new(Code::Malformed, "If-Match must be one entity tag in quotes, as in ETag, or *")),
        }
    }
}

/// The problem for a store that does not exist or that the caller may not know of.
pub(crate) fn no_such_store(id: &StoreId) -> Problem {
    Error::NotFound { id: id.clone() }.into()
}

/// The only value of a header.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::new(Code::Malformed, format!("the request has the header {name} more than once")));
    }
    let text = value.to_str().map_err(|_| Problem::new(Code::Malformed, format!("the header {name} is not ASCII")))?;
    Ok(Some(text))
}

/// The idempotency key: a plain value, or a quoted string as in structured headers.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = one(headers, &IDEMPOTENCY_KEY)? else { return Ok(None) };
    let value = value.trim();
    let key = match value.strip_prefix('"') {
        Some(rest) => unquoted(rest).ok_or_else(|| {
            Problem::new(
                Code::Malformed,
                format!("the header {IDEMPOTENCY_KEY} begins with a quote but is not a quoted string"),
            )
        })?,
        None => value.to_owned(),
    };
    urumi_core::store::idempotency::check_key(&key).map_err(Problem::malformed)?;
    Ok(Some(key))
}

/// Parses a string of a structured header (RFC 9651) after its opening quote.
fn unquoted(rest: &str) -> Option<String> {
    let mut text = String::with_capacity(rest.len());
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(text),
            '\\' => text.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            c => text.push(c),
        }
    }
}

/// Whether `If-None-Match` contains this entity tag. The comparison is weak, as in RFC 9110, because a proxy that
/// compresses an answer makes its tag weak.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = opaque(tag);
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    // The server's tags contain no comma.
    values.flat_map(|value| value.split(',')).any(|known| known.trim() == "*" || opaque(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn idempotency_keys_may_be_quoted() {
        let read = |values: &[&'static str]| idempotency_key(&headers(IDEMPOTENCY_KEY, values)).map_err(|p| p.status);
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["abc"]), Ok(Some("abc".into())));
        assert_eq!(read(&["\"abc\""]), Ok(Some("abc".into())));
        assert_eq!(read(&[r#""a\"b\\""#]), Ok(Some(r#"a"b\"#.into())));
        for wrong in [&[""][..], &["\"\""], &["a", "a"], &["\"a"], &["\"a\"b"], &["\"a\\b\""], &["\"a\\\""]] {
            assert_eq!(read(wrong), Err(400), "{wrong:?}");
        }
    }

    #[test]
    fn known_tags() {
        let known = |values: &[&'static str], tag| is_known(&headers(IF_NONE_MATCH, values), tag);
        for values in [&["\"a\""][..], &["W/\"a\""], &["\"b\", W/\"a\""], &["\"b\"", "\"a\""], &["*"]] {
            assert!(known(values, "\"a\"") && known(values, "W/\"a\""), "{values:?}");
        }
        for values in [&[][..], &["\"b\""], &["a"], &["\"a"], &[""]] {
            assert!(!known(values, "\"a\""), "{values:?}");
        }
    }

    #[test]
    fn preconditions() {
        let read = |values: &[&'static str]| {
            IfMatch::read(&headers(IF_MATCH, values)).map(|found| found.0).map_err(|p| p.status)
        };
        assert_eq!(read(&[]), Ok(Precondition::NONE));
        assert_eq!(read(&["*"]), Ok(Precondition::NONE));
        assert_eq!(read(&["\"12\""]), Ok(Precondition::version("12")));
        for wrong in [&["12"][..], &["W/\"12\""], &["\"1\", \"2\""], &["\"1\"", "\"2\""], &["\"\""], &["\"1 2\""]] {
            assert_eq!(read(wrong), Err(400), "{wrong:?}");
        }
    }
}
