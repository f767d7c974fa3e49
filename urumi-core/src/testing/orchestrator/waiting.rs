//! Checks of wait_until and find, which build on everything else.

use std::fmt;
use std::time::Duration;

use super::room::{Room, Stop, ensure, expect_error};
use crate::error::{Error, ErrorKind};
use crate::orchestrator::StoreOrchestratorExt;
use crate::store::Store;
use crate::store::status::StoreStatus;
use crate::store::wait::{Deleted, Ready, Verdict, WaitCondition};

/// What never comes.
struct Never;

impl WaitCondition for Never {
    fn check(&self, _store: Option<&Store>) -> Verdict {
        Verdict::Pending
    }
}

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what never comes")
    }
}

pub(super) async fn what_has_happened_is_not_waited_for(room: &Room) -> Result<(), Stop> {
    let made = room.ready().await?;
    let ready = room.urumi.wait_until(&made.id, Ready, room.options.deadline).await?;
    ensure!(ready.is_some_and(|store| store.status == StoreStatus::Ready), "a ready store was not returned");
    let gone = room.urumi.wait_until(&room.new_id()?, Deleted, room.options.deadline).await?;
    ensure!(gone.is_none(), "a store that never was is {gone:?}");
    Ok(())
}

pub(super) async fn a_wait_ends_in_time(room: &Room) -> Result<(), Stop> {
    let made = room.create().await?;
    let waited = room.urumi.wait_until(&made.id, Never, Duration::from_millis(500)).await;
    let error = expect_error(waited, ErrorKind::TimedOut, "the wait for what never comes")?;
    let text = error.to_string();
    ensure!(text.contains("what never comes") && text.contains("it is "), "it does not say how the store is: {text}");
    Ok(())
}

pub(super) async fn a_store_that_does_not_exist_is_not_waited_for(room: &Room) -> Result<(), Stop> {
    let waited = room.urumi.wait_until(&room.new_id()?, Ready, room.options.deadline).await;
    expect_error(waited, ErrorKind::NotFound, "the wait for a missing store to become ready")?;
    Ok(())
}

pub(super) async fn a_store_that_fails_ends_the_wait(room: &Room) -> Result<(), Stop> {
    let Some(failing) = room.options.failing.clone() else {
        return Err(Stop::Skipped("no options with which a store fails are known here".into()));
    };
    let id = room.try_create(room.request().options(failing)).await?.id;
    let waited = room.urumi.wait_until(&id, Ready.or_failed(), room.options.deadline).await;
    expect_error(waited, ErrorKind::StoreFailed, "the wait for a store that fails")?;
    Ok(())
}

pub(super) async fn stores_are_found_by_id_beginning_and_name(room: &Room) -> Result<(), Stop> {
    let (one, other) = (room.create().await?, room.create().await?);
    let found = room.urumi.find(one.id.as_str()).await?;
    ensure!(found.id == one.id, "{} was found for the id {}", found.id, one.id);
    let named =
        room.try_create(crate::store::CreateStore { name: format!("{} only", room.tag), ..room.request() }).await?;
    let found = room.urumi.find(&named.name).await?;
    ensure!(found.id == named.id, "{} was found for the name {:?}", found.id, named.name);
    let beginning = other.id.as_str().strip_suffix('1').unwrap_or_default();
    for ambiguous in [beginning, &one.name] {
        let error = expect_error(room.urumi.find(ambiguous).await, ErrorKind::Invalid, "what fits two stores")?;
        ensure!(matches!(error, Error::Ambiguous { .. }), "{ambiguous:?} is not said to be ambiguous: {error}");
    }
    room.urumi.delete(&one.id).await?;
    room.waiting.on("a deleted store to be gone");
    room.urumi.wait_until(&one.id, Deleted, room.options.deadline).await?;
    let found = room.urumi.find(beginning).await?;
    ensure!(found.id == other.id, "{} was found for the beginning {beginning:?}", found.id);
    expect_error(room.urumi.find(&format!("no {}", room.tag)).await, ErrorKind::NotFound, "what fits no store")?;
    Ok(())
}
