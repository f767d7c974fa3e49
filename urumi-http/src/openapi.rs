//! The OpenAPI description, generated from the handlers and types. `docs/openapi.json` is a copy.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use crate::auth::owner::MAX_NAME;
use crate::problem::{CONTENT, Code, FieldProblem, Problem};

/// The description of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "urumi",
        description = "Create online stores, each isolated in its own Kubernetes namespace, follow their progress, see \
            why a store is not ready, and delete them completely.\n\n\
            Errors are problem details (RFC 9457): `code` never changes its meaning, `detail` says how to fix the \
            problem, `retryable` whether the same request may succeed later. Every answer has an `X-Request-Id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "stores", description = "Stores, their history and their objects"),
        (name = "engines", description = "The engines of stores and their options"),
        (name = "access", description = "The caller"),
        (name = "health", description = "The health of the server"),
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
            "A token of the server's file, of the configured OpenID Connect issuer, or of Kubernetes. A server without \
             authentication listens on loopback only and needs no token.",
        ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
    }
}

/// The errors of every operation on a store.
pub(crate) enum OnStore {}

impl IntoResponses for OnStore {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [("404", "The store does not exist, or the caller may not see it"), ("502", "The cluster refused the request")]
            .map(|(status, description)| {
                (status.to_owned(), ResponseBuilder::new().description(description).build().into())
            })
            .into()
    }
}

/// The errors of every operation.
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

/// The pattern of an owner, as [`Owner::parse`](crate::auth::Owner::parse) checks it; the library accepts any text.
const OWNER: &str = concat!(
    r"^(user|team):[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]",
    r"([^\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*",
    r"[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff])?$"
);

/// Describes the stricter rules for the owner of a new store.
fn narrow_owner(document: &mut Document) {
    let schemas = document.components.as_mut().map(|components| &mut components.schemas);
    let Some(RefOr::T(Schema::Object(creation))) = schemas.and_then(|all| all.get_mut("CreateStore")) else { return };
    let Some(RefOr::T(Schema::Object(owner))) = creation.properties.get_mut("owner") else { return };
    owner.pattern = Some(OWNER.to_owned());
    owner.max_length = Some(MAX_NAME + "user:".len());
    let description = "The owner: `user:<subject>` or `team:<name>`, with a name of up to 256 bytes. The default is the \
        caller; an operator may set one of their teams, an admin any owner.";
    owner.description = Some(description.to_owned());
}

/// Removes `null` from the types of parameters: a query can omit a parameter, but not send null.
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

/// Adds a problem as the body of each error without a body.
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

/// Adds the errors of every operation, and the bodies of all errors.
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
