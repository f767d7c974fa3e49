//! Checks of update_record.

use futures::future::join_all;

use super::room::{Room, Stop, ensure, expect_error};
use crate::kubernetes::ClusterErrorKind::{Conflict, NotFound};
use crate::kubernetes::Object;
use crate::kubernetes::RecordPatch;

const KEY: &str = "store.urumi.ai/status";
const OTHER: &str = "store.urumi.ai/spec";

fn patch(of: &Object, annotations: &[(&str, Option<&str>)]) -> RecordPatch {
    RecordPatch {
        namespace: of.name().to_owned(),
        resource_version: of.resource_version().unwrap_or_default().to_owned(),
        finalizers: None,
        annotations: annotations.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect(),
    }
}

pub(super) async fn annotations_are_set_and_removed(room: &Room) -> Result<(), Stop> {
    let created = settled(room).await?;
    let json = r#"{"a": "quotes \" and ünïcode"}"#;
    let set = room.cluster.update_record(&patch(&created, &[(KEY, Some("ready")), (OTHER, Some(json))])).await?;
    ensure!(set.annotation(KEY) == Some("ready"), "{KEY} is {:?}", set.annotation(KEY));
    ensure!(set.annotation(OTHER) == Some(json), "{OTHER} is {:?}", set.annotation(OTHER));
    ensure!(set.resource_version() != created.resource_version(), "the resourceVersion is the same");
    ensure!(set.at("/metadata/labels") == created.at("/metadata/labels"), "the labels have changed");
    let removed = room.cluster.update_record(&patch(&set, &[(KEY, None)])).await?;
    ensure!(removed.annotation(KEY).is_none(), "{KEY} is still {:?}", removed.annotation(KEY));
    ensure!(removed.annotation(OTHER) == Some(json), "{OTHER} is gone too");
    let found = room.cluster.get(&created.reference()).await?;
    let found = found.as_ref().and_then(|o| o.at("/metadata/annotations"));
    ensure!(found == removed.at("/metadata/annotations"), "what was returned is not what is stored");
    Ok(())
}

pub(super) async fn a_stale_version_is_a_conflict(room: &Room) -> Result<(), Stop> {
    let created = settled(room).await?;
    room.cluster.update_record(&patch(&created, &[(KEY, Some("first"))])).await?;
    let late = room.cluster.update_record(&patch(&created, &[(KEY, Some("second"))])).await;
    expect_error(late, Conflict, "an update from an old version")?;
    let found = room.cluster.get(&created.reference()).await?;
    let value = found.as_ref().and_then(|o| o.annotation(KEY));
    ensure!(value == Some("first"), "the annotation is {value:?} after a refused update");
    Ok(())
}

pub(super) async fn of_concurrent_updates_exactly_one_wins(room: &Room) -> Result<(), Stop> {
    let created = settled(room).await?;
    let values: Vec<String> = (0..8).map(|n| n.to_string()).collect();
    let patches: Vec<RecordPatch> = values.iter().map(|v| patch(&created, &[(KEY, Some(v))])).collect();
    let results = join_all(patches.iter().map(|patch| room.cluster.update_record(patch))).await;
    let mut winners = 0;
    for result in results {
        match result {
            Ok(_) => winners += 1,
            lost => {
                expect_error(lost, Conflict, "losing the race to update")?;
            }
        }
    }
    ensure!(winners == 1, "{winners} of 8 concurrent updates from one version won");
    Ok(())
}

pub(super) async fn a_missing_record_is_not_found(room: &Room) -> Result<(), Stop> {
    let patch = RecordPatch {
        namespace: room.new_name(),
        resource_version: "1".into(),
        finalizers: None,
        annotations: vec![(KEY.into(), Some("ready".into()))],
    };
    expect_error(room.cluster.update_record(&patch).await, NotFound, "an update of a missing namespace")?;
    Ok(())
}

/// A namespace that controllers have finished with: on a real cluster they label and publish into a new one.
async fn settled(room: &Room) -> Result<Object, Stop> {
    let mut namespace = room.namespace_object().await?;
    for _ in 0..20 {
        match room.cluster.update_record(&patch(&namespace, &[("store.urumi.ai/settled", Some("true"))])).await {
            Ok(settled) => return Ok(settled),
            Err(error) if error.kind() == Conflict => {
                let found = room.cluster.get(&namespace.reference()).await?;
                namespace = found.ok_or_else(|| Stop::Failed("the namespace has disappeared".into()))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Stop::Failed("a new namespace is changed again and again".into()))
}
