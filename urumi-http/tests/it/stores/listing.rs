use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use proptest::prelude::*;
use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::DropGuard;
use urumi_core::cluster::InMemoryCluster;
use urumi_core::store::status::StoreStatus;
use urumi_core::{Result, Store, StoreEvent};

use crate::stub_orchestrator::{StubOrchestrator, store};
use crate::test_server::{Answer, Ask, TestServer, serve};

/// A server whose stores the test sends as events.
struct Shop {
    app: Router,
    events: UnboundedSender<Result<StoreEvent>>,
    version: u64,
    _stop: DropGuard,
}

impl Shop {
    fn new(stores: Vec<Store>) -> Shop {
        let (stub, events) = StubOrchestrator::new();
        events.send(Ok(StoreEvent::Listed(stores))).unwrap();
        let (app, _, stop) = serve(Arc::new(stub), |builder| builder);
        Shop { app, events, version: 1_000, _stop: stop.drop_guard() }
    }

    /// Sends a change of a store, or its removal, and waits until the server has seen it.
    async fn change(&mut self, id: &str, created: Option<i64>) {
        self.version += 1;
        if created.is_none() {
            self.events.send(Ok(StoreEvent::Gone(urumi_core::StoreId::parse(id).unwrap()))).unwrap();
        }
        // The store `zz` shows when the server has seen the change.
        for (id, created) in created.map(|created| (id, created)).into_iter().chain([("zz", 1_000)]) {
            self.events.send(Ok(StoreEvent::Changed(store(id, created, self.version)))).unwrap();
        }
        let seen = self.get(&format!("/stores?resourceVersion={}&name=zz", self.version)).await.json();
        assert_eq!(seen[0]["resourceVersion"], self.version.to_string());
    }

    async fn get(&self, uri: &str) -> Answer {
        Ask::new(self.app.clone(), "GET", uri).send().await
    }
}

/// The address of the next page, as a client takes it from the header.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let address = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"").unwrap_or_else(|| panic!("{link}"));
    Some(address.to_owned())
}

#[derive(Clone, Debug)]
enum Act {
    Come(u8, i64),
    Go(u8),
}

fn act() -> impl Strategy<Value = Act> {
    // Few moments, so that many stores were created at the same one.
    prop_oneof![(0..40_u8, 0..4_i64).prop_map(|(n, at)| Act::Come(n, at)), (0..40_u8).prop_map(Act::Go)]
}

