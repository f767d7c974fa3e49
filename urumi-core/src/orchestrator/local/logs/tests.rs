use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::Orchestrator;
use crate::cluster::{InMemoryCluster, MockClusterBackend};
use crate::kubernetes::{ClusterError, ClusterErrorKind, Kind, LogOptions, LogsSince, Object, Query, Verb, WatchEvent};
use crate::orchestrator::StoreOrchestrator;
use crate::record::namespace_ref;
use crate::store::logs::LogQuery;
use crate::store::{CreateStore, StoreId};

/// How the answer to a request for a log ends after its lines.
#[derive(Clone, Copy)]
enum End {
    Ended,
    Lost,
    Never,
}

/// What is asked for: the tail, the time since when, and whether it is of the earlier run.
type Asked = (Option<u32>, Option<LogsSince>, bool);

fn pod(restarts: i64) -> Object {
    let last = if restarts > 0 { json!({"terminated": {"exitCode": 1}}) } else { json!({}) };
    let status = json!({"name": "postgres", "restartCount": restarts, "state": {"running": {}}, "lastState": last});
    let value = json!({
        "metadata": {"name": "postgres-0", "namespace": "store-shop", "uid": "pod", "labels": labels()},
        "spec": {"containers": [{"name": "postgres"}]},
        "status": {"containerStatuses": [status]},
    });
    Object::from_value(Kind::of::<Pod>(), value).unwrap()
}

/// The labels of the database's pod.
fn labels() -> Value {
    let urumi = Orchestrator::builder(InMemoryCluster::default()).build();
    let spec = urumi.prepare(&CreateStore::new("Shop", "medusa").id("shop")).unwrap();
    let manifests = urumi.render(&spec).unwrap();
    let database = manifests.iter().find(|object| object.kind().kind == "StatefulSet").unwrap();
    database.at("/spec/template/metadata/labels").unwrap().clone()
}

/// Follows the logs of the database. Its pod changes as `pods` says, a second after one another, and each request for its log
/// is answered with the next of `logs`. Returns `count` lines, and what was asked for.
async fn follow(pods: Vec<Object>, logs: Vec<(&'static str, End)>, count: usize) -> (Vec<String>, Vec<Asked>) {
    let real = InMemoryCluster::default();
    let id = StoreId::parse("shop").unwrap();
    let request = CreateStore::new("Shop", "medusa").id(id.as_str());
    Orchestrator::builder(real.clone()).build().create(request).await.unwrap();
    let namespace = crate::cluster::ClusterBackend::get(&real, &namespace_ref(&id)).await.unwrap().unwrap();

    let mut cluster = MockClusterBackend::new();
    let (record, first) = (namespace.clone(), pods[0].clone());
    cluster.expect_get().returning(move |_| Ok(Some(record.clone())));
    cluster.expect_list().returning(move |_| Ok(vec![first.clone()]));
    cluster.expect_watch().returning(move |query: &Query| {
        let events = if query.matches(&namespace) {
            vec![WatchEvent::Snapshot(vec![namespace.clone()].into())]
        } else {
            let changed = pods.iter().skip(1).cloned().map(WatchEvent::Applied);
            [WatchEvent::Snapshot(vec![pods[0].clone()].into())].into_iter().chain(changed).collect()
        };
        let slowly = stream::iter(events).then(|event| async {
            sleep(Duration::from_secs(1)).await;
            Ok(event)
        });
        slowly.chain(stream::pending()).boxed()
    });
    let (script, asked) = (Mutex::new(VecDeque::from(logs)), Arc::new(Mutex::new(Vec::new())));
    let noted = asked.clone();
    cluster.expect_logs().returning(move |pod, options: &LogOptions| {
        noted.lock().unwrap().push((options.tail, options.since, options.previous));
        assert!(options.timestamps && options.follow != options.previous, "{options:?}");
        let (text, end) = script.lock().unwrap().pop_front().unwrap_or(("", End::Never));
        let lines = stream::iter([Ok(Bytes::from(text))]);
        let lost = ClusterError::new(Verb::Logs, pod, ClusterErrorKind::Unreachable, "the connection was lost");
        Ok(match end {
            End::Ended => lines.boxed(),
            End::Lost => lines.chain(stream::iter([Err(lost)])).boxed(),
            End::Never => lines.chain(stream::pending()).boxed(),
        })
    });
    let urumi = Orchestrator::builder(cluster).build();
    let query = LogQuery::default().component("database").follow(true);
    let lines = urumi.logs(&id, &query).await.unwrap().take(count);
    let lines: Vec<String> = lines.map(|line| line.unwrap().text).collect().await;
    let asked = asked.lock().unwrap().clone();
    (lines, asked)
}

fn since(time: &str) -> Option<LogsSince> {
    Some(LogsSince::Time(time.parse().unwrap()))
}

const ONE: &str = "2026-01-01T00:00:05.1Z one\n2026-01-01T00:00:05.2Z two\n";
const TWO: &str = "2026-01-01T00:00:05.1Z one\n2026-01-01T00:00:05.2Z two\n2026-01-01T00:00:05.2Z three\n";
const THREE: &str = "2026-01-01T00:00:05.1Z one\n2026-01-01T00:00:05.2Z two\n2026-01-01T00:00:05.2Z three\n\
                     2026-01-01T00:00:06Z four\n";

#[tokio::test(start_paused = true)]
async fn a_lost_connection_loses_no_line_and_repeats_none() {
    let logs = vec![(ONE, End::Lost), ("unable to retrieve", End::Ended), (TWO, End::Ended), (THREE, End::Never)];
    let (lines, asked) = follow(vec![pod(0)], logs, 4).await;
    assert_eq!(lines, ["one", "two", "three", "four"]);
    let again = (None, since("2026-01-01T00:00:05.2Z"), false);
    assert_eq!(asked, [(Some(100), None, false), again, again, again]);
}

#[tokio::test(start_paused = true)]
async fn the_last_lines_before_a_restart_are_read_too() {
    let earlier = "2026-01-01T00:00:05.1Z one\n2026-01-01T00:00:05.2Z two\n2026-01-01T00:00:05.3Z last words\n";
    let logs =
        vec![(ONE, End::Lost), ("", End::Lost), (earlier, End::Ended), ("2026-01-01T00:00:09Z again\n", End::Never)];
    let (lines, asked) = follow(vec![pod(0), pod(1)], logs, 4).await;
    assert_eq!(lines, ["one", "two", "last words", "again"]);
    let previous: Vec<bool> = asked.iter().map(|(_, _, previous)| *previous).collect();
    assert_eq!(previous, [false, false, true, false], "{asked:?}");
    assert_eq!(asked[3].1, since("2026-01-01T00:00:05.3Z"));
}
