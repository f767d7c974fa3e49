//! The middleware that authenticates a request and inserts its [`Principal`] into the extensions.
//!
//! It reads the token from `Authorization: Bearer` only: a token in the query would appear in the logs of proxies.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use urumi_core::secret::SecretString;

use super::chain::Authentication;
use super::error::AuthError;
use super::principal::{Method, Principal};
use crate::problem::{Code, Problem};

/// The maximum length of a token in bytes. Tokens with many groups have a few thousand.
const MAX_TOKEN: usize = 16 * 1024;

/// The key of a client for rate limits: requests with the same subject count together, whatever address and token they
/// use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientKey(pub String);

impl ClientKey {
    /// The key of a principal. The same subject from two sources is two clients.
    pub fn of(principal: &Principal) -> Self {
        let how = match principal.how {
            Method::Local => "local",
            Method::StaticToken => "static",
            Method::Oidc => "oidc",
            Method::TokenReview => "kubernetes",
            Method::Embedded => "embedded",
        };
        ClientKey(format!("{how}:{}", principal.subject))
    }
}

/// The extractor of the caller: `Caller(principal): Caller`.
#[derive(Clone, Debug)]
pub struct Caller(pub Principal);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Principal>().cloned().map(Caller).ok_or_else(|| {
            // Without this, a route outside the middleware would be open to everybody.
            tracing::error!(path = parts.uri.path(), "this route has no authentication middleware");
            Problem::new(Code::Internal, "ask the operator of this server; its log has the cause")
        })
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Principal>().cloned().map(Caller))
    }
}

/// Authenticates the caller, or answers with a problem. Mount it with
/// `axum::middleware::from_fn_with_state(authentication, authenticate)`.
///
/// It inserts a [`Principal`] and a [`ClientKey`] into the extensions of the request and of the response, where outer
/// layers (logs, metrics) read them. A [`Principal`] that is already present is used unchanged.
pub async fn authenticate(State(authentication): State<Authentication>, mut request: Request, next: Next) -> Response {
    let principal = match request.extensions().get::<Principal>() {
        Some(principal) => principal.clone(),
        None => match recognise(&authentication, request.headers()).await {
            Ok(principal) => principal,
            Err(refused) => return refused.into_response(),
        },
    };
    // No handler needs the header, and without it nothing can log the token.
    request.headers_mut().remove(AUTHORIZATION);
    let key = ClientKey::of(&principal);
    request.extensions_mut().insert(key.clone());
    request.extensions_mut().insert(principal.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(key);
    response.extensions_mut().insert(principal);
    response
}

async fn recognise(authentication: &Authentication, headers: &HeaderMap) -> Result<Principal, Refused> {
    if authentication.is_open() {
        return Ok(Principal::local());
    }
    let token = bearer_token(headers)?;
    authentication.authenticate(&token).await.map_err(|error| {
        tracing::debug!(%error, "not authenticated");
        let challenge = matches!(error, AuthError::Invalid(_)).then_some(INVALID_TOKEN);
        Refused { problem: Box::new(error.into()), challenge }
    })
}

// RFC 6750, section 3.1: a challenge names no error if the request has no credentials.
const INVALID_TOKEN: &str = "Bearer realm=\"urumi\", error=\"invalid_token\"";
const INVALID_REQUEST: &str = "Bearer realm=\"urumi\", error=\"invalid_request\"";

/// A problem, and the value of `WWW-Authenticate` if it has more than the scheme.
struct Refused {
    problem: Box<Problem>,
    challenge: Option<&'static str>,
}

impl Refused {
    fn new(detail: &str, challenge: Option<&'static str>) -> Self {
        Refused { problem: Box::new(Problem::new(Code::Unauthenticated, detail)), challenge }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

/// The token of the one `Authorization` header.
fn bearer_token(headers: &HeaderMap) -> Result<SecretString, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Refused::new("send a token as `Authorization: Bearer <token>`", None));
    };
    if values.next().is_some() {
        // A proxy may have checked another one of them.
        return Err(Refused::new("there is more than one Authorization header", Some(INVALID_REQUEST)));
    }
    let value = value.as_bytes();
    let (scheme, token) = match value.iter().position(|b| *b == b' ') {
        Some(end) => value.split_at(end),
        None => (value, &[][..]),
    };
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Refused::new("only `Authorization: Bearer <token>` is accepted", None));
    }
    let token = token.trim_ascii();
    if token.len() > MAX_TOKEN {
        return Err(Refused::new("the token is too long", Some(INVALID_TOKEN)));
    }
    match std::str::from_utf8(token) {
        Ok(token) if is_b64token(token) => Ok(SecretString::new(token)),
        _ => Err(Refused::new("the token is malformed", Some(INVALID_TOKEN))),
    }
}

/// RFC 6750's `b64token`: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(values: &[&[u8]]) -> Result<String, (String, Option<&'static str>)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        bearer_token(&headers)
            .map(|token| token.reveal().to_owned())
            .map_err(|refused| (refused.problem.detail, refused.challenge))
    }

    #[test]
    fn one_header_with_one_token_is_read() {
        assert_eq!(read(&[b"Bearer abc.DEF-1_~+/=="]).unwrap(), "abc.DEF-1_~+/==");
        assert_eq!(read(&[b"bearer abc"]).unwrap(), "abc");
        assert_eq!(read(&[b"BEARER   abc  "]).unwrap(), "abc");
    }

    #[test]
    fn anything_else_is_refused_as_rfc_6750_says() {
        let challenge = |values: &[&[u8]]| read(values).unwrap_err().1;
        assert_eq!(challenge(&[]), None);
        assert_eq!(challenge(&[b"Basic dXNlcjpwYXNz"]), None);
        assert_eq!(challenge(&[b"abc"]), None);
        assert_eq!(challenge(&[b"Bearer a", b"Bearer a"]), Some(INVALID_REQUEST));
        for value in
            [&b"Bearer"[..], b"Bearer ", b"Bearer =", b"Bearer a b", b"Bearer a,b", b"Bearer \xff", b"Bearer a=b"]
        {
            assert_eq!(challenge(&[value]), Some(INVALID_TOKEN), "{value:?}");
        }
        let long = [b"Bearer ".as_slice(), &vec![b'a'; MAX_TOKEN + 1]].concat();
        assert_eq!(challenge(&[&long]), Some(INVALID_TOKEN));
    }

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_sent_and_never_repeated(value in proptest::collection::vec(32_u8..=255, 0..60)) {
            prop_assume!(!value.contains(&127));
            match read(&[&[b"Bearer ", value.as_slice()].concat()]) {
                Ok(token) => prop_assert_eq!(token.as_bytes(), value.trim_ascii()),
                Err((detail, _)) => prop_assert_eq!(
                    true, detail == "the token is malformed" || detail == "the token is too long"
                ),
            }
        }
    }
}
