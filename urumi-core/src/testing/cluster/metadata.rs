//! Checks of `patch_metadata`, with a namespace and with an object in a namespace.

use futures::future::join_all;
use serde_json::json;

use super::context::{Context, Stop, ensure, expect_error};
use super::kinds::{CONFIG_MAP, NAMESPACE};
use super::manifests::config_map;
use crate::kubernetes::ClusterErrorKind::{Conflict, Invalid, NotFound};
use crate::kubernetes::{MetadataPatch, Object, ObjectRef};

const KEY: &str = "store.urumi.ai/status";
const OTHER: &str = "store.urumi.ai/spec";

/// A patch of an object as it was read.
fn at(object: &Object) -> MetadataPatch {
    MetadataPatch::at(object.resource_version().unwrap_or_default())
}

pub(super) async fn annotations_and_labels_are_set_and_removed(context: &Context) -> Result<(), Stop> {
    let json = r#"{"a": "quotes \" and ünïcode"}"#;
    for created in subjects(context).await? {
        let what = created.reference();
        let patch = at(&created).annotate(KEY, "ready").annotate(OTHER, json).label(KEY, "new").label(OTHER, "kept");
        let set = context.cluster.patch_metadata(&what, &patch).await?;
        ensure!(set.annotation(KEY) == Some("ready"), "{what}: annotation {KEY} is {:?}", set.annotation(KEY));
        ensure!(set.annotation(OTHER) == Some(json), "{what}: annotation {OTHER} is {:?}", set.annotation(OTHER));
        ensure!(set.label(KEY) == Some("new"), "{what}: label {KEY} is {:?}", set.label(KEY));
        ensure!(set.resource_version() != created.resource_version(), "{what}: the resourceVersion is the same");
        for (label, before) in
            created.at("/metadata/labels").and_then(|labels| labels.as_object()).into_iter().flatten()
        {
            ensure!(set.label(label) == before.as_str(), "{what}: label {label} has changed");
        }
        let removed = context.cluster.patch_metadata(&what, &at(&set).remove_annotation(KEY).remove_label(KEY)).await?;
        let left = (removed.annotation(KEY), removed.label(KEY));
        ensure!(left == (None, None), "{what}: {KEY} is still {left:?}");
        let others = (removed.annotation(OTHER), removed.label(OTHER));
        ensure!(others == (Some(json), Some("kept")), "{what}: {OTHER} is gone too");
        let found = context.cluster.get(&what).await?;
        for place in ["/metadata/annotations", "/metadata/labels"] {
            let stored = found.as_ref().and_then(|object| object.at(place));
            ensure!(stored == removed.at(place), "{what}: the returned {place} differ from the stored ones");
        }
    }
    Ok(())
}

pub(super) async fn a_stale_version_is_a_conflict(context: &Context) -> Result<(), Stop> {
    for created in subjects(context).await? {
        let what = created.reference();
        context.cluster.patch_metadata(&what, &at(&created).annotate(KEY, "first")).await?;
        let late = context.cluster.patch_metadata(&what, &at(&created).annotate(KEY, "second")).await;
        expect_error(late, Conflict, &format!("a patch of {what} from an old version"))?;
        let found = context.cluster.get(&what).await?;
        let value = found.as_ref().and_then(|o| o.annotation(KEY));
        ensure!(value == Some("first"), "{what}: the annotation is {value:?} after a refused patch");
    }
    Ok(())
}

pub(super) async fn a_patch_without_a_version_is_invalid(context: &Context) -> Result<(), Stop> {
    for created in subjects(context).await? {
        let what = created.reference();
        let blind = context.cluster.patch_metadata(&what, &MetadataPatch::at("").annotate(KEY, "blind")).await;
        expect_error(blind, Invalid, &format!("a patch of {what} without a version"))?;
        let found = context.cluster.get(&what).await?;
        ensure!(found.is_some_and(|o| o.annotation(KEY).is_none()), "{what}: a refused patch has changed it");
    }
    Ok(())
}

pub(super) async fn of_concurrent_patches_exactly_one_wins(context: &Context) -> Result<(), Stop> {
    for created in subjects(context).await? {
        let what = created.reference();
        let patches: Vec<MetadataPatch> = (0..8).map(|n| at(&created).annotate(KEY, n.to_string())).collect();
        let results = join_all(patches.iter().map(|patch| context.cluster.patch_metadata(&what, patch))).await;
        let mut winners = 0;
        for result in results {
            match result {
                Ok(_) => winners += 1,
                lost => {
                    expect_error(lost, Conflict, &format!("losing the race to patch {what}"))?;
                }
            }
        }
        ensure!(winners == 1, "{winners} of 8 concurrent patches of {what} from one version won");
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
        let patched = context.cluster.patch_metadata(&object, &MetadataPatch::at("1").annotate(KEY, "ready")).await;
        expect_error(patched, NotFound, &format!("a patch of a missing {object}"))?;
    }
    Ok(())
}

/// The objects that are patched: a namespace that no controller changes any more, and a ConfigMap.
async fn subjects(context: &Context) -> Result<[Object; 2], Stop> {
    let namespace = settled(context).await?;
    let map = context.cluster.create(&config_map(context, namespace.name(), "subject", json!({"k": "v"}))?).await?;
    Ok([namespace, map])
}

/// A namespace that controllers no longer change. On a real cluster they add labels and a ConfigMap to a new one.
async fn settled(context: &Context) -> Result<Object, Stop> {
    let mut namespace = context.namespace_object().await?;
    for _ in 0..20 {
        let patch = at(&namespace).annotate("store.urumi.ai/settled", "true");
        match context.cluster.patch_metadata(&namespace.reference(), &patch).await {
            Ok(settled) => return Ok(settled),
            Err(error) if error.kind() == Conflict => {
                let found = context.cluster.get(&namespace.reference()).await?;
                namespace = found.ok_or_else(|| Stop::Failed("the namespace has disappeared".into()))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Stop::Failed("a new namespace is changed again and again".into()))
}
