//! Checks of idempotency keys.

use futures::future::join_all;

use super::context::{Context, Stop, ensure, expect_error, expect_invalid};
use crate::error::{Error, ErrorKind};
use crate::orchestrator::StoreOrchestratorExt;
use crate::store::status::StoreStatus;

pub(super) async fn the_same_key_is_the_same_store(context: &Context) -> Result<(), Stop> {
    let request = context.request().idempotency_key(&context.tag);
    let made = context.creation(request.clone()).await?;
    ensure!(!made.is_repeated(), "the first request is said to repeat another");
    let made = made.into_store();
    for _ in 0..3 {
        let again = context.creation(request.clone()).await?;
        ensure!(again.is_repeated(), "a repetition is said to have made a store");
        let again = again.into_store();
        ensure!(again.id == made.id, "store {} was made, then {}", made.id, again.id);
    }
    // The same with an explicit id.
    let request = context.request().id(context.new_id()?.as_str()).idempotency_key(format!("{}-id", context.tag));
    let made = context.try_create(request.clone()).await?;
    let again = context.try_create(request).await?;
    ensure!(again.id == made.id && again.created_at == made.created_at, "a repetition with an id made {again:?}");
    Ok(())
}

pub(super) async fn another_request_with_the_key_is_refused(context: &Context) -> Result<(), Stop> {
    let request = context.request().idempotency_key(&context.tag);
    let made = context.try_create(request.clone()).await?;
    let mut other = request;
    other.name.push_str(" other");
    let error = expect_error(context.try_create(other).await, ErrorKind::Invalid, "another request with a used key")?;
    ensure!(!matches!(error, Error::Invalid(_)), "a used key is no matter of fields: {error}");
    ensure!(error.to_string().contains("idempotency key"), "the error does not speak of the key: {error}");
    let got = context.urumi.get(&made.id).await?;
    ensure!(got.name == made.name, "the first store is now called {:?}", got.name);
    Ok(())
}

pub(super) async fn of_concurrent_repetitions_one_store_is_made(context: &Context) -> Result<(), Stop> {
    let request = context.request().idempotency_key(&context.tag);
    let made = join_all((0..16).map(|_| context.creation(request.clone()))).await;
    let (mut ids, mut new) = (Vec::new(), 0);
    for creation in made {
        let creation = creation?;
        new += usize::from(!creation.is_repeated());
        ids.push(creation.into_store().id);
    }
    ensure!(new == 1, "{new} of sixteen repetitions are said to have made the store");
    ids.dedup();
    ensure!(ids.len() == 1, "sixteen repetitions made {ids:?}");
    let listed = context.urumi.list().await?;
    let count = listed.iter().filter(|store| store.name == request.name).count();
    ensure!(count == 1, "the list has {count} stores");
    Ok(())
}

pub(super) async fn a_key_is_its_owners(context: &Context) -> Result<(), Stop> {
    let request = context.request().idempotency_key(&context.tag);
    let one = context.try_create(request.clone()).await?;
    let other = context.try_create(request.owner(&context.options.other_owner)).await?;
    ensure!(one.id != other.id, "two owners with one key share a store");
    Ok(())
}

pub(super) async fn a_key_is_every_character_of_it(context: &Context) -> Result<(), Stop> {
    let tag = &context.tag;
    let mut ids = Vec::new();
    for key in [tag.clone(), format!("\"{tag}\""), format!("{tag}\\"), format!("\\\"{tag}, a=b; c"), tag.repeat(21)] {
        let request = context.request().idempotency_key(&key);
        let made = context.try_create(request.clone()).await?;
        ensure!(!ids.contains(&made.id), "the key {key:?} was taken for another");
        let again = context.try_create(request).await?;
        ensure!(again.id == made.id, "the key {key:?} was not known again");
        ids.push(made.id);
    }
    Ok(())
}

pub(super) async fn a_key_that_cannot_be_one_is_invalid(context: &Context) -> Result<(), Stop> {
    for key in ["", " a", "a ", "ü", "a\nb", &"x".repeat(256)] {
        let created = context.try_create(context.request().idempotency_key(key)).await;
        let fields = expect_invalid(created, &format!("the key {key:?}"))?;
        ensure!(fields == ["Idempotency-Key"], "the key {key:?} is refused for {fields:?}");
    }
    Ok(())
}

/// The store may be gone by then, and the key free again. A store that is being deleted is never returned as a new one.
pub(super) async fn the_key_of_a_store_that_goes_makes_no_second_one_beside_it(context: &Context) -> Result<(), Stop> {
    let request = context.request().idempotency_key(&context.tag);
    let made = context.try_create(request.clone()).await?;
    context.urumi.delete(&made.id).await?;
    match context.try_create(request).await {
        Ok(again) => {
            ensure!(again.status != StoreStatus::Deleting, "a store that goes was given out: {again:?}");
            let listed = context.urumi.list().await?;
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
