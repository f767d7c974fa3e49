//! Checks of smoke orders.

use super::room::{Room, Stop, ensure, expect_error};
use crate::error::ErrorKind;
use crate::status::StoreStatus;
use crate::store::StoreId;

pub(super) async fn a_ready_store_takes_an_order(room: &Room) -> Result<(), Stop> {
    if !room.options.smoke {
        return Err(Stop::Skipped("nobody reports smoke orders here".into()));
    }
    let store = room.ready().await?;
    room.waiting.on("a smoke order");
    let report = room.urumi.smoke(&store.id).await?;
    ensure!(report.failure().is_none(), "it failed: {report:?}");
    ensure!(!report.steps.is_empty() && report.order.is_some(), "nothing was ordered: {report:?}");
    Ok(())
}

pub(super) async fn a_missing_store_is_not_tried(room: &Room) -> Result<(), Stop> {
    expect_error(room.urumi.smoke(&StoreId::random()).await, ErrorKind::NotFound, "the smoke order of no store")?;
    Ok(())
}

pub(super) async fn a_store_that_is_not_ready_is_not_tried(room: &Room) -> Result<(), Stop> {
    let store = room.create().await?;
    let refused = room.urumi.smoke(&store.id).await;
    // It may have become ready in between.
    if refused.is_err() || room.urumi.get(&store.id).await?.status == StoreStatus::Provisioning {
        expect_error(refused, ErrorKind::Conflict, "the smoke order of a store that is being made")?;
    }
    Ok(())
}
