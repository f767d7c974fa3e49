//! Checks of idempotency keys.

use futures::future::join_all;

use super::room::{Room, Stop, ensure, expect_error, expect_invalid};
use crate::error::{Error, ErrorKind};
use crate::orchestrator::StoreOrchestratorExt;
use crate::store::status::StoreStatus;

pub(super) async fn the_same_key_is_the_same_store(room: &Room) -> Result<(), Stop> {
    let request = room.request().idempotency_key(&room.tag);
    let made = room.try_create(request.clone()).await?;
    for _ in 0..3 {
        let again = room.try_create(request.clone()).await?;
        ensure!(again.id == made.id, "store {} was made, then {}", made.id, again.id);
    }
    // The same holds with an id of one's own.
    let request = room.request().id(room.new_id()?.as_str()).idempotency_key(format!("{}-id", room.tag));
    let made = room.try_create(request.clone()).await?;
    let again = room.try_create(request).await?;
    ensure!(again.id == made.id && again.created_at == made.created_at, "a repetition with an id made {again:?}");
    Ok(())
}

pub(super) async fn another_request_with_the_key_is_refused(room: &Room) -> Result<(), Stop> {
    let request = room.request().idempotency_key(&room.tag);
    let made = room.try_create(request.clone()).await?;
    let mut other = request;
    other.name.push_str(" other");
    let error = expect_error(room.try_create(other).await, ErrorKind::Invalid, "another request with a used key")?;
    ensure!(!matches!(error, Error::Invalid(_)), "a used key is no matter of fields: {error}");
    ensure!(error.to_string().contains("idempotency key"), "the error does not speak of the key: {error}");
    let got = room.urumi.get(&made.id).await?;
    ensure!(got.name == made.name, "the first store is now called {:?}", got.name);
    Ok(())
}

pub(super) async fn of_concurrent_repetitions_one_store_is_made(room: &Room) -> Result<(), Stop> {
    let request = room.request().idempotency_key(&room.tag);
    let made = join_all((0..16).map(|_| room.try_create(request.clone()))).await;
    let mut ids = Vec::new();
    for store in made {
        ids.push(store?.id);
    }
    ids.dedup();
    ensure!(ids.len() == 1, "sixteen repetitions made {ids:?}");
    let listed = room.urumi.list().await?;
    let count = listed.iter().filter(|store| store.name == request.name).count();
    ensure!(count == 1, "the list has {count} stores");
    Ok(())
}

pub(super) async fn a_key_is_its_owners(room: &Room) -> Result<(), Stop> {
    let request = room.request().idempotency_key(&room.tag);
    let one = room.try_create(request.clone()).await?;
    let other = room.try_create(request.owner(&room.options.other_owner)).await?;
    ensure!(one.id != other.id, "two owners with one key share a store");
    Ok(())
}

pub(super) async fn a_key_is_every_character_of_it(room: &Room) -> Result<(), Stop> {
    let tag = &room.tag;
    let mut ids = Vec::new();
    for key in [tag.clone(), format!("\"{tag}\""), format!("{tag}\\"), format!("\\\"{tag}, a=b; c"), tag.repeat(21)] {
        let request = room.request().idempotency_key(&key);
        let made = room.try_create(request.clone()).await?;
        ensure!(!ids.contains(&made.id), "the key {key:?} was taken for another");
        let again = room.try_create(request).await?;
        ensure!(again.id == made.id, "the key {key:?} was not known again");
        ids.push(made.id);
    }
    Ok(())
}

pub(super) async fn a_key_that_cannot_be_one_is_invalid(room: &Room) -> Result<(), Stop> {
    for key in ["", " a", "a ", "ü", "a\nb", &"x".repeat(256)] {
        let created = room.try_create(room.request().idempotency_key(key)).await;
        let fields = expect_invalid(created, &format!("the key {key:?}"))?;
        ensure!(fields == ["Idempotency-Key"], "the key {key:?} is refused for {fields:?}");
    }
    Ok(())
}

/// It may be gone by then, and the key free again; but a store that goes is never given out as a new one.
pub(super) async fn the_key_of_a_store_that_goes_makes_no_second_one_beside_it(room: &Room) -> Result<(), Stop> {
    let request = room.request().idempotency_key(&room.tag);
    let made = room.try_create(request.clone()).await?;
    room.urumi.delete(&made.id).await?;
    match room.try_create(request).await {
        Ok(again) => {
            ensure!(again.status != StoreStatus::Deleting, "a store that goes was given out: {again:?}");
            let listed = room.urumi.list().await?;
            let beside = listed.iter().filter(|store| store.name == again.name && store.id != again.id).count();
            ensure!(beside == 0, "a second store was made beside the one that goes");
        }
        refused => {
            let error = expect_error(refused, ErrorKind::Conflict, "the key of a store that is being deleted")?;
            ensure!(error.to_string().contains("idempotency key"), "the error does not speak of the key: {error}");
        }
    }
    Ok(())
}
