//! Checks of smoke orders.

use super::context::{Context, Stop, ensure, expect_error};
use crate::error::ErrorKind;
use crate::orchestrator::{Precondition, StoreOrchestratorExt as _};
use crate::store::StoreId;
use crate::store::status::StoreStatus;

pub(super) async fn a_ready_store_takes_an_order(context: &Context) -> Result<(), Stop> {
    if !context.options.smoke {
        return Err(Stop::Skipped("nobody reports smoke orders here".into()));
    }
    let store = context.ready().await?;
    context.waiting.on("a smoke order");
    let report = context.urumi.smoke(&store.id).await?;
    ensure!(report.failure().is_none(), "it failed: {report:?}");
    ensure!(!report.steps.is_empty() && report.order.is_some(), "nothing was ordered: {report:?}");
    Ok(())
}

pub(super) async fn a_missing_store_is_not_tried(context: &Context) -> Result<(), Stop> {
    expect_error(context.urumi.smoke(&StoreId::random()).await, ErrorKind::NotFound, "the smoke order of no store")?;
    Ok(())
}

pub(super) async fn a_store_that_is_not_ready_is_not_tried(context: &Context) -> Result<(), Stop> {
    // One that cannot become ready, if there is such a thing here. Another one may have become ready in between.
    let failing = context.options.failing.clone();
    let never_ready = failing.is_some();
    let mut request = context.request().id(context.new_id()?.as_str());
    if let Some(failing) = failing {
        request = request.options(failing);
    }
    let store = context.try_create(request).await?;
    let refused = context.urumi.smoke(&store.id).await;
    if never_ready || refused.is_err() || context.urumi.get(&store.id).await?.status == StoreStatus::Provisioning {
        expect_error(refused, ErrorKind::Conflict, "the smoke order of a store that is not ready")?;
    }
    Ok(())
}

pub(super) async fn a_smoke_order_obeys_its_precondition(context: &Context) -> Result<(), Stop> {
    let store = context.ready().await?;
    // No store of this check has it: Kubernetes counts upwards from one.
    let refused = context.urumi.smoke_if(&store.id, &Precondition::version("1")).await;
    let error = expect_error(refused, ErrorKind::Conflict, "the smoke order in another version")?;
    ensure!(error.to_string().contains("changed"), "the error does not say that the store has changed: {error}");
    Ok(())
}

pub(super) async fn a_store_that_is_deleted_while_it_is_tried_is_no_failure(context: &Context) -> Result<(), Stop> {
    let store = context.ready().await?;
    context.waiting.on("a smoke order in a store that is deleted");
    let (tried, deleted) = futures::join!(context.urumi.smoke(&store.id), context.urumi.delete(&store.id));
    deleted?;
    // The order may have been placed before.
    match tried.map_err(|error| (error.kind(), error)) {
        Ok(_) | Err((ErrorKind::Conflict | ErrorKind::NotFound, _)) => {}
        Err((kind, error)) => return Err(Stop::Failed(format!("the order ended with {kind:?}: {error}"))),
    }
    let refused = context.urumi.smoke(&store.id).await;
    match refused.map_err(|error| (error.kind(), error)) {
        Err((ErrorKind::Conflict | ErrorKind::NotFound, _)) => Ok(()),
        other => Err(Stop::Failed(format!("the order in a store that is being deleted: {other:?}"))),
    }
}
