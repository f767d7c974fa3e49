//! The errors and headers that mean the same in every operation, described once.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{Components, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::problem::{CONTENT, Code, FieldProblem, Problem};

/// The header of all answers, and that of answers to callers.
const REQUEST_ID: &str = "X-Request-Id";
const RATE_LIMIT: &str = "RateLimit";
/// The answer to which operations refer for all errors that they do not name.
const OTHER: &str = "Problem";

const HEADERS: [(&str, Type, &str); 8] = [
    ("Accept-Encoding", Type::String, "With the code `unsupported-encoding`: the encodings that a body may have"),
    ("Idempotency-Replayed", Type::String, "`true` if an earlier request with the same key has created the store"),
    ("Link", Type::String, "The next page of a list, `<URL>; rel=\"next\"`; left out by the last page"),
    (
        RATE_LIMIT,
        Type::String,
        "How many requests the caller may send at once (`r`), and after how many seconds all are allowed again (`t`), e.g. \
         `\"default\";r=199;t=1`; left out by servers without rate limits",
    ),
    ("Retry-After", Type::Integer, "The seconds to wait before the request is repeated"),
    ("WWW-Authenticate", Type::String, "How to authenticate: `Bearer realm=\"urumi\"`"),
    (
        "Warning",
        Type::String,
        "`299 - \"TEXT\"`, what to know about an option of the request, e.g. a secret in `api.env`; one header for each warning",
    ),
    (REQUEST_ID, Type::String, "The id of the request in the server's log: its own `X-Request-Id`, or a new one"),
];

/// The statuses whose answers have a header, besides those of all answers.
const OF_ERRORS: [(&str, &[StatusCode]); 3] = [
    (
        "Retry-After",
        &[
            StatusCode::CONFLICT,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::GATEWAY_TIMEOUT,
        ],
    ),
    ("WWW-Authenticate", &[StatusCode::UNAUTHORIZED]),
    ("Accept-Encoding", &[StatusCode::UNSUPPORTED_MEDIA_TYPE]),
];

/// The errors that operations refer to.
#[derive(Default)]
pub(super) struct Shared {
    statuses: BTreeSet<StatusCode>,
}

impl Shared {
    /// Replaces the errors and headers of an operation by references.
    pub(super) fn share(&mut self, responses: &mut BTreeMap<String, RefOr<Response>>, public: bool) {
        for (status, response) in responses.iter_mut() {
            let (RefOr::T(answer), Ok(code)) = (&mut *response, status.parse::<StatusCode>()) else { continue };
            if (code.is_client_error() || code.is_server_error()) && answer.content.is_empty() {
                self.statuses.insert(code);
                let mut reference = Ref::from_response_name(name(code));
                reference.description = std::mem::take(&mut answer.description);
                *response = RefOr::Ref(reference);
                continue;
            }
            let limited = code.is_success() && !public;
            let more = [REQUEST_ID].into_iter().chain(limited.then_some(RATE_LIMIT));
            answer.headers.extend(more.map(|name| (name.to_owned(), header(name))));
            for (name, described) in &mut answer.headers {
                if HEADERS.iter().any(|(shared, ..)| shared == name) {
                    *described = header(name);
                }
            }
        }
        responses.insert("default".to_owned(), RefOr::Ref(Ref::from_response_name(OTHER)));
    }

    /// Describes the errors and headers.
    pub(super) fn define(self, components: &mut Components) {
        for (name, type_, description) in HEADERS {
            let schema = ObjectBuilder::new().schema_type(type_);
            let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
            components.headers.insert(name.to_owned(), header.into());
        }
        for status in self.statuses {
            components.responses.insert(name(status), error(status).into());
        }
        components.responses.insert(OTHER.to_owned(), problem("Any other problem", None).into());
    }
}

fn header(name: &str) -> RefOr<utoipa::openapi::Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

/// The name of the answers with a status, e.g. `NotFound`.
fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

/// The answer with a status, for all problems that have it.
fn error(status: StatusCode) -> Response {
    let codes: Vec<Code> = Code::ALL.iter().copied().filter(|code| code.status() == status).collect();
    let described: Vec<String> = codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title())).collect();
    let mut response = problem(&described.join(" "), codes.first().and_then(|code| example(*code)));
    let own = OF_ERRORS.iter().filter(|(_, statuses)| statuses.contains(&status));
    response.headers.extend(own.map(|(name, _)| ((*name).to_owned(), header(name))));
    response
}

fn problem(description: &str, example: Option<Problem>) -> Response {
    let example = example.map(|problem| serde_json::to_value(problem).unwrap_or_default());
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(example).build();
    let mut response = ResponseBuilder::new().description(description).content(CONTENT, content).build();
    response.headers.insert(REQUEST_ID.to_owned(), header(REQUEST_ID));
    response
}

/// An example of the problems that clients meet most.
fn example(code: Code) -> Option<Problem> {
    let field = |field: &str, message: &str| FieldProblem { field: field.to_owned(), message: message.to_owned() };
    let (detail, errors) = match code {
        Code::Malformed => (
            "limit: must be a whole number from 1 to 1000, not \"0\"",
            vec![field("limit", "must be a whole number from 1 to 1000, not \"0\"")],
        ),
        Code::Invalid => (
            "engine: is required; options.api.replicas: must be 1 to 20, not 50",
            vec![field("engine", "is required"), field("options.api.replicas", "must be 1 to 20, not 50")],
        ),
        Code::NotFound => ("there is no store my-shop; GET /stores lists the stores that you can see", Vec::new()),
        _ => return None,
    };
    Some(Problem { errors, ..Problem::new(code, detail) })
}