fn id(n: u8) -> String {
    format!("s{n}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No store is there twice, and none is missing that was there all the time.
    #[test]
    fn pages_are_right_while_stores_come_and_go(
        first in proptest::collection::btree_map(0..40_u8, 0..4_i64, 0..30),
        acts in proptest::collection::vec(proptest::collection::vec(act(), 0..6), 0..40),
        limit in 1..7_usize,
        sort in prop::sample::select(vec!["createdAt", "-createdAt", "name", "-name"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut shop = Shop::new(first.iter().map(|(n, at)| store(&id(*n), *at, 1)).collect());
            let mut there: BTreeMap<u8, i64> = first.clone();
            let mut always: BTreeSet<u8> = first.keys().copied().collect();
            let mut gone: BTreeSet<u8> = BTreeSet::new();
            let mut seen: Vec<String> = Vec::new();
            let mut acts = acts.into_iter();
            let mut uri = Some(format!("/stores?limit={limit}&sort={sort}"));
            while let Some(page) = uri {
                let answer = shop.get(&page).await;
                let ids = answer.ids();
                assert!(ids.len() <= limit);
                seen.extend(ids);
                uri = next(&answer);
                for act in acts.next().unwrap_or_default() {
                    match act {
                        // A store that comes back with the same id is another store.
                        Act::Come(n, at) if !there.contains_key(&n) => {
                            there.insert(n, at);
                            shop.change(&id(n), Some(at)).await;
                        }
                        Act::Go(n) if there.remove(&n).is_some() => {
                            always.remove(&n);
                            gone.insert(n);
                            shop.change(&id(n), None).await;
                        }
                        _ => {}
                    }
                }
            }
            for n in 0..40_u8 {
                let times = seen.iter().filter(|seen| **seen == id(n)).count();
                assert!(times == 1 || !always.contains(&n), "{n} is there {times} times in {seen:?}");
                assert!(times <= 1 || gone.contains(&n), "{n} is there {times} times in {seen:?}");
            }
        });
    }
}

fn shop() -> Shop {
    let with = |id: &str, created, name: &str, engine: &str, status| {
        let mut store = store(id, created, 1);
        (store.name, store.engine, store.status) = (name.to_owned(), engine.to_owned(), status);
        store
    };
    Shop::new(vec![
        with("b", 2, "beta", "medusa", StoreStatus::Ready),
        with("a", 2, "Alpha", "medusa", StoreStatus::Failed),
        with("c", 1, "Grüße", "other", StoreStatus::Degraded),
        with("d", 3, "alpha", "medusa", StoreStatus::Deleting),
    ])
}

#[tokio::test(start_paused = true)]
async fn lists_are_sorted_and_filtered() {
    let shop = shop();
    for (query, expected) in [
        ("", "c a b d"),
        ("?sort=createdAt", "c a b d"),
        ("?sort=-createdAt", "d b a c"),
        ("?sort=name", "a d b c"),
        ("?sort=-name", "c b d a"),
        ("?sort=status", "c d a b"),
        ("?sort=-status", "b a d c"),
        ("?status=ready", "b"),
        ("?status=failed,degraded", "c a"),
        ("?status=provisioning", ""),
        ("?status=failed&status=degraded", "c a"),
        ("?status=failed,degraded&status=ready", "c a b"),
        ("?engine=other", "c"),
        ("?engine=Other", ""),
        ("?name=ALPHA", "a d"),
        ("?name=gr%C3%BC%C3%9F", "c"),
        ("?name=b", "b"),
        ("?name=lph&status=failed&engine=medusa", "a"),
        ("?limit=2", "c a"),
        ("?limit=1000", "c a b d"),
    ] {
        assert_eq!(shop.get(&format!("/stores{query}")).await.ids().join(" "), expected, "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_page_is_of_the_same_query() {
    let shop = shop();
    let first = shop.get("/stores?name=a&status=failed,ready,deleting&sort=-name&limit=1").await;
    assert_eq!(first.ids(), ["b"]);
    let address = next(&first).unwrap();
    assert!(address.starts_with("/stores?") && address.contains("status=failed%2Cready%2Cdeleting"), "{address}");
    let second = shop.get(&address).await;
    assert_eq!(second.ids(), ["d"]);
    let third = shop.get(&next(&second).unwrap()).await;
    assert_eq!((third.ids(), next(&third)), (vec!["a".to_owned()], None));
    // A page that holds exactly the rest is the last.
    assert_eq!(next(&shop.get("/stores?limit=4").await), None);
    // A cursor is of one order only.
    let cursor = address.split("cursor=").nth(1).unwrap();
    let answer = shop.get(&format!("/stores?sort=name&cursor={cursor}")).await;
    assert_eq!((answer.verdict().0, answer.fields()), (400, vec!["cursor".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn parameters_that_cannot_be_read_are_refused() {
    let shop = shop();
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=open", "status"),
        ("status=ready,", "status"),
        ("status=", "status"),
        ("sort=id", "sort"),
        ("cursor=", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("resourceVersion=x", "resourceVersion"),
        ("resourceVersion=99999999999999999999", "resourceVersion"),
        ("nonsense=1", "nonsense"),
        ("Limit=1", "Limit"),
    ] {
        let answer = shop.get(&format!("/stores?{query}")).await;
        assert_eq!(answer.verdict(), (400, "malformed".to_owned()), "{query}");
        assert_eq!(answer.fields(), [field], "{query}: {}", answer.json());
        for library in ["invalid digit", "unknown variant", "provided string", "expected"] {
            assert!(!answer.text().contains(library), "{}", answer.text());
        }
    }
    // Everything that is wrong is in one answer.
    let answer = shop.get("/stores?limit=x&status=open&sort=id&resourceVersion=x&cursor=x&labelSelector=&foo=1").await;
    let mut fields = answer.fields();
    fields.sort();
    let expected = ["cursor", "foo", "labelSelector", "limit", "resourceVersion", "sort", "status"];
    assert_eq!((answer.verdict().0, fields), (400, expected.map(str::to_owned).to_vec()));
    let answer =
        shop.get("/stores/a/logs?tail=-1&follow=1&since=5&previous=x&timestamps=&component=a&component=b").await;
    let mut fields = answer.fields();
    fields.sort();
    let expected = ["component", "follow", "previous", "since", "tail", "timestamps"];
    assert_eq!((answer.verdict().0, fields), (400, expected.map(str::to_owned).to_vec()));
    let routes = ["", "/events", "/logs", "/manifests", "/options", "/diff", "/credentials"];
    let routes = routes.map(|route| format!("/stores/a{route}?nonsense=1"));
    for uri in
        routes.iter().map(String::as_str).chain(["/watch?nonsense=1", "/engines?nonsense=1", "/whoami?nonsense=1"])
    {
        let answer = shop.get(uri).await;
        assert_eq!((answer.verdict().0, answer.fields()), (400, vec!["nonsense".to_owned()]), "{uri}");
    }
    for (method, uri) in
        [("DELETE", "/stores/a?dryRun=true"), ("POST", "/stores/a/retry?x"), ("POST", "/stores/a/smoke?x")]
    {
        let answer = Ask::new(shop.app.clone(), method, uri).send().await;
        assert_eq!(answer.verdict(), (400, "malformed".to_owned()), "{uri}");
    }
}

/// A terminal's next prompt begins on a line of its own.
#[tokio::test(start_paused = true)]
async fn answers_end_with_a_newline() {
    let shop = shop();
    for uri in [
        "/stores",
        "/stores?limit=2",
        "/stores?name=nothing",
        "/stores/a",
        "/whoami",
        "/readyz",
        "/nothing/stores",
        "/stores/nothing",
        "/openapi.json",
    ] {
        let answer = shop.get(uri).await;
        if answer.body.is_empty() {
            assert_eq!(uri, "/nothing/stores", "only the layers answer unknown paths");
            continue;
        }
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.ends_with('\n') && !text.ends_with("\n\n") && text.lines().count() == 1, "{uri}: {text:?}");
        let length = answer.header("content-length").map(|length| length.parse::<usize>().unwrap());
        assert!(length.is_none_or(|length| length == text.len()), "{uri}: {length:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slash_at_the_end_is_told() {
    let shop = shop();
    for (method, uri, meant) in [
        ("GET", "/stores/", "/stores"),
        ("POST", "/stores/", "/stores"),
        ("GET", "/stores/a/", "/stores/a"),
        ("DELETE", "/stores/a/", "/stores/a"),
        ("GET", "/stores/a/logs/", "/stores/a/logs"),
        ("GET", "/watch/", "/watch"),
    ] {
        let answer = Ask::new(shop.app.clone(), method, uri).send().await;
        assert_eq!(answer.verdict(), (404, "no-such-path".to_owned()), "{method} {uri}");
        assert_eq!(answer.json()["detail"], format!("there is no path {uri}; did you mean {meant}?"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_list_is_not_sent_again() {
    let mut shop = shop();
    for uri in ["/stores", "/stores?limit=2", "/stores?sort=name&status=ready"] {
        let first = shop.get(uri).await;
        let tag = first.header("etag").unwrap().to_owned();
        let ask = |tag: &str| Ask::new(shop.app.clone(), "GET", uri).header("if-none-match", tag);
        let again = ask(&tag).send().await;
        assert_eq!((again.status.as_u16(), again.body.len(), again.header("etag")), (304, 0, Some(&*tag)), "{uri}");
        assert_eq!(ask(&format!("\"x\", {tag}")).send().await.status, 304, "one of several");
        assert_eq!(ask("W/\"x\"").send().await.status, 200);
        // What another may see is another list.
        assert_eq!(ask(&tag).as_("ann-viewer").send().await.status, 200, "{uri}");
        shop.change("new", Some(9)).await;
        let ask = |tag: &str| Ask::new(shop.app.clone(), "GET", uri).header("if-none-match", tag);
        assert_eq!(ask(&tag).send().await.status, 200, "{uri}");
        shop.change("new", None).await;
    }
}

/// A server that has not seen the stores yet does not say that there are none.
#[tokio::test(start_paused = true)]
async fn before_the_first_sight_nothing_is_listed() {
    let (stub, _events) = StubOrchestrator::new();
    let (app, _, _stop) = serve(Arc::new(stub), |builder| builder);
    for uri in ["/stores", "/stores/a", "/watch", "/stores/a/events", "/stores/a/logs"] {
        let answer = Ask::new(app.clone(), "GET", uri).send().await;
        assert_eq!(answer.verdict(), (503, "not-ready".to_owned()), "{uri}");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

/// A version that is not there yet is waited for, but not for ever; what is older is never shown in its place.
#[tokio::test(start_paused = true)]
async fn a_version_that_does_not_come_is_a_problem_that_passes() {
    let server = TestServer::new(InMemoryCluster::default());
    let store = server.store("a", None).await;
    for uri in ["/stores", "/stores/a", "/stores/missing"] {
        let began = tokio::time::Instant::now();
        let answer = server.ask("GET", &format!("{uri}?resourceVersion=9999999999")).send().await;
        assert_eq!(answer.verdict(), (504, "version-not-reached".to_owned()), "{uri}");
        assert_eq!((&answer.json()["retryable"], answer.header("retry-after")), (&json!(true), Some("1")));
        assert!(began.elapsed().as_secs() < 5);
        let seen = server.ask("GET", &format!("{uri}?resourceVersion={}", store.resource_version)).send().await;
        assert!(seen.status == 200 || uri.ends_with("missing"), "{uri}: {seen:?}");
    }
}

/// A request that waits is answered as soon as the version is there.
#[tokio::test(start_paused = true)]
async fn a_version_that_comes_is_waited_for() {
    let shop = shop();
    assert_eq!(shop.get("/stores/a").await.status, 200);
    let mut waiting = Box::pin(shop.get("/stores/a?resourceVersion=77"));
    assert!(futures::poll!(&mut waiting).is_pending());
    shop.events.send(Ok(StoreEvent::Changed(store("a", 2, 77)))).unwrap();
    assert_eq!(waiting.await.json()["resourceVersion"], "77");
}
