//! Extractors and header parsers. Their errors are problems that name every wrong field.

mod accept;
mod body;
mod fields;
mod json;
mod query;

use axum::extract::{FromRequestParts, Path};
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use urumi_core::error::Error;
use urumi_core::{Precondition, Store, StoreId};
use utoipa::IntoParams;

pub(crate) use self::accept::preferred;
pub(crate) use self::body::{Body, MergePatch};
pub(crate) use self::fields::Fields;
pub(crate) use self::query::{FromQuery, Nothing, Params, Query};

use crate::problem::{Code, Problem};

/// The header of idempotency keys.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// With the value `no`, proxies such as nginx forward each part of the answer at once. The dashboard's proxy treats
/// such an answer as an endless stream.
pub(crate) const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The last segment of the path of previews, which is also an id that a store may have.
pub(crate) const PREVIEW: &str = "preview";

/// The store id in the path. An invalid id is answered like the id of a store that does not exist.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) StoreId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = of_path(parts, state, "id").await?;
        // The only path of a store without a parameter, because it is the path of previews too.
        StoreId::parse(id.as_deref().unwrap_or(PREVIEW)).map(Id).map_err(|wrong| {
            Problem::new(Code::NotFound, format!("the store does not exist: its id {}", wrong.message))
        })
    }
}

/// The name in the path.
#[derive(Debug)]
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        of_path(parts, state, "name").await.map(|name| Name(name.unwrap_or_default()))
    }
}

/// A parameter of the path.
async fn of_path<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Result<Option<String>, Problem> {
    let params = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
    let params = params.map_err(|_| Problem::new(Code::Malformed, "the path is not valid UTF-8"))?.0;
    Ok(params.into_iter().find(|(known, _)| known == name).map(|(_, value)| value))
}

/// `If-Match`: the store must have one of these entity tags. `None` for `*`, and without the header.
#[derive(Debug, PartialEq, Eq, IntoParams)]
#[into_params(names("If-Match"), parameter_in = Header)]
pub(crate) struct IfMatch(
    /// The ETag that the store must still have, or several with commas between; a weak one (`W/`) never fits
    #[param(
        value_type = Option<String>,
        pattern = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#,
        example = r#""4711""#
    )]
    Option<Vec<String>>,
);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        IfMatch::read(&parts.headers)
    }
}

impl IfMatch {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let values: Vec<&HeaderValue> = headers.get_all(IF_MATCH).iter().collect();
        if values.is_empty() || values.iter().all(|value| value.as_bytes().trim_ascii() == b"*") {
            return Ok(IfMatch(None));
        }
        let tags: Option<Vec<_>> = values.iter().map(|value| entity_tags(value.to_str().ok()?)).collect();
        match tags.map(|tags| tags.concat()).filter(|tags| !tags.is_empty()) {
            Some(tags) => Ok(IfMatch(Some(tags.into_iter().map(str::to_owned).collect()))),
            None => Err(Problem::new(Code::Malformed, "If-Match must be entity tags in quotes, as in ETag, or *")),
        }
    }

    /// The precondition of an act on this store, as it was read for the authorisation. The comparison is strong, as in
    /// RFC 9110: a weak tag is no version.
    pub(crate) fn precondition(self, store: &Store) -> Precondition {
        let mut tags = self.0.unwrap_or_default();
        let version = |tag: &String| tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).map(str::to_owned);
        let current = tags.iter().filter_map(version).find(|version| *version == store.resource_version);
        let expected = current.or_else(|| tags.pop().map(|tag| version(&tag).unwrap_or(tag)));
        expected.map_or(Precondition::NONE, Precondition::version).pinned_to(store)
    }
}

/// A list of entity tags, with their quotes; `None` if it is malformed.
fn entity_tags(list: &str) -> Option<Vec<&str>> {
    let mut tags = Vec::new();
    let mut rest = list.trim_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let opaque = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (text, after) = opaque.split_once('"')?;
        if !text.bytes().all(|b| matches!(b, b'!' | b'#'..=b'~')) {
            return None;
        }
        tags.push(rest.strip_suffix(after)?);
        let next = after.trim_start_matches([' ', '\t']);
        if !next.is_empty() && !next.starts_with(',') {
            return None;
        }
        rest = next.trim_start_matches([' ', '\t', ',']);
    }
    Some(tags)
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
    urumi_core::store::idempotency::check_key(&key).map_err(|wrong| Problem::parameters(vec![wrong]))?;
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
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let tag = opaque(tag);
    let mut values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| {
        value.trim() == "*" || entity_tags(value).is_some_and(|tags| tags.iter().any(|known| opaque(known) == tag))
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

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
        for values in
            [&["\"a\""][..], &["W/\"a\""], &["\"b\", W/\"a\""], &["\"b,c\" ,\"a\","], &["\"b\"", "\"a\""], &["*"]]
        {
            assert!(known(values, "\"a\"") && known(values, "W/\"a\""), "{values:?}");
        }
        for values in [&[][..], &["\"b\""], &["a"], &["\"a"], &[""], &["W/W/\"a\""], &["\"b,\"a\",c\""]] {
            assert!(!known(values, "\"a\""), "{values:?}");
        }
    }

    #[test]
    fn preconditions() {
        let mut store = Store::new(StoreId::parse("a").unwrap(), "A", "medusa", Timestamp::UNIX_EPOCH);
        store.resource_version = "12".to_owned();
        let read = |values: &[&'static str]| -> Result<Option<String>, u16> {
            let found = IfMatch::read(&headers(IF_MATCH, values)).map_err(|problem| problem.status)?;
            // The store has no uid here, so any precondition expects a version.
            Ok(found.precondition(&store).expected_version().map(str::to_owned))
        };
        for fitting in
            [&[][..], &["*"], &["\"12\""], &["\"1\", \"12\""], &["\"12\"", "W/\"1\""], &[",\"1,2\",,\"12\" ,"]]
        {
            assert_eq!(read(fitting), Ok(Some("12".to_owned())), "{fitting:?}");
        }
        for (other, expected) in
            [(&["\"1\""][..], "1"), (&["W/\"12\""], "W/\"12\""), (&["\"1\", \"2\""], "2"), (&["\"\""], "")]
        {
            assert_eq!(read(other), Ok(Some(expected.to_owned())), "{other:?}");
        }
        for wrong in
            [&["12"][..], &[""], &[","], &["\"1\" \"2\""], &["\"1\"", "*"], &["\"1"], &["\"1 2\""], &["w/\"1\""]]
        {
            assert_eq!(read(wrong), Err(400), "{wrong:?}");
        }
        store.uid = Some("uid".to_owned());
        for given in [IfMatch(None), IfMatch(Some(vec!["\"12\"".to_owned()])), IfMatch(Some(vec!["\"1\"".to_owned()]))]
        {
            assert_eq!(given.precondition(&store).expected_uid(), Some("uid"), "no later store of this id is meant");
        }
    }
}
