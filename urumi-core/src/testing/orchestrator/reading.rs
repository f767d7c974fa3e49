//! Checks of `get`, `list` and `engines`, and of the error of every method for a missing store.

use super::context::{Context, Stop, ensure};
use crate::error::{Error, Result};
use crate::orchestrator::{Action, Precondition, StoreOrchestratorExt};
use crate::store::logs::LogQuery;

/// Checks the variant, which conveniences such as `find` rely on.
fn not_found<T>(result: Result<T>, what: &str) -> Result<(), Stop> {
    match result {
        Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(Stop::Failed(format!("{what} of a missing store is {:?}: {error}", error.kind()))),
        Ok(_) => Err(Stop::Failed(format!("{what} of a missing store succeeds"))),
    }
}

pub(super) async fn a_missing_store_is_not_found(context: &Context) -> Result<(), Stop> {
    let (urumi, id) = (&context.urumi, context.new_id()?);
    let version = Precondition::version("1");
    not_found(urumi.get(&id).await, "get")?;
    not_found(urumi.delete(&id).await, "delete")?;
    not_found(urumi.delete_if(&id, &version).await, "delete_if")?;
    not_found(urumi.retry(&id).await, "retry")?;
    not_found(urumi.act_if(&id, Action::Retry, &version).await, "act_if")?;
    not_found(urumi.restart(&id).await, "restart")?;
    not_found(urumi.manifests(&id).await, "manifests")?;
    not_found(urumi.options(&id).await, "options")?;
    not_found(urumi.differences(&id).await, "differences")?;
    not_found(urumi.timeline(&id).await, "timeline")?;
    if context.options.logs {
        not_found(urumi.logs(&id, &LogQuery::default()).await, "logs")?;
    }
    Ok(())
}

pub(super) async fn a_list_is_oldest_first(context: &Context) -> Result<(), Stop> {
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(context.create().await?.id);
    }
    let listed = context.urumi.list().await?;
    let order: Vec<_> = listed.iter().map(|store| (store.created_at, &store.id)).collect();
    ensure!(order.is_sorted(), "the order is {order:?}");
    for id in &made {
        ensure!(listed.iter().filter(|store| store.id == *id).count() == 1, "store {id} is not there once");
    }
    Ok(())
}

pub(super) async fn engines_have_schemas(context: &Context) -> Result<(), Stop> {
    let engines = context.urumi.engines().await?;
    ensure!(engines.is_sorted_by(|a, b| a.name < b.name), "the engines are not in order, or there twice");
    ensure!(
        engines.iter().any(|engine| engine.name == context.options.engine),
        "{} is missing",
        context.options.engine
    );
    for engine in &engines {
        let schema = &engine.options;
        let is_object = schema.get("type").is_some_and(|type_| type_ == "object");
        ensure!(is_object, "the options of {} are described as {schema}", engine.name);
        ensure!(!engine.description.is_empty(), "{} has no description", engine.name);
    }
    Ok(())
}
