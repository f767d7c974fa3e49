//! The OpenAPI description, generated from the handlers and types. `docs/openapi.json` is a copy.

mod examples;
mod shared;

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::Value;
use urumi_core::store::MAX_OWNER;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{Components, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use self::shared::Shared;
use crate::problem::{Code, FieldProblem, Problem};

/// The description of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "urumi",
        description = "Create online stores, each isolated in its own Kubernetes namespace, follow their progress, see \
            why a store is not ready, and delete them completely.\n\n\
            Errors are problem details (RFC 9457): `code` never changes its meaning, `detail` says how to fix the \
            problem, `retryable` whether the same request may succeed later. Every answer has an `X-Request-Id`.\n\n\
            Later versions may add operations, fields, problem codes, events and values of texts with `x-extensible-enum`: \
            ignore those that you do not know.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers(
        (url = "/", description = "The server that this description comes from"),
        (url = "http://localhost:8080", description = "A server on this computer, as `make demo` starts it"),
    ),
    tags(
        (name = "stores", description = "Stores, their history and their objects"),
        (name = "engines", description = "The engines of stores and their options"),
        (name = "access", description = "The caller, and how callers authenticate"),
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
        ["404", "502"].map(|status| (status.to_owned(), ResponseBuilder::new().build().into())).into()
    }
}

/// The errors of every operation that clients expect. Others, such as 500, are the answer `default`.
const ANYWHERE: [Code; 6] =
    [Code::Malformed, Code::Unauthenticated, Code::Forbidden, Code::RateLimited, Code::Overloaded, Code::TimedOut];

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
    owner.max_length = Some(MAX_OWNER);
    let description = "The owner: `user:<subject>` or `team:<name>`, with a name of up to 256 bytes. The default is the \
        caller; an operator may set one of their teams, an admin any owner.";
    owner.description = Some(description.to_owned());
}

/// Allows `null` for fields of requests that may be left out.
fn allow_null(components: &mut Components) {
    let Some(RefOr::T(Schema::Object(creation))) = components.schemas.get_mut("CreateStore") else { return };
    for (name, field) in &mut creation.properties {
        if !creation.required.contains(name)
            && let RefOr::T(Schema::Object(field)) = field
            && let SchemaType::Type(only) = &field.schema_type
        {
            field.schema_type = SchemaType::Array(vec![only.clone(), Type::Null]);
        }
    }
}

/// Describes enumerations as texts whose known values are listed, because clients must accept values that are added later:
/// generators of clients make types of `enum` that refuse them.
fn open_enumerations(components: &mut Components) {
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        let Some(values) = object.enum_values.take() else { continue };
        object.examples = values.iter().take(1).cloned().collect();
        object.extensions.get_or_insert_default().insert("x-extensible-enum".to_owned(), Value::Array(values));
        let description = object.description.get_or_insert_default();
        description.push_str(" New values may be added.");
    }
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

/// Completes what the handlers and types say: the errors and headers of every operation, examples, open enumerations.
pub(crate) fn complete(mut document: Document) -> Document {
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    narrow_owner(&mut document);
    let mut shared = Shared::default();
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.delete, &mut item.put, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            // The others have the security of the document.
            let public = operation.security.is_some();
            never_null(operation.parameters.as_mut());
            for code in ANYWHERE {
                let only_for_callers = matches!(
                    code.status(),
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
                );
                if public && only_for_callers {
                    continue;
                }
                let status = code.status().as_str().to_owned();
                operation.responses.responses.entry(status).or_insert_with(|| ResponseBuilder::new().build().into());
            }
            shared.share(&mut operation.responses.responses, public);
            examples::add(operation);
        }
    }
    let components = document.components.get_or_insert_default();
    allow_null(components);
    open_enumerations(components);
    shared.define(components);
    document
}
