//! Where a scenario happens: a cluster that is not urumi's alone, its processes, and who of them leads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use serde_json::json;
use urumi_core::cluster::{ClusterBackend, InMemoryCluster};
use urumi_core::object::{Kind, Object};

use crate::engine::SHARED;
use crate::replica::{Build, Replica, beginning};
use crate::scenario::Scenario;
use crate::world::World;

/// How long there is no leader after the last one has died.
const LEASE: Duration = Duration::from_secs(3);

/// Namespaces of others, some of which are called as stores' are.
const FOREIGN: [&str; 4] = ["default", "store-foreign", "store-shop-9", "store-s"];

/// A cluster that is not urumi's alone.
pub(crate) async fn cluster(scenario: &Scenario) -> InMemoryCluster {
    let cluster = InMemoryCluster::builder()
        .begins_at(beginning())
        .readiness_delay(scenario.readiness_delay)
        .termination_delay(scenario.termination_delay)
        .build();
    let objects = FOREIGN.iter().chain([&SHARED]).flat_map(|name| {
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
        Some(SHARED) => object.name() == "theirs",
        Some(namespace) => FOREIGN.contains(&namespace),
    };
    cluster.dump().into_iter().filter(theirs).collect()
}

/// The processes, and who of them leads.
pub(crate) struct Stage {
    world: Arc<World>,
    build: Build,
    replicas: Mutex<Vec<Arc<Replica>>>,
    leader: Mutex<Leader>,
}

struct Leader {
    who: Option<usize>,
    /// Since when nobody leads.
    since: Duration,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    /// Starts all processes; the first leads.
    pub(crate) fn new(world: Arc<World>, build: Build, replicas: usize) -> Arc<Stage> {
        let started = (0..replicas).map(|replica| Arc::new(Replica::start(&world, replica, &build))).collect();
        let leader = Mutex::new(Leader { who: None, since: Duration::ZERO });
        let stage = Stage { world, build, replicas: Mutex::new(started), leader };
        stage.lead(Some(0));
        Arc::new(stage)
    }

    /// A process that is alive; which of them, depends on the number.
    pub(crate) fn alive(&self, number: usize) -> Option<Arc<Replica>> {
        let replicas = locked(&self.replicas);
        let alive: Vec<_> = replicas.iter().filter(|replica| replica.is_alive()).collect();
        alive.get(number % alive.len().max(1)).map(|replica| Arc::clone(replica))
    }

    fn is_alive(&self, number: usize) -> bool {
        locked(&self.replicas).get(number).is_some_and(|replica| replica.is_alive())
    }

    /// Kills a process.
    pub(crate) fn kill(&self, number: usize) {
        if let Some(replica) = locked(&self.replicas).get(number) {
            replica.life.dead.cancel();
            self.world.note(|| format!("{number} dies"));
        }
    }

    /// Starts a process that has died.
    pub(crate) fn restart(&self, number: usize) {
        if self.is_alive(number) {
            return;
        }
        // Whoever led in an earlier life does not know of it.
        if locked(&self.leader).who == Some(number) {
            self.lead(None);
        }
        if let Some(replica) = locked(&self.replicas).get_mut(number) {
            *replica = Arc::new(Replica::start(&self.world, number, &self.build));
        }
    }

    /// Has this process lead, and no other.
    pub(crate) fn lead(&self, who: Option<usize>) {
        let replicas = locked(&self.replicas);
        let mut leader = locked(&self.leader);
        let who = who.filter(|who| replicas.get(*who).is_some_and(|replica| replica.is_alive()));
        if leader.who != who {
            self.world.note(|| who.map_or_else(|| "nobody leads".into(), |who| format!("{who} leads")));
        }
        *leader = Leader { who, since: self.world.elapsed() };
        // Who leads no longer hears of it first.
        replicas.iter().filter(|replica| Some(replica.life.replica) != who).for_each(|replica| replica.lead(false));
        replicas.iter().filter(|replica| Some(replica.life.replica) == who).for_each(|replica| replica.lead(true));
    }

    /// Whether some process leads that is alive.
    pub(crate) fn is_led(&self) -> bool {
        let who = locked(&self.leader).who;
        who.is_some_and(|who| self.is_alive(who))
    }

    /// Finds another leader where the last has died, after a while.
    pub(crate) fn elect(&self) {
        let (who, since) = {
            let leader = locked(&self.leader);
            (leader.who, leader.since)
        };
        match who {
            Some(who) if self.is_alive(who) => {}
            Some(_) => self.lead(None),
            None if self.world.elapsed() >= since + LEASE => {
                let next = self.alive(0).map(|replica| replica.life.replica);
                self.lead(next);
            }
            None => {}
        }
    }
}
