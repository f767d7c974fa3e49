//! The logs of a store: finds the pods of its components, and merges their lines into one stream.

use std::collections::BTreeMap;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, future};
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::{Orchestrator, readable_spec, render_error};
use crate::error::{Error, FieldError, Operation, Result};
use crate::kubernetes::{ClusterErrorKind, LogOptions, Query};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::lines::Lines;
use crate::orchestrator::LogLines;
use crate::secret::RedactedSecrets;
use crate::store::logs::{LogLine, LogQuery};
use crate::store::{StoreId, StoreSpec};

/// A component, and the label selector of its workload.
struct Selected {
    component: String,
    labels: BTreeMap<String, String>,
}

impl Selected {
    fn has(&self, pod: &Object) -> bool {
        !self.labels.is_empty() && self.labels.iter().all(|(key, value)| pod.label(key) == Some(value))
    }
}

/// A container whose logs are read.
struct Container {
    component: String,
    pod: ObjectRef,
    name: String,
}

impl Orchestrator {
    pub(super) async fn store_logs(&self, id: &StoreId, query: &LogQuery) -> Result<LogLines> {
        let failed = |error| Error::cluster(Operation::Logs, Some(id), error);
        let record = self.record(Operation::Logs, id).await?;
        let selected = self.selected(readable_spec(Operation::Logs, &record)?, query.component.as_deref())?;
        let pods = Query::all(Kind::of::<Pod>()).in_namespace(id.namespace());
        let pods = self.inner.cluster.list(&pods).await.map_err(failed)?;
        let mut containers = Vec::new();
        for selected in &selected {
            for pod in pods.iter().filter(|pod| selected.has(pod)) {
                containers.extend(names_of_containers(pod).map(|name| Container {
                    component: selected.component.clone(),
                    pod: pod.reference(),
                    name: name.to_owned(),
                }));
            }
        }
        let opened = containers.into_iter().map(|container| self.lines(id, container, query));
        Ok(stream::select_all(future::join_all(opened).await).boxed())
    }

    /// The lines of a container; none if it has not started.
    async fn lines(&self, id: &StoreId, from: Container, query: &LogQuery) -> BoxStream<'static, Result<LogLine>> {
        let options = LogOptions {
            container: Some(from.name.clone()),
            tail: Some(query.tail),
            follow: query.follow,
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
        let line = move |text| LogLine {
            component: from.component.clone(),
            pod: from.pod.name.clone(),
            container: from.name.clone(),
            text,
        };
        Lines::of(bytes).map(move |text| text.map(&line).map_err(&failed)).boxed()
    }

    /// The selected components.
    fn selected(&self, spec: &StoreSpec, wanted: Option<&str>) -> Result<Vec<Selected>> {
        let engine = self.inner.engines.require(&spec.engine)?;
        let components = engine.components(spec).map_err(|e| render_error(spec, &e))?;
        let known: Vec<&str> = components.iter().map(|c| c.name.as_str()).collect();
        if let Some(wanted) = wanted.filter(|wanted| !known.contains(wanted)) {
            let message = format!("{wanted:?} is not a component of this store; it has {}", known.join(", "));
            return Err(FieldError::new("component", message).into());
        }
        let manifests = self.manifests_of(spec, &RedactedSecrets)?;
        let labels = |workload: &ObjectRef| {
            let rendered = manifests.iter().find(|m| m.object.reference() == *workload)?;
            let labels = rendered.object.at("/spec/selector/matchLabels")?.as_object()?;
            Some(labels.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect())
        };
        let wanted = components.iter().filter(|c| wanted.is_none_or(|wanted| c.name == wanted));
        Ok(wanted
            .map(|c| Selected { component: c.name.clone(), labels: labels(&c.workload).unwrap_or_default() })
            .collect())
    }
}

/// The names of a pod's containers; init containers first.
fn names_of_containers(pod: &Object) -> impl Iterator<Item = &str> {
    ["/spec/initContainers", "/spec/containers"]
        .into_iter()
        .filter_map(|pointer| pod.at(pointer).and_then(Value::as_array))
        .flatten()
        .filter_map(|container| container.get("name").and_then(Value::as_str))
}
