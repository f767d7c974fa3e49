//! Maps error answers, and failures without an answer, to errors.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use ::kube::client::AuthError;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde_json::Value;

use crate::kubernetes::Object;
use crate::kubernetes::{ClusterError, ClusterErrorKind, Verb};

/// How long to retry a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Do not retry: another attempt would fail too.
    None,
    /// Retry for a short time.
    Brief,
    /// Retry until the deadline: the cause is temporary.
    Full,
}

/// A failed attempt, without its verb and target.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: ClusterErrorKind,
    pub(super) message: String,
    pub(super) patience: Patience,
    /// The server's `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    /// Whether the server answered.
    pub(super) answered: bool,
    /// Whether the requested `resourceVersion` or page no longer exists (410).
    pub(super) expired: bool,
    /// Whether the path, not the object, is unknown (404).
    pub(super) unknown_api: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Failure {
    fn new(kind: ClusterErrorKind, patience: Patience, message: impl Into<String>) -> Self {
        Failure {
            kind,
            message: message.into(),
            patience,
            retry_after: None,
            answered: false,
            expired: false,
            unknown_api: false,
            source: None,
        }
    }

    /// The caller's object cannot be sent.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Failure::new(ClusterErrorKind::Invalid, Patience::None, message)
    }

    /// The requested data does not exist yet.
    pub(super) fn not_yet(message: impl Into<String>) -> Self {
        Failure { answered: true, ..Failure::new(ClusterErrorKind::Unavailable, Patience::None, message) }
    }

    /// The server's answer cannot be parsed. The message must not quote it.
    pub(super) fn unreadable(why: impl fmt::Display) -> Self {
        let message = format!("the API server's answer cannot be understood: {why}");
        Failure { answered: true, ..Failure::new(ClusterErrorKind::Other, Patience::None, message) }
    }

    /// The deadline passed.
    pub(super) fn timeout(limit: Duration, before: Option<&Failure>) -> Self {
        let mut message = format!("no answer within {limit:?}");
        if let Some(failure) = before {
            message.push_str("; before that: ");
            message.push_str(&failure.message);
        }
        Failure::new(ClusterErrorKind::Timeout, Patience::None, message)
    }

    /// A list is older than an earlier answer.
    pub(super) fn outdated() -> Self {
        let message = "the API server's answer is older than an earlier one";
        Failure { answered: true, ..Failure::new(ClusterErrorKind::Unavailable, Patience::None, message) }
    }

    /// A watch is past its end and delivered nothing, not even a bookmark.
    pub(super) fn silence(elapsed: Duration) -> Self {
        let message = format!("the API server sent nothing for {} s", elapsed.as_secs());
        Failure::new(ClusterErrorKind::Timeout, Patience::None, message)
    }

    /// Parses an error answer.
    pub(super) fn from_answer(code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let status = serde_json::from_slice::<Status>(body).ok().filter(|s| s.reason.is_some() || s.message.is_some());
        let mut failure = match status {
            Some(status) => Failure::from_status(code.as_u16(), &status),
            // A proxy's page, or the plain text for an unknown path. Not quoted, because it may have any size.
            None => {
                let mut failure = Failure::from_status(code.as_u16(), &Status::default());
                failure.message = format!("HTTP {code}");
                failure.unknown_api = code == StatusCode::NOT_FOUND;
                failure
            }
        };
        let header = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        failure.retry_after = header.map(Duration::from_secs).or(failure.retry_after);
        failure
    }

    /// Reads Kubernetes' `Status`; `code` is used if it has no code.
    pub(super) fn from_status(code: u16, status: &Status) -> Self {
        use ClusterErrorKind as Kind;

        let code = status.code.and_then(|c| u16::try_from(c).ok()).filter(|c| *c != 0).unwrap_or(code);
        let reason = status.reason.as_deref().unwrap_or_default();
        let message = status.message.clone().unwrap_or_default();
        let details = status.details.as_ref();
        let causes = || details.and_then(|d| d.causes.as_ref()).into_iter().flatten();
        let caused_by = |cause: &str| causes().any(|c| c.reason.as_deref() == Some(cause));
        let about = |kind: &str| details.and_then(|d| d.kind.as_deref()) == Some(kind);

        let (kind, patience) = match code {
            // The object is gone, and another one has its name.
            422 if causes().any(|c| c.field.as_deref() == Some("metadata.uid")) => (Kind::Conflict, Patience::None),
            400 | 413 | 415 | 422 => (Kind::Invalid, Patience::None),
            401 => (Kind::Unauthorized, Patience::None),
            403 if caused_by("NamespaceTerminating") || message.contains("because it is being terminated") => {
                (Kind::Terminating, Patience::None)
            }
            403 if message.contains("exceeded quota") => (Kind::QuotaExceeded, Patience::None),
            // A new quota that the controller has not counted yet.
            403 if message.contains("status unknown for quota") => (Kind::Unavailable, Patience::Full),
            403 => (Kind::Forbidden, Patience::None),
            404 => (Kind::NotFound, Patience::None),
            409 if reason == "AlreadyExists" => (Kind::AlreadyExists, Patience::None),
            // Concurrent creations under one ResourceQuota: the server's own update of the quota had a conflict.
            409 if about("resourcequotas") => (Kind::Unavailable, Patience::Full),
            409 => (Kind::Conflict, Patience::None),
            429 | 502..=504 => (Kind::Unavailable, Patience::Full),
            // The error of server-side apply for an object that does not match its schema.
            500 if message.contains("failed to create typed patch object") => (Kind::Invalid, Patience::None),
            500 if reason == "ServerTimeout" => (Kind::Unavailable, Patience::Full),
            500 => (Kind::Unavailable, Patience::Brief),
            _ => (Kind::Other, Patience::None),
        };
        let unknown_api = code == 404 && message.contains("could not find the requested resource");
        let message = if !message.is_empty() {
            message
        } else if !reason.is_empty() {
            reason.to_owned()
        } else {
            format!("HTTP {code}")
        };
        let seconds = details.and_then(|d| d.retry_after_seconds).and_then(|s| u64::try_from(s).ok());
        Failure {
            retry_after: seconds.filter(|s| *s > 0).map(Duration::from_secs),
            answered: true,
            // `ResourceVersionTooLarge`: the server has not reached the version; after a restored backup it never does.
            expired: code == 410 || caused_by("ResourceVersionTooLarge"),
            unknown_api,
            ..Failure::new(kind, patience, message)
        }
    }

    /// A failure without an answer.
    pub(super) fn from_transport(error: impl StdError + Send + Sync + 'static) -> Self {
        if let Some(auth) = chain(&error).find_map(auth_error) {
            // Do not quote or keep it: it contains the complete output of the login command, including the token.
            return Failure::new(ClusterErrorKind::Unauthorized, Patience::None, login_failure(auth));
        }
        let certificate = chain(&error).any(|e| e.downcast_ref::<rustls::Error>().is_some_and(is_about_trust));
        let patience = if certificate { Patience::None } else { Patience::Brief };
        // The message of rustls contains a link to its manual.
        let closed = |e: &io::Error| e.kind() == io::ErrorKind::UnexpectedEof;
        let message = if chain(&error).filter_map(|e| e.downcast_ref()).any(closed) {
            "the connection was closed".to_owned()
        } else {
            decapitalized(&chain(&error).last().map(ToString::to_string).unwrap_or_default())
        };
        let failure = Failure::new(ClusterErrorKind::Unreachable, patience, message);
        Failure { source: Some(Box::new(error)), ..failure }
    }

    /// Removes a Secret's values from the message, in case the server quotes them.
    pub(super) fn redact(&mut self, object: &Object) {
        if object.kind().kind != "Secret" {
            return;
        }
        let fields = ["/data", "/stringData"].into_iter().filter_map(|path| object.at(path)?.as_object());
        for value in fields.flat_map(|map| map.values()).filter_map(Value::as_str) {
            self.redact_text(value);
        }
    }

    /// Removes a secret from the message.
    pub(super) fn redact_text(&mut self, secret: &str) {
        if !secret.is_empty() && self.message.contains(secret) {
            self.message = self.message.replace(secret, "[redacted]");
        }
    }

    /// Converts it to the error for callers.
    pub(super) fn into_error(self, verb: Verb, target: impl fmt::Display) -> ClusterError {
        let error = ClusterError::new(verb, target, self.kind, self.message);
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

/// An error and all its sources. The `source` of `io::Error` skips the wrapped error.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    const DEEPEST: usize = 16;
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        let error = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &'a (dyn StdError + 'static)),
            None => error.source(),
        }
    })
    .take(DEEPEST)
}

