//! Checks of `delete_if` and `act_if`.

use super::context::{Context, Stop, ensure, expect_error};
use crate::error::{Error, ErrorKind};
use crate::orchestrator::{Action, Precondition, StoreOrchestratorExt};
use crate::store::status::StoreStatus;
use crate::store::update::UpdateStore;
use crate::store::wait::{Deleted, Ready, UpToDate};

/// A version that no store of this check has: Kubernetes counts upwards from one.
const OTHER_VERSION: &str = "1";

pub(super) async fn a_deletion_takes_the_store_away(context: &Context) -> Result<(), Stop> {
    let made = context.ready().await?;
    let deleted = context.urumi.delete(&made.id).await?;
    ensure!(deleted.id == made.id && deleted.status == StoreStatus::Deleting, "it is now {deleted:?}");
    // A read after the write shows it.
    match context.urumi.get(&made.id).await {
        Ok(store) => ensure!(store.status == StoreStatus::Deleting, "get shows it as {}", store.status),
        missing => drop(expect_error(missing, ErrorKind::NotFound, "get of a deleted store")?),
    }
    context.waiting.on("a deleted store to be gone");
    context.urumi.wait_until(&made.id, Deleted, context.options.deadline).await?;
    expect_error(context.urumi.get(&made.id).await, ErrorKind::NotFound, "get of a store that is gone")?;
    let listed = context.urumi.list().await?;
    ensure!(!listed.iter().any(|store| store.id == made.id), "the list still has it");
    Ok(())
}

pub(super) async fn deleting_twice_is_success(context: &Context) -> Result<(), Stop> {
    let made = context.create().await?;
    context.urumi.delete(&made.id).await?;
    for expected in [Precondition::NONE, Precondition::version(OTHER_VERSION)] {
        match context.urumi.delete_if(&made.id, &expected).await {
            Ok(store) => ensure!(store.status == StoreStatus::Deleting, "it is {}", store.status),
            // It is already gone.
            missing => drop(expect_error(missing, ErrorKind::NotFound, "the second deletion")?),
        }
    }
    Ok(())
}

