use futures::{FutureExt, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::*;
use crate::cluster::LogStream;
use crate::kubernetes::{Access, ClusterError, ClusterErrorKind, LogOptions, LogsSince};

async fn read(cluster: &InMemoryCluster, options: &LogOptions) -> Result<Vec<String>, ClusterError> {
    let pod = only_pod(cluster).await.reference();
    let pieces: Vec<_> = cluster.logs(&pod, options).await?.try_collect().await?;
    Ok(pieces.iter().map(|piece| String::from_utf8_lossy(piece).trim_end().to_owned()).collect())
}

async fn follow(cluster: &InMemoryCluster) -> LogStream {
    let pod = only_pod(cluster).await.reference();
    cluster.logs(&pod, &LogOptions { follow: true, ..LogOptions::default() }).await.unwrap()
}

async fn next(log: &mut LogStream) -> Option<String> {
    let piece = log.next().await?.unwrap();
    Some(String::from_utf8_lossy(&piece).into_owned())
}

fn web() -> Object {
    workload(DEPLOYMENT, "web", 1, json!({"ports": [{"containerPort": 9000}]}))
}

const START: &str = "starting main from shop/app:1";
const READY: &str = "ready, listening on port 9000";
const FATAL: &str = "fatal: exiting with code 1";

#[tokio::test(start_paused = true)]
async fn a_container_that_has_not_started_has_no_log_yet() {
    let cluster = cluster().await;
    cluster.create(&web()).await.unwrap();
    let all = LogOptions::default();
    let error = read(&cluster, &all).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Unavailable);
    let name = only_pod(&cluster).await.name().to_owned();
    assert_eq!(error.message(), format!("container \"main\" in pod \"{name}\" is waiting to start: ContainerCreating"));
    sleep(DELAY).await;
    assert_eq!(read(&cluster, &all).await.unwrap(), [START, READY]);
    assert_eq!(read(&cluster, &LogOptions { tail: Some(1), ..all.clone() }).await.unwrap(), [READY]);
    let stamped = read(&cluster, &LogOptions { timestamps: true, ..all.clone() }).await.unwrap();
    let began =
        only_pod(&cluster).await.str_at("/status/containerStatuses/0/state/running/startedAt").unwrap().to_owned();
    assert!(stamped[0].starts_with(began.trim_end_matches('Z')), "{stamped:?} since {began}");
    assert!(stamped[0].ends_with(&format!("Z {START}")), "{stamped:?}");

    cluster.inject_fault(FaultTarget::named("web"), Fault::ImagePull);
    let error = read(&cluster, &all).await.unwrap_err();
    assert!(error.message().ends_with("is waiting to start: trying and failing to pull image"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_log_begins_where_it_is_asked_to() {
    let cluster = cluster().await;
    cluster.create(&web()).await.unwrap();
    sleep(DELAY * 2).await;
    let since = |since| LogOptions { since: Some(since), ..LogOptions::default() };
    let all = LogOptions { timestamps: true, ..LogOptions::default() };
    let stamped = read(&cluster, &all).await.unwrap();
    let times: Vec<Timestamp> = stamped.iter().map(|line| line.split_once(' ').unwrap().0.parse().unwrap()).collect();
    assert!(times[0] < times[1], "{stamped:?}");
    let later = Timestamp::from_second(times[1].as_second() + 1).unwrap();
    for (options, lines) in [
        (since(LogsSince::Time(times[1])), 2),
        (since(LogsSince::Time(later)), 0),
        (since(LogsSince::Seconds(u32::MAX)), 2),
        (since(LogsSince::Seconds(1)), 0),
        (LogOptions { tail: Some(1), ..since(LogsSince::Seconds(3600)) }, 1),
    ] {
        assert_eq!(read(&cluster, &options).await.unwrap().len(), lines, "{options:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_written_before_a_crash_can_be_read() {
    let cluster = cluster().await;
    cluster.create(&web()).await.unwrap();
    sleep(DELAY).await;
    let (all, previous) = (LogOptions::default(), LogOptions { previous: true, ..LogOptions::default() });
    let none = read(&cluster, &previous).await.unwrap_err();
    assert_eq!(none.kind(), ClusterErrorKind::NotFound, "{none}");
    let web = ObjectRef::namespaced(DEPLOYMENT, "shop", "web");
    cluster.crash(&web);
    // While it waits to be started again, its last words are its log.
    assert_eq!(read(&cluster, &all).await.unwrap(), [START, READY, FATAL]);
    sleep(DELAY).await;
    assert_eq!(read(&cluster, &all).await.unwrap(), [START, READY]);
    assert_eq!(read(&cluster, &previous).await.unwrap(), [START, READY, FATAL]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_crashes_from_the_start_says_so() {
    let cluster = cluster().await;
    cluster.inject_fault(FaultTarget::any(), Fault::CrashLoop { exit_code: 3, restarts: 0 });
    cluster.create(&web()).await.unwrap();
    sleep(DELAY).await;
    assert_eq!(read(&cluster, &LogOptions::default()).await.unwrap(), [START, "fatal: exiting with code 3"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_is_followed_until_the_container_ends() {
    let cluster = cluster().await;
    cluster.inject_fault(FaultTarget::named("web"), Fault::NeverReady);
    cluster.create(&web()).await.unwrap();
    sleep(DELAY).await;
    let mut log = follow(&cluster).await;
    assert_eq!(next(&mut log).await.unwrap(), format!("{START}\n"));
    assert!(log.next().now_or_never().is_none(), "nothing has happened since");
    assert_eq!(cluster.open_watches(), 0, "who follows a log does not watch");
    cluster.clear_faults();
    // As a fault ends, the pod starts anew.
    assert_eq!(next(&mut log).await, None);
    sleep(DELAY).await;

    let mut log = follow(&cluster).await;
    assert_eq!(
        [next(&mut log).await.unwrap(), next(&mut log).await.unwrap()],
        [START, READY].map(|l| format!("{l}\n"))
    );
    let other = cluster.clone();
    let crash = tokio::spawn(async move {
        sleep(DELAY).await;
        other.crash(&ObjectRef::namespaced(DEPLOYMENT, "shop", "web"));
    });
    assert_eq!(next(&mut log).await.unwrap(), format!("{FATAL}\n"));
    assert_eq!(next(&mut log).await, None);
    crash.await.unwrap();
    sleep(DELAY).await;

    let mut log = follow(&cluster).await;
    cluster.remove(&only_pod(&cluster).await.reference());
    let rest: Vec<_> = log.by_ref().collect().await;
    assert!(rest.is_empty() || rest.len() == 2, "a pod that is gone has no more to say");
}

#[tokio::test(start_paused = true)]
async fn logs_are_a_permission_of_their_own() {
    let cluster = cluster().await;
    cluster.create(&web()).await.unwrap();
    sleep(DELAY).await;
    let (group, resource) = (String::new(), "pods".to_owned());
    cluster.deny(Access { verb: "get".into(), group, resource, namespace: None, name: None });
    assert!(read(&cluster, &LogOptions::default()).await.is_ok());
    let (group, resource) = (String::new(), "pods/log".to_owned());
    cluster.deny(Access { verb: "get".into(), group, resource, namespace: Some("shop".into()), name: None });
    let error = read(&cluster, &LogOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Forbidden);
    let web = ObjectRef::namespaced(DEPLOYMENT, "shop", "web");
    cluster.allow_all();
    let error = cluster.logs(&web, &LogOptions::default()).await.err().unwrap();
    assert_eq!(error.kind(), ClusterErrorKind::Invalid, "{error}");
}
