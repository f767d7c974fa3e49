//! Whatever happens, a cache that is fed by a watch ends up as a list.

use std::collections::BTreeMap;

use futures::{FutureExt, StreamExt};
use proptest::prelude::*;
use tokio::time::timeout;

use super::*;
use crate::cluster::{Outage, WatchStream};
use crate::kubernetes::{ClusterErrorKind, LabelRequirement, Verb, WatchEvent};

#[derive(Clone, Debug)]
enum Step {
    CreateNamespace(u8),
    DeleteNamespace(u8),
    ApplyMap { namespace: u8, name: u8, colour: u8 },
    RemoveMap { namespace: u8, name: u8 },
    ApplyDeployment { namespace: u8, replicas: u8, args: u8 },
    Fault(bool),
    Crash(u8),
    Expire,
    Drop,
    FailWatches(u8),
    Pass(u8),
    Look(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let (ns, name) = (0..3_u8, 0..3_u8);
    prop_oneof![
        3 => ns.clone().prop_map(Step::CreateNamespace),
        1 => ns.clone().prop_map(Step::DeleteNamespace),
        6 => (ns.clone(), name.clone(), 0..3_u8)
            .prop_map(|(namespace, name, colour)| Step::ApplyMap { namespace, name, colour }),
        2 => (ns.clone(), name).prop_map(|(namespace, name)| Step::RemoveMap { namespace, name }),
        4 => (ns.clone(), 0..3_u8, 0..2_u8)
            .prop_map(|(namespace, replicas, args)| Step::ApplyDeployment { namespace, replicas, args }),
        1 => any::<bool>().prop_map(Step::Fault),
        1 => ns.prop_map(Step::Crash),
        1 => Just(Step::Expire),
        1 => Just(Step::Drop),
        1 => (1..4_u8).prop_map(Step::FailWatches),
        3 => (0..30_u8).prop_map(Step::Pass),
        5 => (0..9_u8).prop_map(Step::Look),
    ]
}

async fn take(cluster: &InMemoryCluster, step: &Step) {
    let ns = |n: &u8| format!("ns-{n}");
    // Many steps are refused as things stand; that is part of the game.
    match step {
        Step::CreateNamespace(n) => {
            let _ = cluster.create(&object(NAMESPACE, json!({"metadata": {"name": ns(n)}}))).await;
        }
        Step::DeleteNamespace(n) => {
            cluster.remove(&ObjectRef::cluster(NAMESPACE, ns(n)));
        }
        Step::ApplyMap { namespace, name, colour } => {
            let labels = json!({"colour": (["red", "green", "blue"][usize::from(*colour)])});
            let metadata = json!({"name": format!("map-{name}"), "namespace": ns(namespace), "labels": labels});
            let _ = cluster.apply(&object(CONFIG_MAP, json!({"metadata": metadata}))).await;
        }
        Step::RemoveMap { namespace, name } => {
            cluster.remove(&ObjectRef::namespaced(CONFIG_MAP, ns(namespace), format!("map-{name}")));
        }
        Step::ApplyDeployment { namespace, replicas, args } => {
            let args = json!({"args": [args.to_string()]});
            let mut web = workload(DEPLOYMENT, "web", (*replicas).into(), args);
            web.set_namespace(&ns(namespace));
            let _ = cluster.apply(&web).await;
        }
        Step::Fault(true) => cluster.inject_fault(FaultTarget::any(), Fault::ImagePull),
        Step::Fault(false) => cluster.clear_faults(),
        Step::Crash(n) => {
            cluster.crash(&ObjectRef::namespaced(DEPLOYMENT, ns(n), "web"));
        }
        Step::Expire => cluster.expire_watches(),
        Step::Drop => cluster.drop_watches(),
        Step::FailWatches(n) => {
            let outage = Outage::new(ClusterErrorKind::Unavailable).verb(Verb::Watch).times(usize::from(*n));
            cluster.begin_outage(outage);
            cluster.drop_watches();
        }
        Step::Pass(seconds) => sleep(Duration::from_secs((*seconds).into())).await,
        Step::Look(_) => {}
    }
}

#[derive(Default)]
struct Cache(BTreeMap<ObjectRef, Object>);

impl Cache {
    fn take_in(&mut self, event: WatchEvent) {
        match event {
            WatchEvent::Snapshot(all) => self.0 = all.into_iter().map(|o| (o.reference(), o)).collect(),
            WatchEvent::Applied(object) => {
                let before = self.0.insert(object.reference(), object.clone());
                let version = |o: &Object| o.resource_version().and_then(|v| v.parse::<u64>().ok());
                assert!(before.is_none_or(|b| version(&b) < version(&object)), "{object:?} went back in time");
            }
            WatchEvent::Deleted(object) => {
                assert!(self.0.remove(&object.reference()).is_some(), "{object:?} was never there");
            }
        }
    }
}

async fn play(steps: Vec<Step>, history: usize) {
    let delay = Duration::from_secs(7);
    let cluster =
        InMemoryCluster::builder().readiness_delay(delay).termination_delay(delay).watch_history(history).build();
    let red = LabelRequirement::Equals("colour".into(), "red".into());
    let queries = [
        Query::all(CONFIG_MAP).labelled(red),
        Query::all(CONFIG_MAP).in_namespace("ns-0"),
        Query::all(NAMESPACE),
        Query::all(POD),
        Query::all(DEPLOYMENT).in_namespace("ns-1").named("web"),
    ];
    let mut watches: Vec<(Query, WatchStream, Cache)> =
        queries.into_iter().map(|query| (query.clone(), cluster.watch(&query), Cache::default())).collect();
    for step in &steps {
        take(&cluster, step).await;
        if let Step::Look(events) = step {
            for (_, stream, cache) in &mut watches {
                for _ in 0..*events {
                    if let Some(Some(Ok(event))) = stream.next().now_or_never() {
                        cache.take_in(event);
                    }
                }
            }
        }
    }
    sleep(Duration::from_secs(3600)).await;
    for (query, mut stream, mut cache) in watches {
        // Until it has had nothing to say for longer than it ever backs off.
        while let Ok(event) = timeout(Duration::from_secs(60), stream.next()).await {
            if let Some(Ok(event)) = event {
                cache.take_in(event);
            }
        }
        let listed = cluster.list(&query).await.unwrap();
        assert!(cache.0.into_values().collect::<Vec<_>>() == listed, "the cache of {query} is not its list");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn a_cache_fed_by_a_watch_is_the_list(steps in prop::collection::vec(step(), 0..60), history in 1..20_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(steps, history));
    }
}
