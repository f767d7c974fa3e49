//! What a spec says, rendered once.

use std::collections::HashSet;

use crate::engine::{Component, Manifest, Stage};
use crate::error::Error;
use crate::object::Kind;
use crate::provisioner::Orchestrator;
use crate::secret::RedactedSecrets;
use crate::store::StoreSpec;

/// What a spec says, rendered once.
pub(super) struct Rendered {
    pub(super) spec: StoreSpec,
    pub(super) manifests: Vec<Manifest>,
    pub(super) components: Vec<Component>,
    /// What undoes what the store has outside of its namespace, in stages.
    pub(super) teardown: Vec<Stage>,
    /// The kinds that must be watched to judge the store and to plan for it.
    pub(super) kinds: HashSet<Kind>,
}

impl Rendered {
    /// Renders a spec, secrets redacted.
    pub(super) fn of(orchestrator: &Orchestrator, spec: &StoreSpec) -> Result<Rendered, Error> {
        let engine = orchestrator.engines().require(&spec.engine)?;
        let manifests = orchestrator.manifests_of(spec, &RedactedSecrets)?;
        let mut components = engine.components(spec).map_err(|e| Error::Render {
            engine: spec.engine.clone(),
            id: spec.id.clone(),
            message: e.to_string(),
        })?;
        for component in &mut components {
            component.workload.namespace.get_or_insert_with(|| spec.namespace());
        }
        let teardown = orchestrator.teardown_of(spec, &RedactedSecrets)?;
        let kinds = manifests
            .iter()
            .chain(teardown.iter().flat_map(|stage| &stage.manifests))
            .flat_map(|m| match m.policy.guards() {
                None => vec![m.object.kind().clone()],
                Some(guards) => guards.iter().map(|g| g.kind.clone()).collect(),
            })
            .chain(components.iter().map(|c| c.workload.kind.clone()))
            .collect();
        Ok(Rendered { spec: spec.clone(), manifests, components, teardown, kinds })
    }
}
