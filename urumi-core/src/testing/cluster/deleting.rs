//! Checks of `delete`, with a namespace and with an object in a namespace.

use serde_json::{Value, json};

use super::context::{Context, Stop, ensure, expect_error};
use super::kinds::{CONFIG_MAP, NAMESPACE};
use super::manifests::config_map;
use super::options::TAG;
use crate::kubernetes::ClusterErrorKind::{Conflict, NotFound};
use crate::kubernetes::{LabelRequirement, MetadataPatch, Object, ObjectRef, Preconditions, Query};

const NO_UID: &str = "00000000-0000-4000-8000-000000000000";

/// The objects that are deleted: a namespace, and a ConfigMap in another one.
async fn subjects(context: &Context) -> Result<[Object; 2], Stop> {
    let namespace = context.namespace_object().await?;
    Ok([namespace, map(context, json!({})).await?])
}

/// A ConfigMap with additional metadata, in a namespace of its own.
async fn map(context: &Context, metadata: Value) -> Result<Object, Stop> {
    let namespace = context.namespace().await?;
    map_in(context, &namespace, "subject", metadata).await
}

async fn map_in(context: &Context, namespace: &str, name: &str, metadata: Value) -> Result<Object, Stop> {
    let mut map = config_map(context, namespace, name, json!({"k": "v"}))?;
    let own = map.as_value_mut().pointer_mut("/metadata").and_then(Value::as_object_mut);
    if let (Some(own), Value::Object(more)) = (own, metadata) {
        own.extend(more);
    }
    Ok(context.cluster.create(&map).await?)
}

pub(super) async fn another_uid_is_a_conflict(context: &Context) -> Result<(), Stop> {
    for created in subjects(context).await? {
        let version = created.resource_version().unwrap_or_default();
        for wrong in [Preconditions::uid(NO_UID), Preconditions::uid(NO_UID).at(version)] {
            refused(context, &created, &wrong, "with another uid").await?;
        }
    }
    Ok(())
}

pub(super) async fn another_version_is_a_conflict(context: &Context) -> Result<(), Stop> {
    for created in subjects(context).await? {
        refused(context, &created, &Preconditions::of(&created).at("1"), "with another resourceVersion").await?;
    }
    Ok(())
}

async fn refused(context: &Context, object: &Object, expected: &Preconditions, how: &str) -> Result<(), Stop> {
    let what = object.reference();
    let deleted = context.cluster.delete(&what, expected).await;
    expect_error(deleted, Conflict, &format!("deleting {what} {how}"))?;
    let found = context.cluster.get(&what).await?;
    ensure!(found.is_some_and(|found| !found.is_terminating()), "{what}: its deletion has begun nevertheless");
    Ok(())
}

pub(super) async fn the_uid_alone_is_enough(context: &Context) -> Result<(), Stop> {
    for created in subjects(context).await? {
        let what = created.reference();
        context.cluster.delete(&what, &Preconditions::uid(created.uid().unwrap_or_default())).await?;
        let found = context.cluster.get(&what).await?;
        ensure!(found.is_none_or(|found| found.is_terminating()), "{what} is not being deleted");
    }
    Ok(())
}

pub(super) async fn what_is_missing_is_not_found(context: &Context) -> Result<(), Stop> {
    let namespace = context.namespace().await?;
    let missing = [
        ObjectRef::cluster(NAMESPACE, context.new_name()),
        ObjectRef::namespaced(CONFIG_MAP, &namespace, "missing"),
        ObjectRef::namespaced(CONFIG_MAP, context.new_name(), "missing"),
    ];
    for object in missing {
        let deleted = context.cluster.delete(&object, &Preconditions::uid(NO_UID).at("1")).await;
        expect_error(deleted, NotFound, &format!("deleting a missing {object}"))?;
    }
    Ok(())
}

pub(super) async fn finalizers_keep_an_object_until_they_are_removed(context: &Context) -> Result<(), Stop> {
    let created = map(context, json!({"finalizers": ["store.urumi.ai/conformance"]})).await?;
    let outcome = kept_until_released(context, &created).await;
    if outcome.is_err() {
        // The finalizer would hold its namespace for ever.
        let _ = release(context, &created.reference()).await;
    }
    outcome
}

async fn kept_until_released(context: &Context, created: &Object) -> Result<(), Stop> {
    let what = created.reference();
    let expected = Preconditions::of(created);
    for _ in 0..2 {
        context.cluster.delete(&what, &expected).await?;
        let found = context.cluster.get(&what).await?;
        ensure!(found.is_some_and(|kept| kept.is_terminating()), "{what} is not kept by its finalizer");
    }
    release(context, &what).await?;
    ensure!(context.cluster.get(&what).await?.is_none(), "{what} is still there without any finalizer");
    Ok(())
}

/// Removes all finalizers.
async fn release(context: &Context, what: &ObjectRef) -> Result<(), Stop> {
    let kept = context.cluster.get(what).await?.ok_or_else(|| Stop::Failed(format!("{what} is gone")))?;
    let version = kept.resource_version().unwrap_or_default();
    context.cluster.patch_metadata(what, &MetadataPatch::at(version).finalizers([])).await?;
    Ok(())
}

pub(super) async fn what_an_object_owns_goes_with_it(context: &Context) -> Result<(), Stop> {
    let owner = map(context, json!({})).await?;
    let namespace = owner.namespace().unwrap_or_default();
    let reference = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": owner.name(), "uid": owner.uid().unwrap_or_default()}]);
    let owned = map_in(context, namespace, "owned", json!({ "ownerReferences": reference })).await?;
    let alone = map_in(context, namespace, "alone", json!({})).await?;
    let tagged = LabelRequirement::Equals(TAG.into(), context.tag.clone());
    let mut maps = context.watch(&Query::all(CONFIG_MAP).in_namespace(namespace).labelled(tagged));
    maps.snapshot().await?;
    context.cluster.delete(&owner.reference(), &Preconditions::of(&owner)).await?;
    let there = |seen: &[&Object], object: &Object| seen.iter().any(|other| other.uid() == object.uid());
    let left = maps.until("the deletion of what the deleted ConfigMap owns", |seen| !there(seen, &owned)).await?;
    ensure!(left.iter().any(|object| object.uid() == alone.uid()), "what it does not own is gone, too");
    Ok(())
}
