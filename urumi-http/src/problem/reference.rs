//! Generates `docs/PROBLEMS.md`.

use super::{Code, TYPE_PREFIX};

const BEFORE: &str = "\
# Problems

Generated from the code by `UPDATE_DOCS=1 cargo test -p urumi-http contract`; do not edit.

The API answers errors with problem details as in RFC 9457 (`application/problem+json`). Programs use `code`, which never
changes its meaning; new codes may be added. `title` is the same for every occurrence, `detail` has the cause and how to fix
it, `errors` lists the invalid fields (at most 50), and `instance` names the request: `urn:uuid:` and its `X-Request-Id`, or
that id alone if it is no UUID. `type` is an identifier and need not be the address of a page:";

const TABLE: &str = "\
*Retryable* is the value of `retryable`: whether the same request may succeed later without any change by a person. If the
answer has `Retry-After`, wait that many seconds first. Repeat a creation only with the same `Idempotency-Key`.

| code | status | retryable | meaning | what to do |
| --- | --- | --- | --- | --- |
";

/// The text of `docs/PROBLEMS.md`; a test compares it.
pub fn reference() -> String {
    let mut out = format!("{BEFORE}\n`{TYPE_PREFIX}` and the code.\n\n{TABLE}");
    for code in Code::ALL {
        out.push_str(&format!(
            "| <a id=\"{0}\"></a>`{0}` | {1} | {2} | {3} | {4} |\n",
            code.as_str(),
            code.status().as_u16(),
            if code.retryable() { "yes" } else { "no" },
            code.title(),
            advice(*code),
        ));
    }
    out
}

/// How to fix a problem.
fn advice(code: Code) -> &'static str {
    match code {
        Code::Malformed => {
            "Fix the header, every query parameter in `errors`, or the syntax of the body; `detail` names it."
        }
        Code::Invalid => "Fix every field in `errors`; nothing was created.",
        Code::Unauthenticated => {
            "Send a valid token as `Authorization: Bearer <token>`; get a new one if it has expired."
        }
        Code::Forbidden => {
            "Ask the operator of the server for the role that `detail` names, or choose an owner that you are allowed to set."
        }
        Code::CrossSite => {
            "Use the server's own pages, or start the server with `--cors-origin` and the page's origin."
        }
        Code::LimitReached => {
            "Delete a store of this owner, request less, or ask the operator of the server for a higher limit."
        }
        Code::NotFound => "`GET /stores` lists the stores that you can see.",
        Code::NoSuchEngine => "Use an engine that `detail` names.",
        Code::NoSuchPath => "`/docs` lists all paths.",
        Code::MethodNotAllowed => "Use one of the methods in `Allow`.",
        Code::NotAcceptable => "Use a media type from `/docs` in `Accept`.",
        Code::AlreadyExists => "Choose another id, or omit it.",
        Code::WrongState => "Check the store's status; `detail` names the status that is required.",
        Code::IdempotencyInUse => "Use a new key for a new store.",
        Code::SmokeRunning => "Wait until the order has ended, then repeat the request.",
        Code::Conflict => "Read the store again, then repeat the request.",
        Code::PreconditionFailed => "Read the store again, then repeat the request with its new `ETag`.",
        Code::PayloadTooLarge => "Send a smaller body.",
        Code::UriTooLong => "Send a shorter query.",
        Code::Misdirected => "Send the request to `localhost`, or start the server with `--accept-host` and this name.",
        Code::UnsupportedMediaType => "Send JSON with `Content-Type: application/json`.",
        Code::UnsupportedEncoding => "Send the body without compression and without `Content-Encoding`.",
        Code::IdempotencyMismatch => "Use a new key; the store of the first request is unchanged.",
        Code::RateLimited => "Wait for the time in `Retry-After`, or close a stream; `detail` names the limit.",
        Code::ProvisioningLimit => "Wait until one of the owner's stores is ready.",
        Code::CreationLimit => "Wait, or ask the operator of the server for a higher limit.",
        Code::HeadersTooLarge => "Send fewer or shorter headers.",
        Code::Internal => "Report it to the operator of the server with the `X-Request-Id` of the answer.",
        Code::ClusterRefused => {
            "Report it to the operator of the server: a permission, a quota or a policy of the cluster prevents the request."
        }
        Code::NoReport => {
            "`detail` has the reason, for example the image, the cluster's capacity or the store's deadline."
        }
        Code::NotReady => "Repeat the request; the server is starting or stopping.",
        Code::Overloaded => "Repeat the request later, and send fewer requests at once.",
        Code::ClusterUnreachable => "Repeat the request.",
        Code::AuthUnavailable => "Repeat the request.",
        Code::ApiUnreachable => {
            "Repeat the request after `Retry-After` seconds, a creation with its key. If the error persists, check that the backend runs and that `--api-url` is its address."
        }
        Code::VersionNotReached => {
            "Repeat the request after `Retry-After` seconds. If the error persists, the version is not one of this cluster, or its store is gone: read without `resourceVersion`."
        }
        Code::TimedOut => "Repeat the request, a creation with its key.",
    }
}
