//! Checks of `wait_until` and `find`, which use the other methods.

use std::fmt;
use std::time::Duration;

use super::context::{Context, Stop, ensure, expect_error};
use crate::error::{Error, ErrorKind};
use crate::orchestrator::StoreOrchestratorExt;
use crate::store::Store;
use crate::store::status::StoreStatus;
use crate::store::wait::{Deleted, Ready, Verdict, WaitCondition};

/// A condition that never holds.
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

pub(super) async fn what_has_happened_is_not_waited_for(context: &Context) -> Result<(), Stop> {
    let made = context.ready().await?;
    let ready = context.urumi.wait_until(&made.id, Ready, context.options.deadline).await?;
    ensure!(ready.is_some_and(|store| store.status == StoreStatus::Ready), "a ready store was not returned");
    let gone = context.urumi.wait_until(&context.new_id()?, Deleted, context.options.deadline).await?;
    ensure!(gone.is_none(), "a store that never was is {gone:?}");
    Ok(())
}

pub(super) async fn a_wait_ends_in_time(context: &Context) -> Result<(), Stop> {
    let made = context.create().await?;
    let waited = context.urumi.wait_until(&made.id, Never, Duration::from_secs(5)).await;
    let error = expect_error(waited, ErrorKind::TimedOut, "the wait for what never comes")?;
    let text = error.to_string();
    ensure!(text.contains("what never comes") && text.contains("it is "), "it does not say how the store is: {text}");
    Ok(())
}

pub(super) async fn a_store_that_does_not_exist_is_not_waited_for(context: &Context) -> Result<(), Stop> {
    let waited = context.urumi.wait_until(&context.new_id()?, Ready, context.options.deadline).await;
    expect_error(waited, ErrorKind::NotFound, "the wait for a missing store to become ready")?;
    Ok(())
}

pub(super) async fn a_store_that_is_deleted_ends_the_wait(context: &Context) -> Result<(), Stop> {
    let made = context.create().await?;
    context.urumi.delete(&made.id).await?;
    let waited = context.urumi.wait_until(&made.id, Ready.or_failed(), context.options.deadline).await;
    let error = expect_error(waited, ErrorKind::NotFound, "the wait for a deleted store to become ready")?;
    // If it is gone by now, the wait has never seen it.
    ensure!(matches!(error, Error::Deleted { .. } | Error::NotFound { .. }), "it does not say so: {error}");
    Ok(())
}

pub(super) async fn a_store_that_fails_ends_the_wait(context: &Context) -> Result<(), Stop> {
    let Some(failing) = context.options.failing.clone() else {
        return Err(Stop::Skipped("no options with which a store fails are known here".into()));
    };
    let id = context.try_create(context.request().options(failing)).await?.id;
    let waited = context.urumi.wait_until(&id, Ready.or_failed(), context.options.deadline).await;
    expect_error(waited, ErrorKind::StoreFailed, "the wait for a store that fails")?;
    Ok(())
}

pub(super) async fn stores_are_found_by_id_beginning_and_name(context: &Context) -> Result<(), Stop> {
    let (one, other) = (context.create().await?, context.create().await?);
    let found = context.urumi.find(one.id.as_str()).await?;
    ensure!(found.id == one.id, "{} was found for the id {}", found.id, one.id);
    let named = context
        .try_create(crate::store::CreateStore { name: format!("{} only", context.tag), ..context.request() })
        .await?;
    let found = context.urumi.find(&named.name).await?;
    ensure!(found.id == named.id, "{} was found for the name {:?}", found.id, named.name);
    for exact in [named.id.as_str(), &named.name] {
        let found = context.urumi.find_exact(exact).await?;
        ensure!(found.id == named.id, "{} was found for exactly {exact:?}", found.id);
    }
    // A name like an id may be that of a store that is gone.
    let like_an_id = crate::store::StoreId::random().to_string();
    let request = crate::store::CreateStore { name: like_an_id.clone(), ..context.request() };
    let misleading = context.try_create(request).await?;
    let found = context.urumi.find(&like_an_id).await?;
    ensure!(found.id == misleading.id, "{} was found for the name {like_an_id:?}", found.id);
    expect_error(context.urumi.find_exact(&like_an_id).await, ErrorKind::NotFound, "a name that can be an id")?;
    let shared = context.urumi.find_exact(&one.name).await;
    expect_error(shared, ErrorKind::Invalid, "a name that two stores have")?;
    let beginning = other.id.as_str().strip_suffix('1').unwrap_or_default();
    for ambiguous in [beginning, &one.name] {
        let error = expect_error(context.urumi.find(ambiguous).await, ErrorKind::Invalid, "what fits two stores")?;
        ensure!(matches!(error, Error::Ambiguous { .. }), "{ambiguous:?} is not said to be ambiguous: {error}");
    }
    context.urumi.delete(&one.id).await?;
    context.waiting.on("a deleted store to be gone");
    context.urumi.wait_until(&one.id, Deleted, context.options.deadline).await?;
    for gone in [one.id.as_str(), beginning] {
        expect_error(context.urumi.find_exact(gone).await, ErrorKind::NotFound, "what is no whole id and no name")?;
    }
    let found = context.urumi.find(beginning).await?;
    ensure!(found.id == other.id, "{} was found for the beginning {beginning:?}", found.id);
    expect_error(context.urumi.find(&format!("no {}", context.tag)).await, ErrorKind::NotFound, "what fits no store")?;
    Ok(())
}
