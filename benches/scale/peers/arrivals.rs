//! Waits for the objects of stores, from any program.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::stream::{BoxStream, select_all};
use futures::{FutureExt, StreamExt};
use kube::api::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, core::GroupVersionKind};
use urumi_benches::cluster::BenchCluster;
use urumi_benches::floor::plain_client;
use urumi_core::kubernetes::{Kind, ObjectRef};

/// A label that every object of a store has, and no other object of these kinds.
const LABEL: &str = "app.kubernetes.io/instance";
/// How long nothing may change before the cluster counts as quiet.
const QUIET: Duration = Duration::from_secs(10);

type Seen = (Kind, watcher::Result<watcher::Event<PartialObjectMeta<DynamicObject>>>);

/// Watches of all kinds of objects that a store has, of their metadata only.
pub(crate) struct Arrivals {
    events: BoxStream<'static, Seen>,
    known: HashSet<ObjectRef>,
}

impl Arrivals {
    /// Starts the watches, and remembers what is there already.
    pub(crate) async fn watch(cluster: &BenchCluster) -> Result<Arrivals> {
        let client = plain_client(&cluster.config)?;
        let kinds: BTreeSet<Kind> = cluster.objects()?.1.iter().map(|object| object.kind().clone()).collect();
        let mut unlisted = kinds.len();
        let watches = kinds.into_iter().map(|kind| {
            let resource = ApiResource::from_gvk_with_plural(
                &GroupVersionKind::gvk(&kind.group, &kind.version, &kind.kind),
                &kind.plural,
            );
            let api: Api<PartialObjectMeta<DynamicObject>> = Api::all_with(client.clone(), &resource);
            let config = watcher::Config::default().labels(LABEL);
            watcher(api, config).default_backoff().map(move |event| (kind.clone(), event)).boxed()
        });
        let mut arrivals = Arrivals { events: select_all(watches).boxed(), known: HashSet::new() };
        let listing = async {
            while unlisted > 0 {
                let (kind, event) = arrivals.events.next().await.context("a watch does not end")?;
                unlisted -= usize::from(matches!(event, Ok(watcher::Event::InitDone)));
                arrivals.note((kind, event));
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(crate::PATIENCE, listing).await.context("listing objects")??;
        Ok(arrivals)
    }

    /// Waits until there are this many more objects; returns when the last of them was seen.
    pub(crate) async fn wait(&mut self, objects: usize) -> Result<Instant> {
        let (before, mut there) = (self.known.len(), 0);
        let waiting = async {
            while there < objects {
                let seen = self.events.next().await.context("a watch does not end")?;
                self.note(seen);
                there = self.known.len() - before;
            }
            Ok(Instant::now())
        };
        let waited = tokio::time::timeout(crate::PATIENCE, waiting).await;
        waited.with_context(|| format!("{there} of {objects} objects are there"))?
    }

    /// Waits until no object has changed for a while: the program and Kubernetes have no more work with them then.
    pub(crate) async fn quiet(&mut self) -> Result<()> {
        let waiting = async {
            while let Ok(Some(seen)) = tokio::time::timeout(QUIET, self.events.next()).await {
                self.note(seen);
            }
        };
        tokio::time::timeout(crate::PATIENCE, waiting).map(|waited| waited.context("objects still change")).await
    }

    /// Remembers an object. Errors are ignored: the watcher repeats the request.
    fn note(&mut self, (kind, event): Seen) {
        if let Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) = event {
            let metadata = object.metadata;
            self.known.insert(ObjectRef {
                kind,
                namespace: metadata.namespace,
                name: metadata.name.unwrap_or_default(),
            });
        }
    }
}
