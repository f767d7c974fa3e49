//! What a server's problem means to the caller of an orchestrator.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;

use crate::error::{Error, ErrorKind, FieldError, Operation};
use crate::store::{ProblemCode, StoreId};

/// The most of an error's body that is read.
const MAX_BODY: usize = 64 * 1024;
/// How long reading it may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Problem details as in RFC 9457, as far as they matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    status: u16,
    code: String,
    detail: String,
    retryable: Option<bool>,
    errors: Vec<FieldProblem>,
}

#[derive(Debug, Deserialize)]
struct FieldProblem {
    field: String,
    message: String,
}

/// The error of an answer that is no success, and after how long the server wants to be asked again.
pub(super) async fn refusal(
    purpose: impl Into<Purpose>,
    id: Option<&StoreId>,
    mut response: Response,
) -> (Error, Option<Duration>) {
    let status = response.status().as_u16();
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let after = seconds.map(|seconds: u64| Duration::from_secs(seconds.min(30)));
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY {
                break;
            }
        }
    };
    // What has come by then has to do.
    let _ = tokio::time::timeout(PATIENCE, reading).await;
    let mut problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    problem.status = status;
    (meaning(purpose.into(), id, problem), after)
}

/// A problem that stands where a line was expected.
pub(super) fn in_stream(operation: Operation, id: &StoreId, line: &str, error: &serde_json::Error) -> Error {
    match serde_json::from_str::<Problem>(line) {
        Ok(problem) if !problem.code.is_empty() => meaning(operation.into(), Some(id), problem),
        _ => unreadable(operation, error),
    }
}

/// The purpose of a request, for error messages.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// An operation on stores.
    Stores(Operation),
    Engines,
    /// Any other resource of the server.
    Ask,
}

impl Purpose {
    /// Whether the request is for a collection, which every urumi server has.
    fn is_collection(self) -> bool {
        matches!(self, Purpose::Engines | Purpose::Stores(Operation::List | Operation::Watch))
    }
}

impl From<Operation> for Purpose {
    fn from(operation: Operation) -> Self {
        Purpose::Stores(operation)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Purpose::Ask => f.write_str("ask the server"),
            Purpose::Engines => f.write_str("list the engines"),
            Purpose::Stores(operation @ (Operation::List | Operation::Watch)) => write!(f, "{operation} stores"),
            Purpose::Stores(operation) => write!(f, "{operation} a store"),
        }
    }
}

fn meaning(purpose: Purpose, id: Option<&StoreId>, problem: Problem) -> Error {
    let Problem { status, code, detail, retryable, errors } = problem;
    let known = ProblemCode::parse(&code);
    match (known, id) {
        (Some(ProblemCode::Invalid), _) if !errors.is_empty() => {
            return Error::Invalid(errors.into_iter().map(|e| FieldError::new(e.field, e.message)).collect());
        }
        (Some(ProblemCode::NotFound), Some(id)) => return Error::NotFound { id: id.clone() },
        (Some(_), None) if status == 404 && purpose.is_collection() => {
            let detail = format!("cannot {purpose}: the server's address has a wrong path; the answer is: {detail}");
            let code = ProblemCode::NoSuchPath.as_str().to_owned();
            return Error::Server { kind: ErrorKind::Internal, code, detail, retryable: false };
        }
        _ => {}
    }
    let kind = match (known, status) {
        (Some(ProblemCode::TimedOut | ProblemCode::AuthUnavailable), _) => ErrorKind::Unreachable,
        (Some(ProblemCode::NoReport), _) => ErrorKind::StoreFailed,
        (Some(ProblemCode::ClusterRefused | ProblemCode::ProvisioningLimit | ProblemCode::CreationLimit), _)
        | (_, 401 | 403) => ErrorKind::NotPermitted,
        // The path is wrong or this is not a urumi server, so the response says nothing about the store.
        (Some(ProblemCode::NoSuchPath), 400..=428) => ErrorKind::Internal,
        (None, 400..=428) if code.is_empty() => ErrorKind::Internal,
        (_, 404) => ErrorKind::NotFound,
        (_, 409 | 412) => ErrorKind::Conflict,
        (_, 429 | 502 | 503 | 504) => ErrorKind::Unreachable,
        (_, 400..500) => ErrorKind::Invalid,
        _ => ErrorKind::Internal,
    };
    let retryable = retryable.unwrap_or(matches!(status, 429 | 502 | 503 | 504));
    if code.is_empty() {
        let detail = format!("cannot {purpose}: the server answered {status}, not as a urumi server does");
        return Error::Server { kind, code: "none".to_owned(), detail, retryable };
    }
    Error::Server { kind, code, detail, retryable }
}

/// Whether a server could not give an answer that is as new as was asked for.
pub(super) fn is_version_not_reached(error: &Error) -> bool {
    matches!(error, Error::Server { code, .. } if code == ProblemCode::VersionNotReached.as_str())
}

/// The error of a request that had no answer.
pub(super) fn no_answer(purpose: impl Into<Purpose>, error: &dyn fmt::Display) -> Error {
    let detail = format!("cannot {}: the server gave no answer: {error}", purpose.into());
    Error::Server { kind: ErrorKind::Unreachable, code: "none".to_owned(), detail, retryable: true }
}

/// The error of an answer that cannot be understood.
pub(super) fn unreadable(purpose: impl Into<Purpose>, error: &serde_json::Error) -> Error {
    // Said without quoting the answer, which may have anything in it.
    let detail = format!(
        "cannot {}: the server's answer is none of a urumi server (line {}, column {})",
        purpose.into(),
        error.line(),
        error.column()
    );
    Error::Server { kind: ErrorKind::Internal, code: "none".to_owned(), detail, retryable: false }
}

/// The innermost reason, which says more than `error sending request`.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_of_a_urumi_server_says_nothing_of_stores() {
        let id = StoreId::parse("shop").unwrap();
        let kind = |status, code: &str| {
            let problem = Problem { status, code: code.to_owned(), ..Problem::default() };
            meaning(Operation::Get.into(), Some(&id), problem).kind()
        };
        assert_eq!(kind(404, "not-found"), ErrorKind::NotFound);
        for (status, code) in [(404, ""), (404, "no-such-path"), (400, ""), (405, ""), (409, ""), (301, ""), (500, "")]
        {
            assert_eq!(kind(status, code), ErrorKind::Internal, "{status} {code}");
        }
        // The collection of stores always exists.
        for purpose in [Operation::List.into(), Purpose::Engines] {
            let problem = Problem { status: 404, code: "not-found".to_owned(), ..Problem::default() };
            let error = meaning(purpose, None, problem);
            assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
            assert!(error.to_string().contains("the server's address has a wrong path"), "{error}");
        }
        for (status, expected) in
            [(401, ErrorKind::NotPermitted), (403, ErrorKind::NotPermitted), (503, ErrorKind::Unreachable)]
        {
            assert_eq!(kind(status, ""), expected);
        }
        assert_eq!(kind(409, "already-exists"), ErrorKind::Conflict);
        assert_eq!(kind(422, "idempotency-key-reused"), ErrorKind::Invalid);
        // As the orchestrator's own errors.
        for (status, code) in [(403, "limit-reached"), (429, "provisioning-limit"), (429, "creation-limit")] {
            assert_eq!(kind(status, code), ErrorKind::NotPermitted, "{code}");
        }
    }
}
