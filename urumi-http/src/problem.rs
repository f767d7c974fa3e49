//! Errors as clients see them: RFC 9457 problem details with a stable code.

mod reference;

use std::error::Error as _;

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use urumi_core::error::{Error, FieldError};
use urumi_core::kubernetes::ClusterErrorKind;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::current_request::instance;

#[doc(hidden)]
pub use self::reference::reference;

/// The prefix of every problem's `type`.
pub const TYPE_PREFIX: &str = "https://urumi.ai/problems/";

/// The content type of a problem.
pub const CONTENT: &str = "application/problem+json";

/// The most fields of a problem, and the most bytes of them. The detail repeats them.
const MAX_ERRORS: usize = 50;
const MAX_ERRORS_BYTES: usize = 8 * 1024;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $retryable:literal, $title:literal;)*) => {
        /// The code of a problem. A code never changes its meaning; new codes may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] #[serde(rename = $code)] $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The code as in `code` and at the end of `type`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            /// The HTTP status of the answer.
            pub fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status,)* }
            }

            /// A summary in one line, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }

            /// Whether the same request may succeed later without any change by a person.
            pub fn retryable(self) -> bool {
                match self { $(Code::$name => $retryable,)* }
            }
        }
    };
}

codes! {
    Malformed = "malformed", BAD_REQUEST, false, "The request is malformed";
    Invalid = "invalid", UNPROCESSABLE_ENTITY, false, "A field of the request is invalid";
    Unauthenticated = "unauthenticated", UNAUTHORIZED, false, "The request has no valid credentials";
    Forbidden = "forbidden", FORBIDDEN, false, "The caller is not allowed to do this";
    CrossSite = "cross-site", FORBIDDEN, false, "The request comes from a web page of another origin";
    LimitReached = "limit-reached", FORBIDDEN, false, "The owner has reached a limit";
    NotFound = "not-found", NOT_FOUND, false, "The store does not exist";
    NoSuchEngine = "no-such-engine", NOT_FOUND, false, "The engine does not exist";
    NoSuchPath = "no-such-path", NOT_FOUND, false, "The path does not exist";
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, false, "The path does not support this method";
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, false, "No acceptable media type is available";
    AlreadyExists = "already-exists", CONFLICT, false, "The id is already in use";
    WrongState = "wrong-state", CONFLICT, false, "The store's status does not allow this";
    IdempotencyInUse = "idempotency-key-in-use", CONFLICT, false, "The store of this idempotency key is being deleted";
    SmokeRunning = "smoke-running", CONFLICT, true, "A smoke order in the store has not ended yet";
    Conflict = "conflict", CONFLICT, true, "Another request changed the store at the same time";
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, false, "The store has changed since it was read";
    PayloadTooLarge = "payload-too-large", PAYLOAD_TOO_LARGE, false, "The request body is too large";
    UriTooLong = "uri-too-long", URI_TOO_LONG, false, "The request path and query are too long";
    Misdirected = "misdirected", MISDIRECTED_REQUEST, false, "The server does not accept this host name";
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, false, "The media type of the body is not supported";
    UnsupportedEncoding = "unsupported-encoding", UNSUPPORTED_MEDIA_TYPE, false, "The content encoding of the body is not supported";
    IdempotencyMismatch = "idempotency-key-reused", UNPROCESSABLE_ENTITY, false, "The idempotency key was used for another request";
    RateLimited = "rate-limited", TOO_MANY_REQUESTS, true, "Too many requests";
    ProvisioningLimit = "provisioning-limit", TOO_MANY_REQUESTS, true, "Too many of the owner's stores are provisioning";
    CreationLimit = "creation-limit", TOO_MANY_REQUESTS, true, "The owner has created too many stores within an hour";
    HeadersTooLarge = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, false, "The request headers are too large";
    Internal = "internal", INTERNAL_SERVER_ERROR, false, "Internal error";
    ClusterRefused = "cluster-refused", BAD_GATEWAY, false, "The cluster refused the request";
    NoReport = "no-report", BAD_GATEWAY, false, "The smoke order ended without a report";
    ApiUnreachable = "api-unreachable", BAD_GATEWAY, true, "The dashboard cannot reach the API";
    NotReady = "not-ready", SERVICE_UNAVAILABLE, true, "The server is not ready";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, true, "The server is overloaded";
    ClusterUnreachable = "cluster-unreachable", SERVICE_UNAVAILABLE, true, "The cluster does not answer";
    AuthUnavailable = "auth-unavailable", SERVICE_UNAVAILABLE, true, "The token cannot be verified at the moment";
    VersionNotReached = "version-not-reached", GATEWAY_TIMEOUT, true, "The server has not seen this version yet";
    TimedOut = "timed-out", GATEWAY_TIMEOUT, true, "The request timed out";
}

// By hand: the derive does not see the names from the macro.
impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let names = Code::ALL.iter().map(|code| code.as_str());
        let description = "The code of a problem. A code never changes its meaning.";
        ObjectBuilder::new().schema_type(Type::String).description(Some(description)).enum_values(Some(names)).into()
    }
}

impl ToSchema for Code {}

/// Problem details as in RFC 9457, with urumi's extensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI that identifies the problem, not the address of a page: `https://urumi.ai/problems/` and the code.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub type_: Box<str>,
    /// A summary in one line, the same for every occurrence.
    pub title: Box<str>,
    /// The HTTP status.
    pub status: u16,
    /// The cause of this occurrence, and how to fix it.
    pub detail: String,
    /// The request with this problem: `urn:uuid:` and its `X-Request-Id`, or that id alone if it is no UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "uri-reference", nullable = false)]
    pub instance: Option<Box<str>>,
    /// The stable code, for programs.
    pub code: Code,
    /// Whether the same request may succeed later without any change by a person.
    pub retryable: bool,
    /// The invalid fields, at most 50 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// The value of `Retry-After`, in seconds.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// An invalid field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// The field's path, e.g. `options.api.replicas`.
    pub field: String,
    /// The error, and a valid value.
    pub message: String,
}

