//! Checks of namespaces and their deletion.

use serde_json::json;

use super::manifests::{CONFIG_MAP, NAMESPACE, TAG, config_map};
use super::room::{Room, Stop, ensure, expect_error};
use crate::kubernetes::ClusterErrorKind::{self, NotFound};
use crate::kubernetes::ObjectRef;
use crate::kubernetes::{LabelRequirement, Preconditions, Query, WatchEvent};

pub(super) async fn a_new_namespace_is_active_and_labelled(room: &Room) -> Result<(), Stop> {
    let created = room.namespace_object().await?;
    ensure!(created.str_at("/status/phase") == Some("Active"), "its phase is {:?}", created.at("/status/phase"));
    let name = created.label("kubernetes.io/metadata.name");
    ensure!(name == Some(created.name()), "its name's label is {name:?}");
    ensure!(!created.is_terminating(), "it is being deleted");
    Ok(())
}

pub(super) async fn deleting_twice_is_success(room: &Room) -> Result<(), Stop> {
    let created = room.namespace_object().await?;
    room.cluster.create(&config_map(room, created.name(), "a", json!({}))?).await?;
    room.delete(created.name()).await?;
    // Again with what was seen before the deletion began, and with what is there now.
    let mut seen = vec![created.clone()];
    seen.extend(room.cluster.get(&created.reference()).await?);
    for seen in seen {
        match room.cluster.delete(&seen.reference(), &Preconditions::of(&seen)).await {
            // It may be gone by now.
            Err(error) if error.kind() != NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let found = room.cluster.get(&created.reference()).await?;
    ensure!(found.is_none_or(|ns| ns.is_terminating()), "it is not being deleted");
    Ok(())
}

pub(super) async fn nothing_is_created_in_a_terminating_namespace(room: &Room) -> Result<(), Stop> {
    // A namespace may be gone before anything can be tried in it.
    for _ in 0..5 {
        let ns = room.namespace().await?;
        for n in 0..5 {
            room.cluster.create(&config_map(room, &ns, &format!("filling-{n}"), json!({}))?).await?;
        }
        room.delete(&ns).await?;
        let created = room.cluster.create(&config_map(room, &ns, "late", json!({}))?).await;
        let applied = room.cluster.apply(&config_map(room, &ns, "later", json!({}))?).await;
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

pub(super) async fn contents_and_namespace_go_and_are_seen_to_go(room: &Room) -> Result<(), Stop> {
    let ns = room.namespace().await?;
    let map = room.cluster.create(&config_map(room, &ns, "a", json!({"k": "v"}))?).await?;
    let tagged = LabelRequirement::Equals(TAG.into(), room.tag.clone());
    let mut maps = room.watch(&Query::all(CONFIG_MAP).labelled(tagged));
    let mut namespaces = room.watch(&Query::all(NAMESPACE).named(&ns));
    ensure!(maps.snapshot().await?.len() == 1, "the ConfigMap is not in the snapshot");
    ensure!(namespaces.snapshot().await?.len() == 1, "the namespace is not in the snapshot");
    room.delete(&ns).await?;

    room.waiting.on("the deletion of the ConfigMap");
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
    room.waiting.on("the deletion of the namespace");
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
        ensure!(room.cluster.get(&reference).await?.is_none(), "{reference} is still there");
    }
    Ok(())
}
