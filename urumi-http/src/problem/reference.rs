//! Every problem as a document, made by asking the code.

use super::{Code, TYPE_PREFIX};

const BEFORE: &str = "\
# Problems

Made from the code by `UPDATE_DOCS=1 cargo test -p urumi-http contract`; don't edit.

Whatever the API refuses, it answers with problem details as in RFC 9457 (`application/problem+json`). Programs go by
`code`, which never changes its meaning; new codes may come. `title` is the same for every occurrence, `detail` says what
happened here and what to do, `errors` names every field that is not acceptable, and `type` is";

const TABLE: &str = "\
*Retryable* is what `retryable` says: whether the same request may succeed later without anything being changed by a
person. Where the answer has `Retry-After`, wait that many seconds first. Send a creation again only with the same
`Idempotency-Key`.

| code | status | retryable | meaning | what to do |
| --- | --- | --- | --- | --- |
";

/// The document: it is `docs/PROBLEMS.md`, which a test compares.
pub fn reference() -> String {
    let mut out = format!("{BEFORE}\n`{TYPE_PREFIX}` and the code.\n\n{TABLE}");
    for code in Code::ALL {
        out.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            code.as_str(),
            code.status().as_u16(),
            if code.retryable() { "yes" } else { "no" },
            code.title(),
            advice(*code),
        ));
    }
    out
}

/// What to do about a problem.
fn advice(code: Code) -> &'static str {
    match code {
        Code::Malformed => "Correct what `detail` names: a header, the query or the syntax of the body.",
        Code::Invalid => "Correct every field in `errors`; nothing was made.",
        Code::Unauthenticated => {
            "Send a valid token as `Authorization: Bearer <token>`; get a new one if it has expired."
        }
        Code::Forbidden => {
            "Ask whoever runs the server for the role that `detail` names, or name an owner that you may."
        }
        Code::CrossSite => "Use the server's own pages, or have the page's origin allowed with `--cors-origin`.",
        Code::LimitReached => "Delete a store of this owner, or ask whoever runs the server for more.",
        Code::NotFound => "Look at `GET /stores` for those that you may see.",
        Code::NoSuchPath => "Look at `/docs` for what there is.",
        Code::MethodNotAllowed => "Use one of the methods in `Allow`.",
        Code::NotAcceptable => "Accept one of the media types that `/docs` names.",
        Code::AlreadyExists => "Choose another id, or leave it out.",
        Code::WrongState => "Look at the store's status first; `detail` says which one is needed.",
        Code::IdempotencyInUse => "Use a new key for a new store.",
        Code::Conflict => "Look at the store again, then repeat the request.",
        Code::PreconditionFailed => "Look at the store again, then repeat the request with its new `ETag`.",
        Code::PayloadTooLarge => "Send a smaller body.",
        Code::UriTooLong => "Send a shorter query.",
        Code::Misdirected => "Send the request to `localhost`, or have the name accepted with `--accept-host`.",
        Code::UnsupportedMediaType => "Send JSON with `Content-Type: application/json`.",
        Code::IdempotencyMismatch => "Use a new key; the first request's store is as it was.",
        Code::RateLimited => "Wait as long as `Retry-After` says.",
        Code::ProvisioningLimit => "Wait until one of the owner's stores is ready.",
        Code::HeadersTooLarge => "Send fewer or shorter headers.",
        Code::Internal => "Tell whoever runs the server, with the answer's `X-Request-Id`.",
        Code::ClusterRefused => {
            "Tell whoever runs the server: a permission, a quota or a policy of the cluster is in the way."
        }
        Code::NoReport => "Look at the reason in the detail: the image, room in the cluster, the store's deadline.",
        Code::NotReady => "Repeat the request; the server has just started.",
        Code::Overloaded => "Repeat the request, more slowly.",
        Code::ClusterUnreachable => "Repeat the request.",
        Code::AuthUnavailable => "Repeat the request.",
        Code::ApiUnreachable => {
            "Repeat the request after `Retry-After` seconds; a creation with its key. If it goes on, look whether the backend runs and `--api-url` is its address."
        }
        Code::TimedOut => "Repeat the request; a creation with its key.",
    }
}
