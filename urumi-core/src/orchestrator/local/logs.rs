//! The logs of a store: finds the containers of its components, and merges their lines into one stream.

mod container;
mod cursor;
mod follow;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, future};
use k8s_openapi::api::batch::v1::Job;

use self::container::{Container, Selected, Stamps, pods_of, since};
use self::follow::Following;
use super::{Orchestrator, readable_spec, render_error};
use crate::assessment::smoke_result::JOB_NAME;
use crate::error::{Error, FieldError, Operation, Result};
use crate::kubernetes::{ClusterErrorKind, Kind, LogOptions, ObjectRef};
use crate::lines::Lines;
use crate::orchestrator::LogLines;
use crate::plan::manifests::smoke;
use crate::secret::RedactedSecrets;
use crate::store::logs::{LogLine, LogQuery};
use crate::store::smoke::LABEL;
use crate::store::{StoreId, StoreSpec};

impl Orchestrator {
    pub(super) async fn store_logs(&self, id: &StoreId, query: &LogQuery) -> Result<LogLines> {
        if query.previous && query.follow {
            let message = "shows containers that have ended, which cannot be followed; leave out one of the two";
            return Err(FieldError::new("previous", message).into());
        }
        let record = self.record(Operation::Logs, id).await?;
        let selected = self.selected(readable_spec(Operation::Logs, &record)?, query.component.as_deref())?;
        let pods = self.inner.cluster.list(&pods_of(id)).await;
        let pods = pods.map_err(|error| Error::cluster(Operation::Logs, Some(id), error))?;
        if query.follow {
            return Ok(Following::begin(self.clone(), (id, record.uid), selected, query, &pods));
        }
        let of = |selected: &Selected| {
            let pods = pods.iter().filter(|pod| selected.has(pod));
            pods.flat_map(|pod| Container::all(&selected.component, pod)).collect::<Vec<_>>()
        };
        let opened = selected.iter().flat_map(of).map(|container| self.lines(id, container, query));
        Ok(stream::select_all(future::join_all(opened).await).boxed())
    }

    /// The lines of a container; none if it has not started, or has no earlier run where that is asked for.
    async fn lines(&self, id: &StoreId, from: Container, query: &LogQuery) -> BoxStream<'static, Result<LogLine>> {
        let options = LogOptions {
            container: Some(from.name.clone()),
            tail: Some(query.tail),
            since: query.since.map(since),
            timestamps: true,
            previous: query.previous,
            ..LogOptions::default()
        };
        let id = id.clone();
        let failed = move |error| Error::cluster(Operation::Logs, Some(&id), error);
        let bytes = match self.inner.cluster.logs(&from.pod, &options).await {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), ClusterErrorKind::NotFound | ClusterErrorKind::Unavailable) => {
                return stream::empty().boxed();
            }
            Err(error) => return stream::iter([Err(failed(error))]).boxed(),
        };
        let mut stamps = Stamps::default();
        Lines::pieces(bytes).map(move |piece| piece.map(|piece| from.line(stamps.read(piece))).map_err(&failed)).boxed()
    }

    /// The selected components: those of the engine, and smoke orders.
    fn selected(&self, spec: &StoreSpec, wanted: Option<&str>) -> Result<Vec<Selected>> {
        let engine = self.inner.engines.require(&spec.engine)?;
        let components = self.components_of(spec)?;
        let orders = smoke(engine.as_ref(), spec).map_err(|e| render_error(spec, &e))?;
        let orders = orders.iter().map(|job| (job.name(), [(LABEL.to_owned(), "true".to_owned())].into()));
        let manifests = self.manifests_of(spec, &RedactedSecrets)?;
        let labels = |workload: &ObjectRef| -> Option<BTreeMap<String, String>> {
            // The API server makes a Job's selector.
            if workload.kind == Kind::of::<Job>() {
                return Some([(JOB_NAME.to_owned(), workload.name.clone())].into());
            }
            let rendered = manifests.iter().find(|m| m.object.reference() == *workload)?;
            let labels = rendered.object.at("/spec/selector/matchLabels")?.as_object()?;
            Some(labels.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect())
        };
        let parts = components.iter().map(|c| (c.name.as_str(), labels(&c.workload).unwrap_or_default()));
        let parts: Vec<(&str, BTreeMap<_, _>)> = parts.chain(orders).collect();
        let known: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
        if let Some(wanted) = wanted.filter(|wanted| !known.contains(wanted)) {
            let message = format!("{wanted:?} is not a component of this store; it has {}", known.join(", "));
            return Err(FieldError::new("component", message).into());
        }
        let selected = parts.into_iter().filter(|(name, _)| wanted.is_none_or(|wanted| *name == wanted));
        Ok(selected.map(|(name, labels)| Selected { component: name.to_owned(), labels }).collect())
    }
}