impl From<FieldError> for FieldProblem {
    fn from(error: FieldError) -> Self {
        FieldProblem { field: error.field, message: error.message }
    }
}

impl Problem {
    /// A problem with its cause and how to fix it.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem {
            type_: format!("{TYPE_PREFIX}{}", code.as_str()).into(),
            title: code.title().into(),
            status: code.status().as_u16(),
            detail: detail.into(),
            instance: None,
            code,
            retryable: code.retryable(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// A problem with invalid fields of the body. It lists the first ones, and counts the others.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Problem::of_errors(Code::Invalid, errors)
    }

    /// A problem with query parameters that cannot be read. It lists the first ones, and counts the others.
    pub fn parameters(errors: Vec<FieldError>) -> Self {
        Problem::of_errors(Code::Malformed, errors)
    }

    fn of_errors(code: Code, errors: Vec<FieldError>) -> Self {
        let found = errors.len();
        let mut bytes = 0;
        let fits = |error: &FieldError| {
            // As it is sent: a control character takes six bytes.
            bytes += serde_json::to_string(error).map_or(0, |json| json.len());
            bytes <= MAX_ERRORS_BYTES
        };
        let errors: Vec<FieldError> = errors.into_iter().take(MAX_ERRORS).take_while(fits).collect();
        let mut detail = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if found > errors.len() {
            detail.push_str(&format!("; … and {} more", found - errors.len()));
        }
        let errors = errors.into_iter().map(Into::into).collect();
        Problem { errors, ..Problem::new(code, detail) }
    }

    /// Sets `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl From<Vec<FieldError>> for Problem {
    fn from(errors: Vec<FieldError>) -> Self {
        Problem::fields(errors)
    }
}

impl From<Error> for Problem {
    /// The caller gets one text. Details for operators (addresses, underlying causes) go to the log.
    fn from(error: Error) -> Self {
        let problem = match &error {
            Error::Invalid(errors) => return Problem::fields(errors.clone()),
            Error::NotFound { .. } | Error::NoMatch { .. } | Error::Deleted { .. } => {
                return Problem::new(Code::NotFound, format!("{error}; GET /stores lists the stores that you can see"));
            }
            Error::AlreadyExists { .. } => return Problem::new(Code::AlreadyExists, error.to_string()),
            Error::KeyReused { .. } => return Problem::new(Code::IdempotencyMismatch, error.to_string()),
            Error::KeyStoreDeleting { .. } => return Problem::new(Code::IdempotencyInUse, error.to_string()),
            Error::PreconditionFailed { .. } => return Problem::new(Code::PreconditionFailed, error.to_string()),
            Error::LimitReached { .. } | Error::DemandLimit { .. } => {
                return Problem::new(Code::LimitReached, error.to_string());
            }
            Error::ProvisioningLimit { .. } => {
                return Problem::new(Code::ProvisioningLimit, error.to_string()).retry_after(10);
            }
            Error::CreationLimit { .. } => return Problem::new(Code::CreationLimit, error.to_string()),
            Error::SmokeRunning { .. } => return Problem::new(Code::SmokeRunning, error.to_string()).retry_after(5),
            Error::WrongState { .. } => return Problem::new(Code::WrongState, error.to_string()),
            Error::NoReport { .. } => return Problem::new(Code::NoReport, error.to_string()),
            Error::Ambiguous { .. } => return Problem::new(Code::Malformed, error.to_string()),
            Error::Unfinished { source, .. } | Error::Cluster { source, .. } => match source.kind() {
                ClusterErrorKind::Conflict | ClusterErrorKind::Terminating => {
                    Problem::new(Code::Conflict, format!("{error}: another request is changing it; try again"))
                }
                ClusterErrorKind::Forbidden
                | ClusterErrorKind::Unauthorized
                | ClusterErrorKind::Invalid
                | ClusterErrorKind::QuotaExceeded => Problem::new(
                    Code::ClusterRefused,
                    format!("{error}: {}; ask the operator of this server", source.message()),
                ),
                ClusterErrorKind::Unreachable | ClusterErrorKind::Timeout | ClusterErrorKind::Unavailable => {
                    Problem::new(Code::ClusterUnreachable, format!("{error}: the cluster does not answer; try again"))
                        .retry_after(2)
                }
                _ => Problem::new(Code::Internal, format!("{error}; ask the operator of this server")),
            },
            Error::Record { .. } | Error::Render { .. } | Error::WatchEnded { .. } => {
                Problem::new(Code::Internal, error.to_string())
            }
            _ => Problem::new(Code::Internal, "ask the operator of this server; its log has the cause"),
        };
        let beneath = error.source().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(%error, cause = beneath, code = problem.code.as_str(), "a request failed");
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.instance = self.instance.or_else(|| Some(instance()?.into()));
        let status = self.code.status();
        // Text and numbers always serialize.
        let mut body = serde_json::to_vec(&self).unwrap_or_default();
        body.push(b'\n');
        let mut response = (status, [(CONTENT_TYPE, CONTENT)], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"urumi\""));
        }
        if self.code == Code::UnsupportedEncoding {
            response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_are_written_as_they_serialize() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} is there twice", code.as_str());
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }

    #[test]
    fn clients_know_every_code() {
        let reported: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let known: Vec<&str> = urumi_core::store::ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(reported, known);
    }
}
