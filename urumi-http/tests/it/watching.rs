//! `/watch`: what those see who watch.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use urumi_core::cluster::InMemoryCluster;
use urumi_core::{StoreEvent, StoreId};

use crate::stub_orchestrator::{StubOrchestrator, store};
use crate::test_server::{Ask, Frame, TestServer, ids, serve};

/// `+id` for a change, `-id` for an end, all ids for a list.
fn brief(frame: &Frame) -> String {
    match frame.event.as_str() {
        "listed" => ids(&frame.data).join(","),
        "changed" => format!("+{}", frame.data["id"].as_str().unwrap()),
        "gone" => format!("-{}", frame.data["id"].as_str().unwrap()),
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_of_a_stores_life() {
    let server = TestServer::new(InMemoryCluster::builder().termination_delay(Duration::from_secs(1)).build());
    server.store("a", None).await;
    let mut watch = server.ask("GET", "/watch").watch().await;
    let listed = watch.next().await;
    assert_eq!((brief(&listed).as_str(), &listed.data[0]["status"]), ("a", &json!("provisioning")));
    let created = server.ask("POST", "/stores").json(json!({"name": "B", "engine": "medusa", "id": "b"})).send().await;
    let changed = watch.next().await;
    assert_eq!((brief(&changed).as_str(), &changed.data), ("+b", &created.json()));
    server.ask("DELETE", "/stores/b").send().await;
    let end = watch.until(|frame| frame.event == "gone").await;
    assert_eq!((brief(&end[0]).as_str(), &end[0].data["status"]), ("+b", &json!("deleting")));
    assert_eq!(end.last().unwrap().data, json!({"id": "b"}));
    let mut seen = vec![listed, changed];
    seen.extend(end);
    let ids: Vec<&String> = seen.iter().map(|frame| &frame.id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1] && !pair[0].is_empty()), "{ids:?}");
}

