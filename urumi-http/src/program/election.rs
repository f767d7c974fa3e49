//! The leader election among replicas.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::LeaderElection;
use urumi_core::cluster::ClusterBackend;
use urumi_core::monitor::leader::ElectionHandle;

use super::Failure;
use super::config::Replicas;

/// The name of the Lease.
const LEASE: &str = "urumi-monitor";

/// Joins the election, if it is configured.
pub(super) fn join(
    replicas: &Replicas,
    cluster: &Arc<dyn ClusterBackend>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Option<ElectionHandle>, Failure> {
    let Some(namespace) = &replicas.leader_elect_namespace else { return Ok(None) };
    // In a pod, the host name is the name of the pod, so the Lease shows which pod leads.
    let host = std::env::var("HOSTNAME").ok().filter(|host| !host.is_empty());
    let identity = format!("{}_{}", host.as_deref().unwrap_or("urumi-http"), uuid::Uuid::new_v4());
    let election = LeaderElection::new(cluster.clone(), namespace, LEASE, identity);
    let election = election.timing(replicas.timing())?;
    Ok(Some(election.spawn(tasks, stop.clone())))
}
