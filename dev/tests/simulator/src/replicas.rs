//! The cluster of a scenario, which others use too, and the processes of urumi.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use serde_json::json;
use urumi_core::cluster::{ClusterBackend, InMemoryCluster};
use urumi_core::kubernetes::{Kind, Object};
use urumi_core::monitor::leader::{Timing, TimingError};

use crate::engine::SHARED;
use crate::life::Life;
use crate::replica::{Build, Replica};
use crate::request::INSTALLATION;
use crate::scenario::Scenario;
use crate::world::{World, beginning};

/// Namespaces of others, some of which are called as stores' are.
const FOREIGN: [&str; 4] = ["default", "store-foreign", "store-shop-9", "store-s"];

/// A cluster that is not urumi's alone.
pub(crate) async fn cluster(scenario: &Scenario) -> InMemoryCluster {
    let cluster = InMemoryCluster::builder()
        .begins_at(beginning())
        .readiness_delay(scenario.readiness_delay)
        .termination_delay(scenario.termination_delay)
        .collection_delay(scenario.collection_delay)
        .build();
    let objects = FOREIGN.iter().chain([&SHARED, &INSTALLATION]).flat_map(|name| {
        let inside = json!({"metadata": {"name": "theirs", "namespace": name}, "data": {"a": "b"}});
        [
            Object::from_value(Kind::of::<Namespace>(), json!({"metadata": {"name": name}})),
            Object::from_value(Kind::of::<ConfigMap>(), inside),
        ]
    });
    for object in objects.flatten() {
        // `default` is there already; nothing else is refused by an empty cluster.
        let _ = cluster.create(&object).await;
    }
    cluster
}

/// What others have in the cluster: it must never change.
pub(crate) fn foreign(cluster: &InMemoryCluster) -> Vec<Object> {
    let theirs = |object: &Object| match object.namespace() {
        None => *object.kind() == Kind::of::<Namespace>() && FOREIGN.contains(&object.name()),
        Some(SHARED | INSTALLATION) => object.name() == "theirs",
        Some(namespace) => FOREIGN.contains(&namespace),
    };
    cluster.dump().into_iter().filter(theirs).collect()
}

/// The processes.
pub(crate) struct Replicas {
    world: Arc<World>,
    build: Build,
    timing: Timing,
    replicas: Mutex<Vec<Arc<Replica>>>,
}

impl Replicas {
    /// Starts all processes.
    ///
    /// # Errors
    /// When the scenario's times make no election.
    pub(crate) fn new(world: Arc<World>, build: Build, scenario: &Scenario) -> Result<Arc<Replicas>, TimingError> {
        let timing = scenario.election;
        let start = |replica| Replica::start(&world, replica, timing, &build).map(Arc::new);
        let started = (0..scenario.replicas).map(start).collect::<Result<_, _>>()?;
        Ok(Arc::new(Replicas { world, build, timing, replicas: Mutex::new(started) }))
    }

    fn replicas(&self) -> MutexGuard<'_, Vec<Arc<Replica>>> {
        self.replicas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process that answers, if not at once; which of them, depends on the number.
    pub(crate) fn alive(&self, number: usize) -> Option<Arc<Replica>> {
        let replicas = self.replicas();
        let alive: Vec<_> = replicas.iter().filter(|replica| replica.life.is_up()).collect();
        alive.get(number % alive.len().max(1)).map(|replica| Arc::clone(replica))
    }

    /// The process of a number, or the one that leads.
    pub(crate) fn find(&self, who: Option<usize>) -> Option<Life> {
        match who {
            Some(number) => self.replicas().get(number).map(|replica| replica.life.clone()),
            None => self.world.audit(|audit| audit.leaders.leader().cloned()),
        }
    }

    /// Starts a process that has died or was told to stop.
    pub(crate) fn restart(&self, number: usize) {
        if let Some(replica) = self.replicas().get_mut(number).filter(|replica| !replica.life.is_up())
            && let Ok(started) = Replica::start(&self.world, number, self.timing, &self.build)
        {
            *replica = Arc::new(started);
        }
    }
}
