//! Explains a store: its preview, its manifests, its options and its timeline.

use k8s_openapi::api::core::v1::Event;

use super::{Orchestrator, readable_spec, render_error};
use crate::error::{Error, Operation, Result};
use crate::kubernetes::Kind;
use crate::kubernetes::{LabelRequirement, Query};
use crate::orchestrator::StoreOrchestrator as _;
use crate::plan::differences::shown;
use crate::record::timeline::timeline;
use crate::record::{self, namespace_ref};
use crate::store::preview::Preview;
use crate::store::timeline::{CLUSTER_EVENTS, TimelineEntry};
use crate::store::{CreateStore, Options, StoreId, StoreOptions};

impl Orchestrator {
    pub(super) async fn preview_store(&self, request: CreateStore) -> Result<Preview> {
        let spec = self.prepare(&request)?;
        let warnings = self.warnings(&request);
        let objects = self.render(&spec)?.iter().map(shown).collect();
        let engine = self.inner.engines.require(&spec.engine)?;
        let urls = engine.urls(&spec).map_err(|e| render_error(&spec, &e))?;
        if request.id.is_some() {
            let taken = self.inner.cluster.get(&namespace_ref(&spec.id)).await;
            if taken.map_err(|e| Error::cluster(Operation::Preview, Some(&spec.id), e))?.is_some() {
                let message = "a namespace with this name exists; choose another id, or leave the id out".to_owned();
                return Err(Error::AlreadyExists { id: spec.id, message });
            }
        }
        Ok(Preview {
            namespace: spec.namespace(),
            options: self.inner.engines.without_secrets(&spec.engine, spec.options),
            id: spec.id,
            name: spec.name.as_str().to_owned(),
            engine: spec.engine,
            urls,
            objects,
            warnings,
        })
    }

    pub(super) async fn store_manifests(&self, id: &StoreId) -> Result<Vec<serde_json::Value>> {
        let record = self.record(Operation::Manifests, id).await?;
        let spec = readable_spec(Operation::Manifests, &record)?;
        let objects = self.with_namespace(spec, self.recorded_manifests(&record, spec)?)?;
        Ok(objects.iter().map(shown).collect())
    }

    pub(super) async fn store_options(&self, id: &StoreId) -> Result<StoreOptions> {
        let record = self.record(Operation::Options, id).await?;
        let spec = readable_spec(Operation::Options, &record)?;
        let shown = |options: &Options| self.inner.engines.without_secrets(&spec.engine, options.clone());
        let effective = shown(&spec.options);
        let requested = record.request.as_ref().map_or_else(|| effective.clone(), shown);
        Ok(StoreOptions::new(requested, effective))
    }

    pub(super) async fn store_timeline(&self, id: &StoreId) -> Result<Vec<TimelineEntry>> {
        let failed = |error| Error::cluster(Operation::Timeline, Some(id), error);
        let of_store = LabelRequirement::Equals(record::ID.into(), id.to_string());
        let within = Query::all(Kind::of::<Event>()).in_namespace(id.namespace());
        let about = Query::all(Kind::of::<Event>()).in_namespace(CLUSTER_EVENTS).labelled(of_store);
        let (record, within, about) = tokio::join!(
            self.record(Operation::Timeline, id),
            self.inner.cluster.list(&within),
            self.inner.cluster.list(&about)
        );
        let record = record?;
        let (within, about) = (within.map_err(failed)?, about.map_err(failed)?);
        Ok(timeline(&record, within.iter().chain(&about)))
    }
}
