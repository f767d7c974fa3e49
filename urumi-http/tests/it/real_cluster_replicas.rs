//! Several server processes over one real API server, and what happens when one is killed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::{CreateStore, HttpOrchestrator, StoreId, StoreOrchestrator, StoreOrchestratorExt};
use urumi_testing::{Killer, Moment};

use crate::process::{ALONE, Server, kubeconfig};

const PATIENCE: Duration = Duration::from_secs(300);

/// How many rounds there are, and how many requests in each.
const ROUNDS: usize = 20;
const REQUESTS: usize = 64;

async fn start(kubeconfig: &str, listen: &str) -> Server {
    let unlimited = ["--rate-limit", "100000", "--rate-burst", "100000", "--log", "warn"];
    let args = ["--cluster", "kube", "--kubeconfig", kubeconfig, "--listen", listen];
    Server::start(&[&args[..], &unlimited[..]].concat()).await
}

fn client() -> reqwest::Client {
    // Another test may have done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Sends one creation until it is answered well: whoever gets no answer asks the other server, and one is always there.
async fn create(
    client: &reqwest::Client,
    servers: [&str; 2],
    first: usize,
    key: &str,
    answered: &AtomicUsize,
) -> String {
    for attempt in 0..200 {
        let server = servers[(first + attempt) % 2];
        let body = json!({"name": format!("Once {key}"), "engine": "medusa"});
        let request = client.post(format!("{server}/stores")).header("Idempotency-Key", key).json(&body);
        match request.send().await {
            Ok(answer) if answer.status() == 202 => match answer.json::<Value>().await {
                Ok(store) => {
                    answered.fetch_add(1, Ordering::SeqCst);
                    return store["id"].as_str().unwrap().to_owned();
                }
                Err(_cut_off) => {}
            },
            Ok(answer) => {
                let status = answer.status();
                let problem = answer.text().await.unwrap_or_default();
                assert!(status == 503 || status == 504, "{status}: {problem}");
            }
            Err(_no_answer) => {}
        }
    }
    panic!("there was never an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_creations_at_two_servers_make_one_store_even_when_one_is_killed() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _alone = ALONE.lock().await;
    let run = std::process::id();
    let (mut one, two) = (start(&kubeconfig, "127.0.0.1:0").await, start(&kubeconfig, "127.0.0.1:0").await);
    let (port, urls) = (format!("127.0.0.1:{}", one.port()), [one.url.clone(), two.url.clone()]);
    let client = client();
    let mut made = Vec::new();
    for round in 0..ROUNDS {
        let key = format!("replicas-{run}-{round}");
        let answered = AtomicUsize::new(0);
        let urls = [urls[0].as_str(), urls[1].as_str()];
        let all = join_all((0..REQUESTS).map(|n| create(&client, urls, n, &key, &answered)));
        let disturbed = async {
            if round % 2 == 1 {
                // At another moment in each round: before the first answer, or after some.
                while answered.load(Ordering::SeqCst) < (round / 2) * 5 {
                    tokio::task::yield_now().await;
                }
                one.child.kill().await.unwrap();
                one = start(&kubeconfig, &port).await;
            }
        };
        let (ids, ()) = tokio::join!(all, disturbed);
        assert!(ids.iter().all(|id| *id == ids[0]), "round {round}: {ids:?}");
        made.push(ids[0].clone());
    }
    let server = HttpOrchestrator::connect(&two.url, &Default::default()).unwrap();
    let stores = server.list().await.unwrap();
    let ours = stores.iter().filter(|s| s.name.starts_with(&format!("Once replicas-{run}-"))).count();
    assert_eq!(ours, ROUNDS);
    finish_and_remove(&server, &made).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_during_a_creation_leaves_a_store_that_the_next_one_finishes_or_none() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _alone = ALONE.lock().await;
    let killer = Killer::start(urumi_testing::client(&kubeconfig).await).await;
    let run = std::process::id();
    let mut begun = Vec::new();
    let mut never = Vec::new();
    // A namespace, and 13 objects in it.
    for (at, moment) in (1..=14).flat_map(|at| [(at, Moment::Before), (at, Moment::After)]) {
        let id = format!("kill-{run}-{at}-{}", if moment == Moment::Before { "b" } else { "a" });
        let server = start(&killer.kubeconfig(), "127.0.0.1:0").await;
        let url = server.url;
        killer.start_and_kill(&id, at, moment, || server.child).await;
        let body = json!({"name": "Cut short", "engine": "medusa", "id": id});
        let client = client();
        let (answer, ()) = tokio::join!(client.post(format!("{url}/stores")).json(&body).send(), killer.done(PATIENCE));
        // The very last write may be followed by the answer before the process is dead.
        assert!(answer.is_err() || at == 14, "it answered though it was killed at write {at}");
        if (at, moment) == (1, Moment::Before) { never.push(id) } else { begun.push(id) }
    }
    let next = start(&kubeconfig, "127.0.0.1:0").await;
    let server = HttpOrchestrator::connect(&next.url, &Default::default()).unwrap();
    for id in &never {
        assert!(server.get(&StoreId::parse(id).unwrap()).await.is_err(), "{id} was begun");
    }
    finish_and_remove(&server, &begun).await;
    // What was never begun can be asked for again.
    let again =
        server.create(CreateStore::new("Cut short", "medusa").id(never[0].as_str())).await.unwrap().into_store();
    finish_and_remove(&server, &[again.id.to_string()]).await;
}

/// Every store becomes ready, has all that it should have, and goes without a trace.
async fn finish_and_remove(server: &HttpOrchestrator, ids: &[String]) {
    let ids: Vec<StoreId> = ids.iter().map(|id| StoreId::parse(id).unwrap()).collect();
    let finished = ids.iter().map(|id| async move {
        server.wait_until(id, Ready.or_failed(), PATIENCE).await.unwrap();
        assert_eq!(server.differences(id).await.unwrap(), [], "{id}");
        server.delete(id).await.unwrap();
        server.wait_until(id, Deleted, PATIENCE).await.unwrap();
    });
    join_all(finished).await;
}
