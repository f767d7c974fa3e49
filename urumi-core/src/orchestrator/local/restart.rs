//! Restarts components of a store: their pods are replaced.

use super::{Orchestrator, readable_spec};
use crate::engine::Policy;
use crate::error::{Error, FieldError, Operation, Result};
use crate::orchestrator::Precondition;
use crate::secret::RedactedSecrets;
use crate::store::status::StoreStatus;
use crate::store::{Store, StoreId, StoreSpec};

const OPERATION: Operation = Operation::Restart;

impl Orchestrator {
    /// Writes the restart to the record. The monitor carries it out.
    pub(super) async fn restart_store(
        &self,
        id: &StoreId,
        component: Option<&str>,
        expected: &Precondition,
    ) -> Result<Store> {
        let record = self.change_record(OPERATION, id, expected, |record| {
            if !matches!(record.status, StoreStatus::Ready | StoreStatus::Degraded) {
                let message = format!("it is {}; only a ready or degraded store can be restarted", record.status);
                return Err(Error::WrongState { operation: OPERATION, id: id.clone(), message });
            }
            let components = self.restarted(readable_spec(OPERATION, record)?, component)?;
            Ok(Some(record.restart(components.iter().map(String::as_str), self.now())))
        });
        Ok(record.await?.store(&self.inner.engines))
    }

    /// The components that a restart is for: the wanted one, or all that keep no data.
    fn restarted(&self, spec: &StoreSpec, wanted: Option<&str>) -> Result<Vec<String>> {
        let manifests = self.manifests_of(spec, &RedactedSecrets)?;
        let mut components = self.components_of(spec)?;
        components.retain(|component| {
            let is_workload = |policy: &Policy| *policy == Policy::Managed && component.workload.kind.group == "apps";
            manifests.iter().any(|m| is_workload(&m.policy) && m.object.reference() == component.workload)
        });
        let known: Vec<String> = components.iter().map(|component| component.name.clone()).collect();
        components.retain(|component| wanted.map_or(!component.keeps_data, |wanted| component.name == wanted));
        if components.is_empty() {
            let message = match wanted {
                Some(wanted) => format!("{wanted:?} cannot be restarted"),
                None => "this store has no component that keeps no data".to_owned(),
            };
            let choice =
                if known.is_empty() { "none can".to_owned() } else { format!("choose one of {}", known.join(", ")) };
            return Err(FieldError::new("component", format!("{message}; {choice}")).into());
        }
        Ok(components.into_iter().map(|component| component.name).collect())
    }
}
