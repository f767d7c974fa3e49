//! `/stores/{id}/credentials`: the initial credentials of a store.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::reading;
use crate::answer::Json;
use crate::auth::{Action, Caller};
use crate::extract::{FromQuery, Id, Params, Query};
use crate::openapi::OnStore;
use crate::problem::Problem;
use crate::state::ServerState;

/// Whether to include the password.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CredentialsQuery {
    /// Whether the answer includes the password. If not, the server does not read it.
    #[param(required = false, default = false)]
    reveal: bool,
}

impl FromQuery for CredentialsQuery {
    fn read(params: &mut Params) -> Self {
        CredentialsQuery { reveal: params.flag("reveal") }
    }
}

/// The initial credentials of a store.
#[derive(Serialize, ToSchema)]
#[schema(as = Credentials)]
pub(crate) struct Revealed {
    /// The URL of the sign-in page.
    #[schema(format = "uri", example = "https://api-my-shop.stores.example.com/app")]
    address: String,
    /// The user name or e-mail address.
    #[schema(example = "admin@store-my-shop.stores.example.com")]
    username: String,
    /// With `reveal=true`: the password that was generated for the store. It does not change if the user changes the password in the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "password")]
    password: Option<String>,
}

/// Show the initial credentials of a store
///
/// The sign-in URL and e-mail address of the store's first administrator, and with `reveal=true` the generated password.
/// Requests for a password are audited in the server's log and as an Event.
#[utoipa::path(
    get, path = "/stores/{id}/credentials", tag = "stores", operation_id = "getStoreCredentials",
    params(("id" = String, Path, description = "The store's id"), CredentialsQuery),
    responses(
        (status = 200, description = "The credentials; caches must not store them", body = Revealed),
        OnStore,
        (status = 409, description = "Stores of this engine have no sign-in, or the password does not exist yet"),
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