fn auth_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a AuthError> {
    match error.downcast_ref::<::kube::Error>() {
        Some(::kube::Error::Auth(auth)) => Some(auth),
        _ => error.downcast_ref::<AuthError>(),
    }
}

/// Why the login failed, without the output of login commands, which may contain a token.
pub(super) fn login_failure(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { out, .. } => {
            let complaint: String = String::from_utf8_lossy(&out.stderr).trim().chars().take(300).collect();
            format!("the kubeconfig's login command failed ({}): {complaint}", out.status)
        }
        AuthError::AuthExecParse(_) | AuthError::ParseTokenKey(_) => {
            "the kubeconfig's login command printed no valid credential".to_owned()
        }
        other => other.to_string(),
    }
}

/// Whether a TLS error is about certificates; retries do not help.
fn is_about_trust(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(_)
            | rustls::Error::InvalidCertRevocationList(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::UnsupportedNameType
            | rustls::Error::AlertReceived(_)
    )
}

/// `Connection refused (os error 111)` → `connection refused`.
fn decapitalized(text: &str) -> String {
    let text = text.split(" (os error").next().unwrap_or(text);
    let mut chars = text.chars();
    match (chars.next(), chars.as_str()) {
        (Some(first), rest) if rest.starts_with(|c: char| c.is_lowercase()) => {
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => text.to_owned(),
    }
}
