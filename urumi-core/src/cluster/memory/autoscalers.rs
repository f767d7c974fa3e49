//! The controller of HorizontalPodAutoscalers: it keeps Deployments within the bounds. There are no metrics, as in a cluster
//! without metrics-server.

use super::json::set;
use super::kinds::AUTOSCALER;
use super::state::State;
use crate::kubernetes::{Object, ObjectRef, Query};

/// Scales a Deployment that has an autoscaler and is outside of its bounds. One without replicas is left alone.
pub(super) fn reconcile(state: &mut State, deployment: &ObjectRef) {
    let Some(live) = state.find(deployment).filter(|live| !live.is_terminating()) else { return };
    let all = Query::all(AUTOSCALER).in_namespace(deployment.namespace.clone().unwrap_or_default());
    let autoscalers = state.select(&all);
    let Some(own) = autoscalers.iter().find(|one| scales(one, deployment)) else { return };
    let least = own.int_at("/spec/minReplicas").unwrap_or(1);
    let most = own.int_at("/spec/maxReplicas").unwrap_or(least);
    let replicas = live.int_at("/spec/replicas").unwrap_or(1);
    let wanted = replicas.min(most).max(least);
    if replicas != 0 && wanted != replicas {
        let mut scaled = Object::clone(&live);
        set(scaled.as_value_mut(), &["spec", "replicas"], wanted.into());
        state.put_changed(&live, scaled);
    }
}

fn scales(autoscaler: &Object, deployment: &ObjectRef) -> bool {
    let target = |field: &str| autoscaler.str_at(&format!("/spec/scaleTargetRef/{field}"));
    target("kind") == Some(&deployment.kind.kind) && target("name") == Some(&deployment.name)
}
