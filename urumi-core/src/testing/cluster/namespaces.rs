//! Checks of namespaces and their deletion.

use serde_json::json;

use super::context::{Context, Stop, ensure, expect_error};
use super::kinds::{CONFIG_MAP, NAMESPACE};
use super::manifests::config_map;
use super::options::TAG;
use crate::kubernetes::ClusterErrorKind::{self, NotFound};
use crate::kubernetes::ObjectRef;
use crate::kubernetes::{LabelRequirement, Preconditions, Query, WatchEvent};

pub(super) async fn a_new_namespace_is_active_and_labelled(context: &Context) -> Result<(), Stop> {
    let created = context.namespace_object().await?;
    ensure!(created.str_at("/status/phase") == Some("Active"), "its phase is {:?}", created.at("/status/phase"));
    let name = created.label("kubernetes.io/metadata.name");
    ensure!(name == Some(created.name()), "its name's label is {name:?}");
    ensure!(!created.is_terminating(), "it is being deleted");
    Ok(())
}

pub(super) async fn deleting_twice_is_success(context: &Context) -> Result<(), Stop> {
    let created = context.namespace_object().await?;
    context.cluster.create(&config_map(context, created.name(), "a", json!({}))?).await?;
    context.delete(created.name()).await?;
    // Again with the state from before the deletion, and with the present state.
    let mut seen = vec![created.clone()];
    seen.extend(context.cluster.get(&created.reference()).await?);
    for seen in seen {
        match context.cluster.delete(&seen.reference(), &Preconditions::of(&seen)).await {
            // It may already be gone.
            Err(error) if error.kind() != NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let found = context.cluster.get(&created.reference()).await?;
    ensure!(found.is_none_or(|ns| ns.is_terminating()), "it is not being deleted");
    Ok(())
}

pub(super) async fn nothing_is_created_in_a_terminating_namespace(context: &Context) -> Result<(), Stop> {
    // A namespace may be gone before the check can use it.
    for _ in 0..5 {
        let ns = context.namespace().await?;
        for n in 0..5 {
            context.cluster.create(&config_map(context, &ns, &format!("filling-{n}"), json!({}))?).await?;
        }
        context.delete(&ns).await?;
        let created = context.cluster.create(&config_map(context, &ns, "late", json!({}))?).await;
        let applied = context.cluster.apply(&config_map(context, &ns, "later", json!({}))?).await;
        let gone = |error: &crate::kubernetes::ClusterError| error.kind() == NotFound;
        if created.as_ref().is_err_and(gone) || applied.as_ref().is_err_and(gone) {
            continue;
        }
        expect_error(created, ClusterErrorKind::Terminating, "creating in a terminating namespace")?;
        expect_error(applied, ClusterErrorKind::Terminating, "applying in a terminating namespace")?;
        return Ok(());
    }
    Err(Stop::Skipped("namespaces are gone before anything can be tried in them".into()))
}

pub(super) async fn contents_and_namespace_go_and_are_seen_to_go(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let map = context.cluster.create(&config_map(context, &ns, "a", json!({"k": "v"}))?).await?;
    let tagged = LabelRequirement::Equals(TAG.into(), context.tag.clone());
    let mut maps = context.watch(&Query::all(CONFIG_MAP).labelled(tagged));
    let mut namespaces = context.watch(&Query::all(NAMESPACE).named(&ns));
    ensure!(maps.snapshot().await?.len() == 1, "the ConfigMap is not in the snapshot");
    ensure!(namespaces.snapshot().await?.len() == 1, "the namespace is not in the snapshot");
    context.delete(&ns).await?;

    context.waiting.on("the deletion of the ConfigMap");
    loop {
        match maps.next().await? {
            WatchEvent::Deleted(gone) => {
                ensure!(gone.reference() == map.reference(), "{gone:?} was deleted");
                ensure!(gone.str_at("/data/k") == Some("v"), "it is not shown as it was last seen");
                break;
            }
            WatchEvent::Snapshot(all) if all.is_empty() => break,
            _ => {}
        }
    }
    context.waiting.on("the deletion of the namespace");
    let mut seen_terminating = false;
    loop {
        match namespaces.next().await? {
            WatchEvent::Applied(object) => seen_terminating |= object.is_terminating(),
            WatchEvent::Deleted(gone) => {
                ensure!(gone.name() == ns, "{gone:?} was deleted");
                ensure!(seen_terminating, "it was never seen to be terminating");
                break;
            }
            WatchEvent::Snapshot(all) if all.is_empty() => break,
            WatchEvent::Snapshot(all) => seen_terminating |= all.iter().any(|object| object.is_terminating()),
        }
    }
    for reference in [map.reference(), ObjectRef::cluster(NAMESPACE, &ns)] {
        ensure!(context.cluster.get(&reference).await?.is_none(), "{reference} is still there");
    }
    Ok(())
}
