//! Reading requests: every mistake is answered with a problem that names the field.

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use urumi_core::error::{Error, FieldError};
use urumi_core::{Precondition, StoreId};

use crate::problem::{Code, Problem};

/// The header of idempotency keys.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Tells proxies with `no` to pass each part of an answer on at once: nginx, and our own dashboard, which takes such an
/// answer for endless.
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
            _ => Problem::new(Code::Malformed, "the body could not be read to its end"),
        })?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(wrong_json)?;
        json.end().map_err(|error| Problem::new(Code::Malformed, format!("the body is no JSON: {error}")))?;
        Ok(Body(value))
    }
}

fn wrong_json(error: serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let path = error.path().to_string();
    let error = error.into_inner();
    if !error.is_data() {
        return Problem::new(Code::Malformed, format!("the body is no JSON: {error}"));
    }
    // The place in the text says nothing that the field does not say better.
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    let field = field_of(path, &message).unwrap_or_else(|| "body".to_owned());
    Problem::fields(vec![FieldError::new(field, message)])
}

/// The field that cannot be read: where reading stopped, or the one that serde's message is about.
fn field_of(path: String, message: &str) -> Option<String> {
    if !matches!(&*path, "." | "?") {
        return Some(path);
    }
    let about = |what: &&str| message.strip_prefix(*what)?.split('`').next();
    ["missing field `", "duplicate field `", "unknown field `"].iter().find_map(about).map(str::to_owned)
}

/// A query, where every parameter is known: a mistyped `dryrun` must not create anything.
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
                    let detail = format!("the query's {field}: {message}");
                    Problem { detail, ..Problem::malformed(FieldError::new(field, message)) }
                }
                None => Problem::new(Code::Malformed, format!("the query is not acceptable: {message}")),
            }
        })
    }
}

/// The id in the path. One that cannot be an id is that of no store.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) StoreId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let raw = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let raw = raw.map_err(|_| Problem::new(Code::Malformed, "the path is not UTF-8"))?.0;
        StoreId::parse(&raw)
            .map(Id)
            .map_err(|wrong| Problem::new(Code::NotFound, format!("there is no such store: the id {}", wrong.message)))
    }
}

/// The problem of a store that does not exist, or that the caller may not know of.
pub(crate) fn no_such_store(id: &StoreId) -> Problem {
    Error::NotFound { id: id.clone() }.into()
}

/// The one value of a header.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::new(Code::Malformed, format!("the header {name} is there more than once")));
    }
    let text = value.to_str().map_err(|_| Problem::new(Code::Malformed, format!("the header {name} is not ASCII")))?;
    Ok(Some(text))
}

/// The idempotency key: as it is, or as a quoted string, which is how structured headers write it.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = one(headers, &IDEMPOTENCY_KEY)? else { return Ok(None) };
    let value = value.trim();
    let key = match value.strip_prefix('"') {
        Some(rest) => unquoted(rest).ok_or_else(|| {
            Problem::new(Code::Malformed, format!("the header {IDEMPOTENCY_KEY} begins with a quote and is no string"))
        })?,
        None => value.to_owned(),
    };
    urumi_core::store::idempotency::check_key(&key).map_err(Problem::malformed)?;
    Ok(Some(key))
}

/// The rest of a structured header's string (RFC 9651), behind the quote that opens it.
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

/// What `If-Match` expects: one entity tag as a store came with, or any (`*`).
pub(crate) fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let Some(value) = one(headers, &IF_MATCH)? else { return Ok(Precondition::NONE) };
    let value = value.trim();
    if value == "*" {
        return Ok(Precondition::NONE);
    }
    let tag = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    match tag.filter(|tag| !tag.is_empty() && tag.bytes().all(|b| matches!(b, b'!' | b'#'..=b'~'))) {
        Some(tag) => Ok(Precondition::version(tag)),
        None => Err(Problem::new(Code::Malformed, "If-Match takes one entity tag in quotes, as ETag gave it, or *")),
    }
}

/// Whether `If-None-Match` has this entity tag. Compared weakly, as RFC 9110 says: a proxy that compresses an answer
/// makes its tag a weak one.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = opaque(tag);
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    // None of our tags has a comma.
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
        let read = |values: &[&'static str]| precondition(&headers(IF_MATCH, values)).map_err(|p| p.status);
        assert_eq!(read(&[]), Ok(Precondition::NONE));
        assert_eq!(read(&["*"]), Ok(Precondition::NONE));
        assert_eq!(read(&["\"12\""]), Ok(Precondition::version("12")));
        for wrong in [&["12"][..], &["W/\"12\""], &["\"1\", \"2\""], &["\"1\"", "\"2\""], &["\"\""], &["\"1 2\""]] {
            assert_eq!(read(wrong), Err(400), "{wrong:?}");
        }
    }
}
