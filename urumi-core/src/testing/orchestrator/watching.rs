//! Checks of `watch`.

use super::context::{Context, Stop, ensure};
use crate::orchestrator::{StoreEvent, StoreOrchestratorExt};
use crate::store::status::StoreStatus;

pub(super) async fn a_watch_begins_with_all_there_is(context: &Context) -> Result<(), Stop> {
    let (one, other) = (context.create().await?, context.create().await?);
    let listed = context.watch(None).first().await?;
    for id in [&one.id, &other.id] {
        ensure!(listed.iter().filter(|store| store.id == *id).count() == 1, "store {id} is not there once");
    }
    let listed = context.watch(Some(&one.id)).first().await?;
    let ids: Vec<_> = listed.iter().map(|store| &store.id).collect();
    ensure!(ids == [&one.id], "the watch of {} begins with {ids:?}", one.id);
    Ok(())
}

pub(super) async fn changes_come_in_order_until_the_store_is_gone(context: &Context) -> Result<(), Stop> {
    let mut watch = context.watch(None);
    watch.first().await?;
    let made = context.create().await?;
    let ready = |store: Option<&crate::store::Store>| store.is_some_and(|s| s.status == StoreStatus::Ready);
    let mut seen = watch.until(&made.id, "the store to be seen to become ready", ready).await?;
    context.urumi.delete(&made.id).await?;
    seen.extend(watch.until(&made.id, "the store to be seen to go", |store| store.is_none()).await?);
    // Only lists may show the store as missing.
    let statuses: Vec<StoreStatus> = seen.iter().flatten().map(|store| store.status).collect();
    ensure!(statuses.first() == Some(&StoreStatus::Provisioning), "it was first seen as {:?}", statuses.first());
    for pair in statuses.windows(2) {
        if let [before, after] = pair {
            ensure!(before.may_become(*after), "it was seen to go from {before} to {after}");
        }
    }
    ensure!(seen.last().is_some_and(Option::is_none), "it was not seen to go");
    Ok(())
}

pub(super) async fn the_watch_of_one_store_shows_no_other(context: &Context) -> Result<(), Stop> {
    let watched = context.create().await?;
    let mut watch = context.watch(Some(&watched.id));
    watch.first().await?;
    let other = context.create().await?;
    context.urumi.delete(&other.id).await?;
    context.urumi.delete(&watched.id).await?;
    context.waiting.on("the end of the watched store");
    loop {
        match watch.next().await? {
            StoreEvent::Gone(id) => {
                ensure!(id == watched.id, "store {id} was reported as gone");
                return Ok(());
            }
            StoreEvent::Changed(store) => ensure!(store.id == watched.id, "store {} was reported", store.id),
            StoreEvent::Listed(stores) => {
                ensure!(stores.iter().all(|store| store.id == watched.id), "others were listed: {stores:?}");
                if stores.is_empty() {
                    return Ok(());
                }
            }
        }
    }
}

pub(super) async fn a_store_that_does_not_exist_can_be_watched(context: &Context) -> Result<(), Stop> {
    let id = context.new_id()?;
    let mut watch = context.watch(Some(&id));
    let listed = watch.first().await?;
    ensure!(listed.is_empty(), "the watch of a missing store begins with {listed:?}");
    context.try_create(context.request().id(id.as_str())).await?;
    watch.until(&id, "a store that is watched already to be created", |store| store.is_some()).await?;
    Ok(())
}

pub(super) async fn all_watches_see_the_same(context: &Context) -> Result<(), Stop> {
    let id = context.new_id()?;
    let mut watches = [context.watch(None), context.watch(None), context.watch(Some(&id))];
    for watch in &mut watches {
        watch.first().await?;
    }
    context.try_create(context.request().id(id.as_str())).await?;
    let mut last = Vec::new();
    for watch in &mut watches {
        let ready = |store: Option<&crate::store::Store>| store.is_some_and(|s| s.status == StoreStatus::Ready);
        let seen = watch.until(&id, "a store to be seen to become ready in every watch", ready).await?;
        last.push(seen.into_iter().flatten().last().map(|store| (store.resource_version, store.conditions)));
    }
    last.dedup();
    ensure!(last.len() == 1, "three watches saw it become ready as {last:?}");
    Ok(())
}
