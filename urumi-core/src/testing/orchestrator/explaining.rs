//! Checks of `manifests`, `options`, `differences`, `timeline`, `credentials` and `logs`.

use std::collections::HashMap;

use futures::StreamExt;

use super::context::{Context, Stop, ensure, expect_invalid};
use super::previewing::{outline, secrets_shown};
use crate::error::ErrorKind;
use crate::orchestrator::StoreOrchestratorExt;
use crate::store::StoreId;
use crate::store::logs::LogQuery;
use crate::store::wait::Ready;

pub(super) async fn manifests_hold_no_secret(context: &Context) -> Result<(), Stop> {
    let store = context.create().await?;
    let manifests = context.urumi.manifests(&store.id).await?;
    let outline = outline(&manifests);
    ensure!(
        outline.first() == Some(&format!("Namespace {}", store.namespace)),
        "they begin with {:?}",
        outline.first()
    );
    let shown = secrets_shown(&manifests);
    ensure!(shown.is_empty(), "they show {shown:?}");
    Ok(())
}

pub(super) async fn options_are_those_of_the_request_and_those_in_force(context: &Context) -> Result<(), Stop> {
    let store = context.create().await?;
    let options = context.urumi.options(&store.id).await?;
    let asked = &context.options.engine_options;
    ensure!(options.requested == *asked, "the request chose {asked:?}, and not {:?}", options.requested);
    let lacking = asked.keys().find(|key| !options.effective.contains_key(*key));
    ensure!(lacking.is_none(), "the options in force lack {lacking:?}");
    Ok(())
}

pub(super) async fn a_ready_store_has_no_differences(context: &Context) -> Result<(), Stop> {
    let store = context.ready().await?;
    let differences = context.urumi.differences(&store.id).await?;
    ensure!(differences.is_empty(), "there are {differences:?}");
    Ok(())
}

pub(super) async fn the_timeline_tells_of_a_stores_life(context: &Context) -> Result<(), Stop> {
    let store = context.ready().await?;
    let timeline = context.urumi.timeline(&store.id).await?;
    ensure!(timeline.is_sorted_by_key(|entry| entry.time), "it is not in order: {timeline:?}");
    for wanted in ["Created", "Ready"] {
        ensure!(timeline.iter().any(|entry| entry.reason == wanted), "{wanted} is missing: {timeline:?}");
    }
    Ok(())
}

pub(super) async fn a_password_is_shown_only_to_whom_it_is_revealed(context: &Context) -> Result<(), Stop> {
    let store = context.ready().await?;
    let hidden = context.urumi.credentials(&store.id, false).await?;
    ensure!(hidden.password.is_none(), "it is shown though nobody asked");
    ensure!(!hidden.username.is_empty() && hidden.address.starts_with("http"), "nobody can sign in: {hidden:?}");
    let revealed = context.urumi.credentials(&store.id, true).await?;
    let password = revealed.password.as_ref().map(|password| password.reveal().to_owned()).unwrap_or_default();
    ensure!(password.len() >= 20 && password != "REDACTED", "it has {} characters", password.len());
    ensure!(!format!("{revealed:?}").contains(&password), "debug output shows it");
    let again = context.urumi.credentials(&store.id, true).await?;
    ensure!(again == revealed, "it is another one when it is asked for again");
    let manifests = serde_json::to_string(&context.urumi.manifests(&store.id).await?).unwrap_or_default();
    ensure!(!manifests.contains(&password), "the manifests show it");
    let missing = context.urumi.credentials(&StoreId::random(), true).await;
    ensure!(matches!(&missing, Err(e) if e.kind() == ErrorKind::NotFound), "a missing store gives {missing:?}");
    Ok(())
}

pub(super) async fn an_unknown_component_has_no_logs(context: &Context) -> Result<(), Stop> {
    if !context.options.logs {
        return Err(Stop::Skipped("the logs of containers cannot be read here".into()));
    }
    let store = context.create().await?;
    let query = LogQuery { component: Some("no-such-component".to_owned()), ..LogQuery::default() };
    expect_invalid(context.urumi.logs(&store.id, &query).await, "the logs of an unknown component")?;
    Ok(())
}

/// Which lines there are, and whether containers can be read at all, depends on the cluster.
pub(super) async fn followed_logs_end_with_the_store(context: &Context) -> Result<(), Stop> {
    if !context.options.logs {
        return Err(Stop::Skipped("the logs of containers cannot be read here".into()));
    }
    let store = context.create().await?;
    let query = LogQuery { follow: true, ..LogQuery::default() };
    let mut lines = context.urumi.logs(&store.id, &query).await?;
    let mut latest = HashMap::new();
    let reading = async {
        while let Some(line) = lines.next().await {
            let Ok(line) = line else { continue };
            let known = latest.insert((line.pod.clone(), line.container.clone()), line.timestamp);
            ensure!(known.is_none_or(|known| known <= line.timestamp), "{line:?} came after a line of {known:?}");
        }
        Ok(())
    };
    let deleting = async {
        context.waiting.on("a store to become ready while its logs are followed");
        context.urumi.wait_until(&store.id, Ready.or_failed(), context.options.deadline).await?;
        context.urumi.delete(&store.id).await?;
        context.waiting.on("the end of the logs of a store that is gone");
        Ok::<(), Stop>(())
    };
    let (read, deleted) = tokio::join!(reading, deleting);
    deleted?;
    read
}

/// The content of the logs, and whether all of them can be read, depends on the cluster.
pub(super) async fn logs_end_where_nothing_is_followed(context: &Context) -> Result<(), Stop> {
    if !context.options.logs {
        return Err(Stop::Skipped("the logs of containers cannot be read here".into()));
    }
    let store = context.ready().await?;
    let mut lines = context.urumi.logs(&store.id, &LogQuery { tail: 10, ..LogQuery::default() }).await?;
    context.waiting.on("the end of logs that are not followed");
    while let Some(line) = lines.next().await {
        if let Ok(line) = line {
            ensure!(!line.component.is_empty() && !line.text.contains('\n'), "{line:?} is no line");
        }
    }
    Ok(())
}
