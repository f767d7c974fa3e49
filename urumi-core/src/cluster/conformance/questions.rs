//! Checks of version and may.

use super::room::{Room, Stop, ensure};
use crate::cluster::Access;

pub(super) async fn the_version_is_known(room: &Room) -> Result<(), Stop> {
    let version = room.cluster.version().await?;
    ensure!(version.starts_with("v1."), "the version is {version:?}");
    Ok(())
}

pub(super) async fn permissions_can_be_asked_for(room: &Room) -> Result<(), Stop> {
    // Made first: whoever can do it must be told so.
    let ns = room.namespace().await?;
    let access = |resource: &str, namespace: Option<&str>| Access {
        verb: "create".into(),
        group: String::new(),
        resource: resource.into(),
        namespace: namespace.map(str::to_owned),
    };
    ensure!(room.cluster.may(&access("namespaces", None)).await?, "namespaces may not be created, but were");
    ensure!(room.cluster.may(&access("configmaps", Some(&ns))).await?, "ConfigMaps may not be created");
    Ok(())
}
