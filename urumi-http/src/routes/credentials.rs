//! `/stores/{id}/credentials`: how somebody signs in to a store for the first time.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::reading;
use crate::auth::{Action, Caller};
use crate::extract::{Id, Query};
use crate::openapi::OnStore;
use crate::problem::Problem;
use crate::state::ServerState;

/// Whether the password is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CredentialsQuery {
    /// Whether the password is part of the answer; without, it is not even read.
    #[serde(default = "yes")]
    #[param(default = true)]
    reveal: bool,
}

fn yes() -> bool {
    true
}

/// How somebody signs in to a store for the first time.
#[derive(Serialize, ToSchema)]
#[schema(as = Credentials)]
pub(crate) struct Revealed {
    /// The address of the page to sign in at.
    #[schema(format = "uri", example = "https://api-my-shop.stores.example.com/app")]
    address: String,
    /// The name, or e-mail address, to sign in with.
    #[schema(example = "admin@store-my-shop.stores.example.com")]
    username: String,
    /// The password that was generated for the store. It stays what it was when somebody chooses another one there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "password")]
    password: Option<String>,
}

/// Show how to sign in to a store
///
/// The address, e-mail address and generated password of the store's first administrator. Who revealed a password is
/// noted, in the server's log and as an Event.
#[utoipa::path(
    get, path = "/stores/{id}/credentials", tag = "stores", operation_id = "getStoreCredentials",
    params(("id" = String, Path, description = "The store's id"), CredentialsQuery),
    responses(
        (status = 200, description = "How to sign in; never to be stored by caches", body = Revealed),
        OnStore,
        (status = 409, description = "Nobody signs in to stores of this engine, or the password has not been made yet"),
    ),
)]
pub(super) async fn credentials(
    State(state): State<ServerState>,
    Caller(principal): Caller,
    Id(id): Id,
    Query(query): Query<CredentialsQuery>,
) -> Result<Response, Problem> {
    let asked = (&principal, Action::ViewCredentials, &id);
    let outcome = reading(&state, asked, state.orchestrator().credentials(&id, query.reveal)).await;
    if query.reveal {
        state.audit().note(&principal, Action::ViewCredentials, Some(&id), &outcome);
    }
    let credentials = outcome?;
    let body = Revealed {
        address: credentials.address,
        username: credentials.username,
        password: credentials.password.map(|password| password.reveal().to_owned()),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