/// Wherever the connection breaks: nothing is lost, and nothing comes twice.
#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_where_it_broke() {
    let server = TestServer::new(InMemoryCluster::default());
    let mut watch = server.ask("GET", "/watch").watch().await;
    for n in 0..5 {
        server.store(&format!("s{n}"), None).await;
        server.ask("DELETE", &format!("/stores/s{}", n / 2)).send().await;
    }
    server.store("last", None).await;
    let all = watch.until(|frame| brief(frame) == "+last").await;
    assert!(all.len() > 8, "{all:?}");
    for (at, frame) in all.iter().enumerate() {
        let mut resumed = server.ask("GET", "/watch").header("last-event-id", &frame.id).watch().await;
        let mut rest = Vec::new();
        while rest.len() < all.len() - at - 1 {
            rest.push(resumed.next().await);
        }
        assert_eq!(rest, all[at + 1..], "after {}", brief(frame));
    }
    // Whoever has seen everything is shown at once that the connection is there, and then what is new.
    let mut resumed = server.ask("GET", "/watch").header("last-event-id", &all.last().unwrap().id).watch().await;
    assert_eq!(resumed.next_or_comment().await.unwrap().event, "");
    server.store("new", None).await;
    assert_eq!(brief(&resumed.next().await), "+new");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_remembered_is_listed_again() {
    let server = TestServer::new(InMemoryCluster::default());
    server.store("a", None).await;
    let known = server.ask("GET", "/watch").watch().await.next().await.id;
    let (instance, sequence) = known.rsplit_once('-').unwrap();
    let future = format!("{instance}-{}", sequence.parse::<u64>().unwrap() + 1);
    for last in ["", "nonsense", "-", "other-1", &future, &format!("{instance}-x"), &format!("{instance}-0")] {
        let mut watch = server.ask("GET", "/watch").header("last-event-id", last).watch().await;
        let first = watch.next().await;
        // Everything is still remembered here, from the very beginning.
        let expected = if *last == format!("{instance}-0") { "+a" } else { "a" };
        assert_eq!(brief(&first), expected, "{last}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_watch_of_one_store_shows_no_other() {
    let server = TestServer::new(InMemoryCluster::default());
    server.store("other", None).await;
    let mut watch = server.ask("GET", "/watch?id=mine").watch().await;
    assert_eq!(watch.next().await.data, json!([]));
    server.store("another", None).await;
    server.store("mine", None).await;
    let created = watch.next().await;
    assert_eq!(brief(&created), "+mine");
    server.ask("DELETE", "/stores/another").send().await;
    server.ask("DELETE", "/stores/mine").send().await;
    let end = watch.until(|frame| frame.event == "gone").await;
    assert!(end.iter().all(|frame| brief(frame).ends_with("mine")), "{end:?}");
    // What was missed is of that store only, too.
    let mut resumed = server.ask("GET", "/watch?id=mine").header("last-event-id", &created.id).watch().await;
    assert_eq!(resumed.until(|frame| frame.event == "gone").await, end);
    let wrong = server.ask("GET", "/watch?id=Not%20an%20id").send().await;
    assert_eq!((wrong.verdict().0, wrong.fields()), (400, vec!["id".to_owned()]));
}

/// A watch begins with what its client has seen elsewhere, or not at all.
#[tokio::test(start_paused = true)]
async fn a_watch_does_not_begin_before_a_version() {
    let (stub, events) = StubOrchestrator::new();
    events.send(Ok(StoreEvent::Listed(vec![store("a", 1, 1)]))).unwrap();
    let (app, _, _stop) = serve(Arc::new(stub), |builder| builder);
    let asked = || Ask::new(app.clone(), "GET", "/watch?resourceVersion=7");
    assert_eq!(asked().send().await.verdict(), (504, "version-not-reached".to_owned()));
    events.send(Ok(StoreEvent::Changed(store("b", 2, 7)))).unwrap();
    assert_eq!(brief(&asked().watch().await.next().await), "a,b");
}

/// What a client watches by labels comes and goes with the labels.
#[tokio::test(start_paused = true)]
async fn a_watch_by_labels_shows_the_stores_that_have_them() {
    let (stub, events) = StubOrchestrator::new();
    let labelled = |id: &str, version: u64, team: &str| {
        let mut store = store(id, 1, version);
        store.labels.insert("team".to_owned(), team.to_owned());
        store
    };
    events.send(Ok(StoreEvent::Listed(vec![labelled("a", 1, "web"), labelled("b", 2, "api")]))).unwrap();
    let (app, _, _stop) = serve(Arc::new(stub), |builder| builder);
    let mut watch = Ask::new(app.clone(), "GET", "/watch?labelSelector=team%3Dweb").watch().await;
    let first = watch.next().await;
    assert_eq!(brief(&first), "a");
    for changed in [labelled("b", 3, "web"), labelled("c", 4, "api"), labelled("a", 5, "api"), labelled("a", 6, "app")]
    {
        events.send(Ok(StoreEvent::Changed(changed))).unwrap();
    }
    events.send(Ok(StoreEvent::Gone(StoreId::parse("a").unwrap()))).unwrap();
    events.send(Ok(StoreEvent::Gone(StoreId::parse("b").unwrap()))).unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(brief(&watch.next().await));
    }
    assert_eq!(seen, ["+b", "-a", "-b"]);
    // The same for a client that comes back.
    let resumed = Ask::new(app.clone(), "GET", "/watch?labelSelector=team%3Dweb").header("last-event-id", &first.id);
    let mut resumed = resumed.watch().await;
    let mut again = Vec::new();
    for _ in 0..3 {
        again.push(brief(&resumed.next().await));
    }
    assert_eq!(again, seen);
    let wrong = Ask::new(app, "GET", "/watch?labelSelector=a%20b&id=A").send().await;
    assert_eq!((wrong.verdict().0, wrong.fields()), (400, ["id", "labelSelector"].map(str::to_owned).to_vec()));
    assert!(wrong.json()["detail"].as_str().unwrap().contains("the key contains ' '"), "{}", wrong.json());
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_of_stores_that_they_may_not_see() {
    let server = TestServer::new(InMemoryCluster::default());
    server.store("theirs", Some("user:bob")).await;
    let mut watch = server.ask("GET", "/watch").as_("ann-viewer").watch().await;
    let first = watch.next().await;
    assert_eq!(first.data, json!([]));
    server.store("theirs-2", Some("user:bob")).await;
    server.store("nobodys", None).await;
    server.ask("DELETE", "/stores/theirs").send().await;
    server.store("own", Some("user:ann")).await;
    server.store("teams", Some("team:shop")).await;
    assert_eq!((brief(&watch.next().await), brief(&watch.next().await)), ("+own".into(), "+teams".into()));
    let mut resumed = server.ask("GET", "/watch").as_("ann-viewer").header("last-event-id", &first.id).watch().await;
    assert_eq!((brief(&resumed.next().await), brief(&resumed.next().await)), ("+own".into(), "+teams".into()));
    let mut one = server.ask("GET", "/watch?id=theirs-2").as_("ann-viewer").watch().await;
    assert_eq!(one.next().await.data, json!([]));
    server.ask("DELETE", "/stores/theirs-2").send().await;
    server.ask("DELETE", "/stores/own").send().await;
    let end = watch.until(|frame| frame.event == "gone").await;
    assert!(end.iter().all(|frame| brief(frame).ends_with("own")), "{end:?}");
}

/// Whoever is too slow for every change is shown the present instead; what was not sent is not kept for them.
#[tokio::test(start_paused = true)]
async fn whoever_falls_behind_is_shown_the_present() {
    let (stub, events) = StubOrchestrator::new();
    events.send(Ok(StoreEvent::Listed(vec![store("a", 1, 1)]))).unwrap();
    let (app, _, _stop) = serve(Arc::new(stub), |builder| builder);
    let mut slow = Ask::new(app.clone(), "GET", "/watch").watch().await;
    assert_eq!(brief(&slow.next().await), "a");
    for version in 2..3000 {
        events.send(Ok(StoreEvent::Changed(store("a", 1, version)))).unwrap();
    }
    events.send(Ok(StoreEvent::Gone(StoreId::parse("a").unwrap()))).unwrap();
    events.send(Ok(StoreEvent::Changed(store("b", 2, 3000)))).unwrap();
    let seen = Ask::new(app.clone(), "GET", "/stores?resourceVersion=3000").send().await;
    assert_eq!(seen.ids(), ["b"]);
    let next = slow.next().await;
    assert_eq!((next.event.as_str(), brief(&next).as_str()), ("listed", "b"));
    events.send(Ok(StoreEvent::Changed(store("b", 2, 3001)))).unwrap();
    assert_eq!(slow.next().await.data["resourceVersion"], "3001");
    // As is whoever comes back after too long.
    let first = format!("{}-1", next.id.rsplit_once('-').unwrap().0);
    let mut late = Ask::new(app, "GET", "/watch").header("last-event-id", &first).watch().await;
    assert_eq!(brief(&late.next().await), "b");
}

/// A gap in the server's own watch is told as the changes that it hid.
#[tokio::test(start_paused = true)]
async fn a_gap_beneath_is_bridged() {
    let (stub, events) = StubOrchestrator::new();
    events.send(Ok(StoreEvent::Listed(vec![store("a", 1, 1), store("b", 2, 2)]))).unwrap();
    let (app, _, _stop) = serve(Arc::new(stub), |builder| builder);
    let mut watch = Ask::new(app, "GET", "/watch").watch().await;
    assert_eq!(brief(&watch.next().await), "a,b");
    events.send(Ok(StoreEvent::Listed(vec![store("b", 2, 2), store("c", 3, 5)]))).unwrap();
    // An older sight of what is known is none.
    events.send(Ok(StoreEvent::Changed(store("c", 3, 4)))).unwrap();
    events.send(Ok(StoreEvent::Gone(StoreId::parse("b").unwrap()))).unwrap();
    let seen: Vec<String> = watch.until(|frame| brief(frame) == "-b").await.iter().map(brief).collect();
    assert_eq!(seen, ["-a", "+c", "-b"]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_shows_that_it_lives_and_ends_with_the_server() {
    let server = TestServer::with(InMemoryCluster::default(), |builder| builder.heartbeat(Duration::from_secs(15)));
    let mut watch = server.ask("GET", "/watch").watch().await;
    watch.next().await;
    let began = tokio::time::Instant::now();
    for beats in 1..4 {
        assert_eq!(watch.next_or_comment().await.unwrap().event, "");
        assert!(began.elapsed() <= Duration::from_secs(15 * beats));
    }
    server.stop.cancel();
    assert_eq!(watch.next_or_comment().await, None);
    server.tasks.close();
    server.tasks.wait().await;
}
