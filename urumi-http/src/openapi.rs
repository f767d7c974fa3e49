//! The API's description, generated from the handlers and types; `docs/openapi.json` is the same document.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use crate::auth::owner::MAX_NAME;
use crate::problem::{CONTENT, Code, FieldProblem, Problem};

/// What is said of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "urumi",
        description = "Online stores, each isolated in a Kubernetes namespace of its own: create them, watch them come \
            alive, see why one is not ready, remove them without a trace.\n\n\
            Errors are problem details (RFC 9457): `code` never changes its meaning, `detail` says what to do, \
            `retryable` whether the same request may succeed later. Every answer has an `X-Request-Id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "stores", description = "Stores, and why they are as they are"),
        (name = "engines", description = "What stores can be made of"),
        (name = "access", description = "Who the caller is"),
        (name = "health", description = "Whether the server is well"),
    ),
    components(schemas(Problem, FieldProblem, Code)),
    security(("bearer" = [])),
    modifiers(&Bearer),
)]
pub(crate) struct Api;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A token of the server's own file, of the configured OpenID Connect issuer, or of Kubernetes. A server \
             without any of these listens on loopback only and asks for none.",
        ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
    }
}

/// The errors of every operation on a store.
pub(crate) enum OnStore {}

impl IntoResponses for OnStore {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [("404", "There is no such store that the caller may see"), ("502", "The cluster refused it")]
            .map(|(status, description)| {
                (status.to_owned(), ResponseBuilder::new().description(description).build().into())
            })
            .into()
    }
}

/// What any request may be answered with.
const ANYWHERE: [Code; 11] = [
    Code::Malformed,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::NotAcceptable,
    Code::UriTooLong,
    Code::Misdirected,
    Code::RateLimited,
    Code::HeadersTooLarge,
    Code::Internal,
    Code::Overloaded,
    Code::TimedOut,
];

/// Whose a store may be, as [`Owner::parse`](crate::auth::Owner::parse) reads it: the library takes any text.
const OWNER: &str = concat!(
    r"^(user|team):[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]",
    r"([^\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*",
    r"[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff])?$"
);

/// Says of a creation's owner what holds here.
fn narrow_owner(document: &mut Document) {
    let schemas = document.components.as_mut().map(|components| &mut components.schemas);
    let Some(RefOr::T(Schema::Object(creation))) = schemas.and_then(|all| all.get_mut("CreateStore")) else { return };
    let Some(RefOr::T(Schema::Object(owner))) = creation.properties.get_mut("owner") else { return };
    owner.pattern = Some(OWNER.to_owned());
    owner.max_length = Some(MAX_NAME + "user:".len());
    let description = "Whose store it is: `user:<subject>` or `team:<name>`, the name of up to 256 bytes. The caller's \
        own by default; an operator may name one of their teams, an admin anybody.";
    owner.description = Some(description.to_owned());
}

/// A parameter may be left out, but there is no way to send that it is null.
fn never_null(parameters: Option<&mut Vec<RefOr<Parameter>>>) {
    for parameter in parameters.into_iter().flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema
            && let SchemaType::Array(types) = &schema.schema_type
            && let Some(only) = types.iter().find(|type_| **type_ != Type::Null)
        {
            schema.schema_type = SchemaType::Type(only.clone());
        }
    }
}

/// Gives each error that has no body of its own the body of a problem.
fn say_problem(responses: &mut BTreeMap<String, RefOr<Response>>) {
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            response.content.insert(CONTENT.to_owned(), content.into());
        }
    }
}

/// Adds the answers that any operation may give.
pub(crate) fn complete(mut document: Document) -> Document {
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    narrow_owner(&mut document);
    for (path, item) in &mut document.paths.paths {
        let public = matches!(path.as_str(), "/healthz" | "/readyz");
        let operations = [&mut item.get, &mut item.post, &mut item.delete, &mut item.put, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            never_null(operation.parameters.as_mut());
            for code in ANYWHERE {
                let only_for_callers = matches!(
                    code.status(),
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST
                );
                if public && only_for_callers {
                    continue;
                }
                let status = code.status().as_str().to_owned();
                let response = || ResponseBuilder::new().description(code.title()).build().into();
                operation.responses.responses.entry(status).or_insert_with(response);
            }
            say_problem(&mut operation.responses.responses);
        }
    }
    document
}
