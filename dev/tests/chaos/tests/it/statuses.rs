//! Every status that a store had, as its namespace told it.

use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use urumi_core::StoreId;
use urumi_core::cluster::{ClusterBackend, KubeCluster};
use urumi_core::kubernetes::{Kind, Object};
use urumi_core::kubernetes::{Query, WatchEvent};

/// Follows a store, past the proxy.
pub(crate) struct Statuses {
    seen: watch::Receiver<Vec<String>>,
    following: JoinHandle<()>,
}

impl Statuses {
    pub(crate) fn follow(cluster: KubeCluster, id: &StoreId) -> Statuses {
        let (send, seen) = watch::channel(Vec::new());
        let namespace = Query::all(Kind::of::<k8s_openapi::api::core::v1::Namespace>()).named(id.namespace());
        let following = tokio::spawn(async move {
            let mut events = cluster.watch(&namespace);
            while let Some(event) = events.next().await {
                let status = match event {
                    Ok(WatchEvent::Snapshot(found)) => found.first().as_ref().map(status).unwrap_or_default(),
                    Ok(WatchEvent::Applied(namespace)) => status(&namespace),
                    Ok(_) => String::new(),
                    Err(_passing) => continue,
                };
                send.send_if_modified(|seen| {
                    let new = seen.last().map_or(!status.is_empty(), |last| *last != status);
                    if new {
                        seen.push(status);
                    }
                    new
                });
            }
        });
        Statuses { seen, following }
    }

    /// All of them in order, the empty one where there was no store any more.
    pub(crate) fn all(&self) -> Vec<String> {
        self.seen.borrow().clone()
    }

    /// Waits until the store's status is this one, or until it is gone where that is empty.
    pub(crate) async fn until(&self, status: &str) {
        let mut seen = self.seen.clone();
        // The sender ends with this.
        let _ = seen.wait_for(|seen| seen.last().is_some_and(|last| last == status)).await;
    }
}

impl Drop for Statuses {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn status(namespace: &Object) -> String {
    match namespace.at("/metadata/annotations/store.urumi.ai~1status").and_then(|value| value.as_str()) {
        _ if namespace.is_terminating() => "deleting".to_owned(),
        status => status.unwrap_or_default().to_owned(),
    }
}
