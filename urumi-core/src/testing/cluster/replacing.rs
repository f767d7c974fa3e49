//! Checks of `replace`.

use futures::future::join_all;
use serde_json::{Value, json};

use super::context::{Context, Stop, ensure, expect_error};
use super::manifests::config_map;
use crate::kubernetes::ClusterErrorKind::{Conflict, Invalid, NotFound};
use crate::kubernetes::Object;

/// The object with other data.
fn with_data(object: &Object, data: Value) -> Object {
    let mut changed = object.clone();
    if let Some(map) = changed.as_value_mut().as_object_mut() {
        map.insert("data".into(), data);
    }
    changed
}

/// The object with another `resourceVersion`, or without one.
fn at_version(object: &Object, version: Option<&str>) -> Object {
    let mut changed = object.clone();
    if let Some(metadata) = changed.as_value_mut().pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
        metadata.extend(version.map(|version| ("resourceVersion".to_owned(), json!(version))));
    }
    changed
}

pub(super) async fn what_is_left_out_is_removed(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let first = context.cluster.create(&config_map(context, &ns, "a", json!({"k": "1", "gone": "x"}))?).await?;
    let stored = context.cluster.replace(&with_data(&first, json!({"k": "2"}))).await?;
    ensure!(stored.at("/data") == Some(&json!({"k": "2"})), "replace made {:?} of its data", stored.at("/data"));
    ensure!(stored.uid() == first.uid(), "it is another object now");
    ensure!(stored.resource_version() != first.resource_version(), "its resourceVersion is the same");
    let found = context.cluster.get(&first.reference()).await?;
    ensure!(
        found.is_some_and(|o| o.at("/data") == Some(&json!({"k": "2"}))),
        "what was returned is not what is stored"
    );
    Ok(())
}

pub(super) async fn of_concurrent_replacements_exactly_one_wins(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let first = context.cluster.create(&config_map(context, &ns, "a", json!({"k": "first"}))?).await?;
    let tries: Vec<Object> = (0..8).map(|n| with_data(&first, json!({"k": n.to_string()}))).collect();
    let mut won = Vec::new();
    for result in join_all(tries.iter().map(|object| context.cluster.replace(object))).await {
        match result {
            Ok(object) => won.push(object),
            other => {
                expect_error(other, Conflict, "losing the race to replace")?;
            }
        }
    }
    ensure!(won.len() == 1, "{} of 8 concurrent replacements won", won.len());
    let found = context.cluster.get(&first.reference()).await?;
    let data = |object: Option<&Object>| object.and_then(|object| object.at("/data")).cloned();
    ensure!(data(found.as_ref()) == data(won.first()), "what is stored is not the winner's");
    Ok(())
}

pub(super) async fn a_stale_or_missing_version_is_refused(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let first = context.cluster.create(&config_map(context, &ns, "a", json!({"k": "1"}))?).await?;
    let second = context.cluster.replace(&with_data(&first, json!({"k": "2"}))).await?;
    let late = context.cluster.replace(&with_data(&first, json!({"k": "3"}))).await;
    expect_error(late, Conflict, "replacing what has changed")?;
    let blind = context.cluster.replace(&at_version(&second, None)).await;
    expect_error(blind, Invalid, "replacing without a resourceVersion")?;
    let found = context.cluster.get(&first.reference()).await?;
    ensure!(found.is_some_and(|o| o.at("/data") == Some(&json!({"k": "2"}))), "a refused replacement changed it");
    Ok(())
}

pub(super) async fn what_is_gone_is_not_found(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let version = context.cluster.create(&config_map(context, &ns, "a", json!({}))?).await?;
    let never = at_version(&config_map(context, &ns, "never", json!({}))?, version.resource_version());
    expect_error(context.cluster.replace(&never).await, NotFound, "replacing what never was")?;
    Ok(())
}
