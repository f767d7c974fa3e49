//! The routes, one file per resource.

mod create;
mod credentials;
mod discover;
mod explain;
mod health;
mod logs;
mod smoke;
mod stores;
mod update;
mod version;
mod watch;

pub use self::health::Readiness;
pub use self::version::ServerInfo;

use std::sync::Arc;

use axum::middleware::from_fn;
use axum::routing;
use urumi_core::{Precondition, Store, StoreId, StoreOrchestratorExt as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Action, Principal, decide};
use crate::extract::{IfMatch, PREVIEW, no_such_store};
use crate::layers::long_running;
use crate::problem::Problem;
use crate::state::ServerState;
use crate::view::{self, Entry};

/// Routes for authenticated callers that answer soon.
pub(crate) fn of_callers() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        .routes(routes!(stores::list, create::create))
        .routes(routes!(stores::get, stores::delete, update::update))
        .routes(routes!(create::preview))
        // A store may have this id, and the router would otherwise know previews alone here.
        .route(&format!("/stores/{PREVIEW}"), routing::get(stores::get).delete(stores::delete).patch(update::update))
        .routes(routes!(stores::retry))
        .routes(routes!(stores::restart))
        .routes(routes!(update::roll_back))
        .routes(routes!(update::history))
        .routes(routes!(explain::events))
        .routes(routes!(explain::manifests))
        .routes(routes!(explain::options))
        .routes(routes!(explain::diff))
        .routes(routes!(credentials::credentials))
        .routes(routes!(logs::logs))
        .routes(routes!(watch::watch))
        .routes(routes!(discover::engines))
        .routes(routes!(discover::engine))
        .routes(routes!(discover::whoami))
}

/// Routes for authenticated callers with limits of their own: the store's options limit the time of an order.
pub(crate) fn orders() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(smoke::smoke)).layer(from_fn(long_running))
}

/// Routes without authentication, for clients that do not have a token yet.
pub(crate) fn for_anyone() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(discover::authentication))
}

/// Routes without authentication, for probes.
pub(crate) fn public() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(health::alive)).routes(routes!(health::ready)).routes(routes!(version::version))
}

/// The store, if the caller may do this to it. Reads the owner from the cluster, because the view may be out of date.
///
/// A moment later, the id may belong to another owner's store. Therefore handlers pass
/// [`Precondition::of`](urumi_core::Precondition::of) this store when they act, and return what they have read only
/// after [`confirm`](urumi_core::StoreOrchestratorExt::confirm).
async fn permitted(state: &ServerState, principal: &Principal, action: Action, id: &StoreId) -> Result<Store, Problem> {
    synced(state).await?;
    let store = state.orchestrator().get(id).await?;
    let decision = decide(principal, action, view::owner_of(&store).as_ref());
    decision.or_refuse(principal, action, || no_such_store(id))?;
    Ok(store)
}

/// Changes a store, or acts in it, if the caller may, and audits the outcome. `act` gets the precondition of the
/// request, pinned to the store that the caller may act on.
async fn acting<T>(
    state: &ServerState,
    (principal, action, id): (&Principal, Action, &StoreId),
    expected: IfMatch,
    act: impl AsyncFnOnce(Precondition) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let outcome = match permitted(state, principal, action, id).await {
        Ok(store) => act(expected.precondition(&store)).await,
        Err(refusal) => Err(refusal),
    };
    state.audit().note(principal, action, Some(id), &outcome);
    outcome
}

/// Reads from a store, if the caller may. Returns `NotFound` if the id belongs to another store after the read: the
/// record must be read before, for the permission, and after, because `read` may have seen a later store.
async fn reading<T>(
    state: &ServerState,
    (principal, action, id): (&Principal, Action, &StoreId),
    read: impl Future<Output = urumi_core::Result<T>>,
) -> Result<T, Problem> {
    let store = permitted(state, principal, action, id).await?;
    let answer = read.await?;
    state.orchestrator().confirm(&store).await?;
    Ok(answer)
}

/// A store from the view, if the caller may see it.
async fn remembered(state: &ServerState, principal: &Principal, id: &StoreId) -> Result<Arc<Entry>, Problem> {
    synced(state).await?;
    let entry = state.view().get(id).ok_or_else(|| no_such_store(id))?;
    let decision = decide(principal, Action::ViewStore, entry.owner.as_ref());
    decision.or_refuse(principal, Action::ViewStore, || no_such_store(id))?;
    Ok(entry)
}

/// Waits for the first list of all stores, which takes a moment after the start.
async fn synced(state: &ServerState) -> Result<(), Problem> {
    if state.view().is_synced() {
        return Ok(());
    }
    state.view().synced().await;
    if state.view().is_synced() {
        return Ok(());
    }
    let detail = "the server has just started and has not yet seen the stores; try again";
    Err(Problem::new(crate::problem::Code::NotReady, detail).retry_after(1))
}

/// Whether the caller may see a store.
fn may_view(principal: &Principal, entry: &Entry) -> bool {
    decide(principal, Action::ViewStore, entry.owner.as_ref()).is_allowed()
}
