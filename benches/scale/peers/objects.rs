//! The objects of a store that another program creates.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use urumi_benches::cluster::BenchCluster;
use urumi_core::StoreId;
use urumi_core::kubernetes::Object;
use urumi_core::record;

/// Stands for the label with the store's id, by which the server's monitor finds objects.
const OTHER_ID: &str = "peer.urumi.ai/id";

/// The id and objects of a new store, the namespace first. They lack the labels of a store, so that a server neither looks after
/// them nor keeps them in memory.
pub(crate) fn objects(cluster: &BenchCluster) -> Result<(StoreId, Vec<Object>)> {
    let (id, mut objects) = cluster.objects()?;
    let namespace = objects.first_mut().context("a store has a namespace")?.as_value_mut();
    let labels = namespace.pointer_mut("/metadata/labels").and_then(Value::as_object_mut);
    ensure!(labels.is_some_and(|labels| labels.remove(record::ENABLED).is_some()), "the store's label");
    for object in &mut objects {
        rename(object.as_value_mut());
    }
    Ok((id, objects))
}

fn rename(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(id) = fields.remove(record::ID) {
                fields.insert(OTHER_ID.to_owned(), id);
            }
            fields.values_mut().for_each(rename);
        }
        Value::Array(items) => items.iter_mut().for_each(rename),
        _ => {}
    }
}