pub(super) async fn a_deletion_obeys_its_precondition(context: &Context) -> Result<(), Stop> {
    let made = context.ready().await?;
    let other = Precondition::version(OTHER_VERSION);
    let refused = context.urumi.delete_if(&made.id, &other).await;
    let error = expect_error(refused, ErrorKind::Conflict, "the deletion of another version")?;
    ensure!(error.to_string().contains("changed"), "the error does not say that the store has changed: {error}");
    let still = context.urumi.get(&made.id).await?;
    ensure!(still.status == StoreStatus::Ready, "a refused deletion left it {}", still.status);
    // The monitor may write between the read and the deletion.
    for _ in 0..20 {
        let seen = context.urumi.get(&made.id).await?;
        match context.urumi.delete_if(&made.id, &Precondition::version(seen.resource_version)).await {
            Ok(store) => {
                ensure!(store.status == StoreStatus::Deleting, "it is {}", store.status);
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Stop::Failed("the version that was just seen was never the right one".into()))
}

pub(super) async fn a_retry_obeys_its_precondition(context: &Context) -> Result<(), Stop> {
    let made = context.create().await?;
    let refused = context.urumi.act_if(&made.id, Action::Retry, &Precondition::version(OTHER_VERSION)).await;
    let error = expect_error(refused, ErrorKind::Conflict, "the retry of another version")?;
    ensure!(error.to_string().contains("changed"), "the error does not say that the store has changed: {error}");
    Ok(())
}

/// An orchestrator that cannot tell stores by their uids, as one that talks to a server, refuses the precondition itself.
pub(super) async fn no_act_reaches_another_store_than_the_expected_one(context: &Context) -> Result<(), Stop> {
    let made = context.ready().await?;
    let other = Precondition::uid("00000000-0000-4000-8000-000000000000");
    let acts = [
        ("retry", context.urumi.act_if(&made.id, Action::Retry, &other).await.map(drop)),
        ("change", context.urumi.update_if(&made.id, UpdateStore::new().name("Other"), &other).await.map(drop)),
        ("restart", context.urumi.act_if(&made.id, Action::Restart { component: None }, &other).await.map(drop)),
        ("smoke order", context.urumi.smoke_if(&made.id, &other).await.map(drop)),
        ("deletion", context.urumi.delete_if(&made.id, &other).await.map(drop)),
    ];
    for (act, refused) in acts {
        match refused.map_err(|error| (error.kind(), error)) {
            Err((ErrorKind::NotFound | ErrorKind::Invalid, _)) => {}
            other => return Err(Stop::Failed(format!("the {act} of a store with another uid: {other:?}"))),
        }
    }
    let still = context.urumi.get(&made.id).await?;
    ensure!(still.status == StoreStatus::Ready, "the refused acts left it {}", still.status);
    context.urumi.confirm(&made).await?;
    Ok(())
}

pub(super) async fn a_ready_store_is_restarted_as_asked(context: &Context) -> Result<(), Stop> {
    let new = context.create().await?;
    match context.urumi.restart(&new.id).await {
        // It is already ready.
        Ok(store) => ensure!(store.status != StoreStatus::Provisioning, "a provisioning store was restarted"),
        refused => drop(expect_error(refused, ErrorKind::Conflict, "the restart of a new store")?),
    }
    let made = context.ready().await?;
    let restart = |component: Option<&str>| Action::Restart { component: component.map(str::to_owned) };
    let unknown = context.urumi.act_if(&made.id, restart(Some("no-such-component")), &Precondition::NONE).await;
    let error = expect_error(unknown, ErrorKind::Invalid, "the restart of an unknown component")?;
    ensure!(error.to_string().contains("no-such-component"), "the error does not name the component: {error}");
    let refused = context.urumi.act_if(&made.id, restart(None), &Precondition::version(OTHER_VERSION)).await;
    let error = expect_error(refused, ErrorKind::Conflict, "the restart of another version")?;
    ensure!(error.to_string().contains("changed"), "the error does not say that the store has changed: {error}");
    let restarted = context.urumi.restart(&made.id).await?;
    ensure!(restarted.id == made.id && restarted.created_at == made.created_at, "it is now {restarted:?}");
    let manifests = context.urumi.manifests(&made.id).await?;
    ensure!(manifests.iter().any(|m| m.to_string().contains("restarted-at")), "no workload is to be restarted");
    Ok(())
}

pub(super) async fn a_change_is_the_next_revision_and_can_be_taken_back(context: &Context) -> Result<(), Stop> {
    let made = context.ready().await?;
    ensure!(made.revision == 1, "a new store is revision {}", made.revision);
    let rename = |name: &str| UpdateStore::new().name(name).reason("conformance").by("checker");
    let preview = context.urumi.preview_update(&made.id, rename("Renamed"), &Precondition::NONE).await;
    let preview = match preview {
        Err(error @ (Error::Invalid(_) | Error::WrongState { .. })) => {
            return Err(Stop::Skipped(format!("stores cannot be changed here: {error}")));
        }
        preview => preview?,
    };
    ensure!((preview.revision, preview.name.as_str()) == (2, "Renamed"), "the preview is {preview:?}");
    let still = context.urumi.get(&made.id).await?;
    ensure!((still.revision, &still.name) == (1, &made.name), "a preview has changed the store: {still:?}");
    let refused = context.urumi.update_if(&made.id, rename("Renamed"), &Precondition::version(OTHER_VERSION)).await;
    let error = expect_error(refused, ErrorKind::Conflict, "the change of another version")?;
    ensure!(error.to_string().contains("changed"), "the error does not say that the store has changed: {error}");
    let refused = context.urumi.update(&made.id, rename("")).await;
    expect_error(refused, ErrorKind::Invalid, "a change to an empty name")?;
    let changed = context.urumi.update(&made.id, rename("Renamed")).await?;
    ensure!((changed.revision, changed.name.as_str()) == (2, "Renamed"), "it is now {changed:?}");
    let same = context.urumi.update(&made.id, rename("Renamed")).await?;
    ensure!(same.revision == 2, "a change of nothing is revision {}", same.revision);
    context.waiting.on("a change to be rolled out");
    context.urumi.wait_until(&made.id, UpToDate, context.options.deadline).await?;
    let preview = context.urumi.preview_rollback(&made.id, None, &Precondition::NONE).await?;
    ensure!((preview.revision, &preview.name) == (3, &made.name), "the preview of the way back is {preview:?}");
    let unknown = context.urumi.preview_rollback(&made.id, Some(9), &Precondition::NONE).await;
    expect_error(unknown, ErrorKind::Invalid, "the preview of a return to no revision")?;
    let back = context.urumi.roll_back(&made.id).await?;
    ensure!((back.revision, &back.name) == (3, &made.name), "after the way back it is {back:?}");
    context.waiting.on("the way back to be rolled out");
    let rolled_out = context.urumi.wait_until(&made.id, UpToDate, context.options.deadline).await?;
    ensure!(rolled_out.is_some_and(|store| store.status == StoreStatus::Ready), "it is not ready any more");
    let history = context.urumi.history(&made.id).await?;
    let numbers: Vec<u64> = history.iter().map(|revision| revision.number).collect();
    ensure!(numbers == [1, 2, 3], "the history has the revisions {numbers:?}");
    let names: Vec<&str> = history.iter().map(|revision| revision.name.as_str()).collect();
    ensure!(names == [&made.name, "Renamed", &made.name], "the history has the names {names:?}");
    ensure!(history.iter().map(|revision| revision.current).eq([false, false, true]), "the present one is {history:?}");
    ensure!(history.last().and_then(|last| last.restores) == Some(1), "the last one restores {history:?}");
    let missing = Action::Rollback { to: Some(99), by: None };
    let refused = context.urumi.act_if(&made.id, missing, &Precondition::NONE).await;
    expect_error(refused, ErrorKind::Invalid, "the return to a revision that does not exist")?;
    Ok(())
}

pub(super) async fn a_store_that_is_being_deleted_is_not_changed(context: &Context) -> Result<(), Stop> {
    let made = context.ready().await?;
    context.urumi.delete(&made.id).await?;
    let refused = context.urumi.update(&made.id, UpdateStore::new().name("Too late")).await;
    match refused.map_err(|error| (error.kind(), error)) {
        Err((ErrorKind::Conflict | ErrorKind::NotFound, _)) => Ok(()),
        other => Err(Stop::Failed(format!("the change of a store that is being deleted: {other:?}"))),
    }
}

pub(super) async fn a_ready_store_is_not_retried(context: &Context) -> Result<(), Stop> {
    let made = context.ready().await?;
    let error = expect_error(context.urumi.retry(&made.id).await, ErrorKind::Conflict, "the retry of a ready store")?;
    ensure!(!error.is_retryable(), "it is said to become possible by itself");
    ensure!(error.to_string().contains("ready"), "the error does not say which status it has: {error}");
    // A store that is being provisioned is resumed, unless it is already ready.
    let made = context.create().await?;
    match context.urumi.retry(&made.id).await {
        Ok(store) => ensure!(store.status == StoreStatus::Provisioning, "it is {}", store.status),
        refused => drop(expect_error(refused, ErrorKind::Conflict, "the retry of a new store")?),
    }
    Ok(())
}

pub(super) async fn a_failed_store_is_retried(context: &Context) -> Result<(), Stop> {
    let Some(failing) = context.options.failing.clone() else {
        return Err(Stop::Skipped("no options with which a store fails are known here".into()));
    };
    let request = context.request().id(context.new_id()?.as_str()).options(failing);
    let id = context.try_create(request).await?.id;
    context.waiting.on("a store to fail");
    match context.urumi.wait_until(&id, Ready.or_failed(), context.options.deadline).await {
        Err(Error::StoreFailed { store }) => {
            ensure!(store.reason.as_deref().is_some_and(|reason| !reason.is_empty()), "it failed without a reason");
        }
        other => return Err(Stop::Failed(format!("it did not fail: {other:?}"))),
    }
    let retried = context.urumi.retry(&id).await?;
    ensure!(retried.status == StoreStatus::Provisioning, "after a retry it is {}", retried.status);
    let got = context.urumi.get(&id).await?;
    ensure!(got.status == StoreStatus::Provisioning, "after a retry get shows it as {}", got.status);
    Ok(())
}
