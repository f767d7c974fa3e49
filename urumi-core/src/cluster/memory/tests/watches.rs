use futures::{FutureExt, StreamExt};
use tokio::time::timeout;

use super::*;
use crate::cluster::{Outage, WatchStream};
use crate::kubernetes::{ClusterErrorKind, Verb, WatchEvent};

/// What a watch has to say by now, without waiting.
fn seen(watch: &mut WatchStream) -> Vec<String> {
    std::iter::from_fn(|| watch.next().now_or_never().flatten()).map(describe).collect()
}

fn describe(event: Result<WatchEvent, crate::kubernetes::ClusterError>) -> String {
    match event {
        Ok(WatchEvent::Snapshot(objects)) => {
            let names: Vec<String> = objects.iter().map(|object| object.name().to_owned()).collect();
            format!("snapshot [{}]", names.join(" "))
        }
        Ok(WatchEvent::Applied(object)) => format!("applied {}", object.name()),
        Ok(WatchEvent::Deleted(object)) => format!("deleted {}", object.name()),
        Err(error) => format!("error {:?}", error.kind()),
    }
}

fn maps() -> Query {
    Query::all(CONFIG_MAP).in_namespace("shop")
}

#[tokio::test(start_paused = true)]
async fn a_watch_sleeps_until_something_is_due() {
    let cluster = cluster().await;
    cluster.create(&deployment("web")).await.unwrap();
    let mut watch = cluster.watch(&Query::all(DEPLOYMENT).in_namespace("shop"));
    assert_eq!(seen(&mut watch), ["snapshot [web]"]);
    let began = tokio::time::Instant::now();
    // Nobody else looks at the cluster.
    let Some(Ok(WatchEvent::Applied(ready))) = watch.next().await else { panic!() };
    assert_eq!(began.elapsed(), DELAY);
    assert_eq!(ready.int_at("/status/availableReplicas"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_woken_by_what_is_put_on_the_agenda_later() {
    let cluster = cluster().await;
    let mut watch = cluster.watch(&Query::all(POD));
    assert_eq!(seen(&mut watch), ["snapshot []"]);
    let (events, ()) = tokio::join!(
        async {
            let mut ready = None;
            while ready.is_none() {
                let Some(Ok(WatchEvent::Applied(pod))) = watch.next().await else { panic!() };
                ready = (condition(&pod, "Ready")["status"] == "True").then_some(pod);
            }
            ready
        },
        async {
            sleep(Duration::from_secs(5)).await;
            cluster.create(&deployment("web")).await.unwrap();
        }
    );
    assert!(events.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_seen_to_wait_before_it_is_ready_even_without_delay() {
    let cluster = InMemoryCluster::default();
    namespace(&cluster, "shop").await;
    let mut watch = cluster.watch(&Query::all(POD));
    assert_eq!(seen(&mut watch), ["snapshot []"]);
    cluster.create(&deployment("web")).await.unwrap();
    let phases: Vec<String> = std::iter::from_fn(|| watch.next().now_or_never().flatten())
        .map(|event| {
            let Ok(WatchEvent::Applied(pod)) = event else { panic!() };
            pod.str_at("/status/phase").unwrap().to_owned()
        })
        .collect();
    assert_eq!(phases.first().map(String::as_str), Some("Pending"));
    assert_eq!(phases.last().map(String::as_str), Some("Running"));
}

#[tokio::test(start_paused = true)]
async fn contents_are_seen_to_go_before_their_namespace() {
    let cluster = cluster().await;
    let shop = cluster.get(&ObjectRef::cluster(NAMESPACE, "shop")).await.unwrap().unwrap();
    cluster.create(&config_map("a", json!({}))).await.unwrap();
    let mut namespaces = cluster.watch(&Query::all(NAMESPACE).named("shop"));
    let mut maps = cluster.watch(&maps());
    assert_eq!((seen(&mut namespaces), seen(&mut maps)), (vec!["snapshot [shop]".into()], vec!["snapshot [a]".into()]));
    delete(&cluster, &shop).await;
    assert_eq!(seen(&mut namespaces), ["applied shop"]);
    let version = |event: Option<Result<WatchEvent, _>>| match event {
        Some(Ok(WatchEvent::Deleted(object))) => object.resource_version().unwrap().parse::<u64>().unwrap(),
        _ => panic!(),
    };
    let (map, namespace) = (version(maps.next().await), version(namespaces.next().await));
    assert!(map < namespace);
}

#[tokio::test]
async fn a_watch_that_lags_starts_over() {
    let cluster = InMemoryCluster::builder().watch_history(3).build();
    namespace(&cluster, "shop").await;
    let (mut quick, mut slow) = (cluster.watch(&maps()), cluster.watch(&maps()));
    assert_eq!((seen(&mut quick), seen(&mut slow)), (vec!["snapshot []".into()], vec!["snapshot []".into()]));
    for name in ["a", "b", "c", "d"] {
        cluster.create(&config_map(name, json!({}))).await.unwrap();
        assert_eq!(seen(&mut quick), [format!("applied {name}")]);
    }
    assert_eq!(seen(&mut slow), ["snapshot [a b c d]"]);
}

#[tokio::test(start_paused = true)]
async fn watches_expire_and_break_and_heal() {
    let cluster = cluster().await;
    let mut watch = cluster.watch(&maps());
    assert_eq!(seen(&mut watch), ["snapshot []"]);
    assert_eq!(cluster.open_watches(), 1);
    cluster.create(&config_map("a", json!({}))).await.unwrap();
    cluster.expire_watches();
    assert_eq!(seen(&mut watch), ["snapshot [a]"]);
    cluster.drop_watches();
    assert_eq!(seen(&mut watch), ["error Unreachable"]);
    cluster.create(&config_map("b", json!({}))).await.unwrap();
    assert_eq!(describe(watch.next().await.unwrap()), "snapshot [a b]");
    let outage = cluster.begin_outage(Outage::new(ClusterErrorKind::Unavailable).verb(Verb::Watch));
    cluster.drop_watches();
    let mut errors = Vec::new();
    let began = tokio::time::Instant::now();
    for _ in 0..10 {
        errors.push(describe(watch.next().await.unwrap()));
    }
    assert_eq!(errors[0], "error Unreachable");
    assert!(errors[1..].iter().all(|error| error == "error Unavailable"), "{errors:?}");
    assert!(began.elapsed() > Duration::from_secs(20), "it backs off");
    cluster.end_outage(outage);
    assert_eq!(describe(watch.next().await.unwrap()), "snapshot [a b]");
    drop(watch);
    assert_eq!(cluster.open_watches(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_cluster_is_quiet() {
    let cluster = cluster().await;
    let mut watch = cluster.watch(&maps());
    assert_eq!(seen(&mut watch), ["snapshot []"]);
    cluster.forget_requests();
    assert!(timeout(Duration::from_secs(86_400), watch.next()).await.is_err());
    assert_eq!(cluster.request_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_stays_is_not_written_again() {
    let cluster = cluster().await;
    cluster.create(&deployment("web")).await.unwrap();
    sleep(DELAY).await;
    let before = cluster.dump();
    sleep(Duration::from_secs(86_400)).await;
    cluster.apply(&deployment("web")).await.unwrap();
    assert!(cluster.dump() == before, "nothing changes by itself once everything is ready");
}
