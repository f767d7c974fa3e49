//! A store's manifests, rendered once as long as its record asks for the same.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use crate::engine::{Component, Manifest, Stage};
use crate::error::{Error, FieldError};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::orchestrator::local::{Orchestrator, render_error};
use crate::plan::manifests::{proof, smoke};
use crate::record::{Record, Restarts, own};
use crate::secret::RedactedSecrets;
use crate::store::StoreSpec;

/// A store's manifests, and what follows from them for the monitor.
pub(super) struct Rendered {
    pub(super) spec: StoreSpec,
    pub(super) restarts: Restarts,
    /// The number of the revision, and whether it was rolled out.
    pub(super) revision: u64,
    pub(super) good: bool,
    /// What of the store's options today's policy refuses.
    pub(super) refused: Vec<FieldError>,
    pub(super) manifests: Vec<Manifest>,
    pub(super) components: Vec<Component>,
    /// Whether the engine renders new stores in another way.
    pub(super) outdated: bool,
    /// The Job that proves the present revision; `None` if there is none, or if the revision is the first or was proven.
    pub(super) proof: Option<Object>,
    /// The stages that undo what the store has outside of its namespace.
    pub(super) teardown: Vec<Stage>,
    /// The kinds to watch, so that the store can be assessed and a plan made for it.
    pub(super) kinds: BTreeSet<Kind>,
    /// The kinds that the store has objects of in another namespace, with that namespace.
    pub(super) outside: BTreeSet<(Kind, String)>,
}

impl Rendered {
    /// Whether the record asks for the same manifests.
    pub(super) fn is_of(&self, record: &Record, spec: &StoreSpec) -> bool {
        self.spec == *spec
            && self.restarts == record.restarts
            && self.revision == record.revision.number
            && self.good == record.is_good()
    }

    /// Renders the spec of a record, with its secrets redacted.
    pub(super) fn of(orchestrator: &Orchestrator, record: &Record, spec: &StoreSpec) -> Result<Rendered, Error> {
        let engine = orchestrator.engines().require(&spec.engine)?;
        let manifests = orchestrator.recorded_manifests(record, spec)?;
        let components = orchestrator.components_of(spec)?;
        let teardown = orchestrator.teardown_of(spec, &RedactedSecrets)?;
        let namespace = spec.namespace();
        let objects = manifests.iter().chain(teardown.iter().flat_map(|stage| &stage.manifests));
        let watched: BTreeSet<ObjectRef> = objects
            .flat_map(|m| match m.policy.guards() {
                None => vec![m.object.reference()],
                Some(guards) => guards.to_vec(),
            })
            .chain(components.iter().map(|c| c.workload.clone()))
            .collect();
        let elsewhere = watched.iter().filter_map(|r| r.namespace.clone().filter(|ns| *ns != namespace).zip(Some(r)));
        let outside = elsewhere.flat_map(|(ns, r)| [(r.kind.clone(), ns.clone()), (Kind::of::<Pod>(), ns)]).collect();
        let tried = smoke(engine.as_ref(), spec).is_ok_and(|job| job.is_some());
        let revision = record.revision.number;
        let unproven = revision > 1 && !record.is_good();
        let proof = if unproven { proof(engine.as_ref(), spec, revision) } else { Ok(None) };
        let mut proof = proof.map_err(|error| render_error(spec, &error))?;
        if let Some(job) = &mut proof {
            own(job, &record.id, &record.uid);
        }
        let outdated = spec.renderer < engine.renderer();
        let kinds = watched
            .into_iter()
            .map(|reference| reference.kind)
            .chain((tried || proof.is_some()).then(Kind::of::<Job>))
            .collect();
        // A record that does not say what was asked for is judged by its spec.
        let chosen = record.request.as_ref().unwrap_or(&spec.options);
        let refused = orchestrator.refusals(&spec.engine, record.authority, &spec.id, chosen);
        let (spec, restarts, good) = (spec.clone(), record.restarts.clone(), record.is_good());
        Ok(Rendered {
            spec,
            restarts,
            revision,
            good,
            refused,
            manifests,
            components,
            outdated,
            proof,
            teardown,
            kinds,
            outside,
        })
    }
}
