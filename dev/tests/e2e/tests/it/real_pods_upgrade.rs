//! The platform is upgraded while people use it.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::kubectl::kubectl;
use crate::node::Node;
use crate::platform::Platform;

/// How many requests a second there are.
const RATE: u32 = 100;
/// Of so many, two are creations.
const CREATE_EVERY: usize = 500;
/// How many requests there are before and after the upgrade.
const MARGIN: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_and_no_store_is_lost_in_an_upgrade() {
    let Some(node) = Node::take().await else { return };
    let mut settings =
        ["backend.replicas=2", "dashboard.replicas=2", "backend.rateLimit=1000", "backend.rateBurst=1000"]
            .map(str::to_owned)
            .to_vec();
    // What is measured is the platform: stores want more than there is, and do not run.
    for part in ["database", "api", "storefront", "proofOfLife"] {
        for bound in ["requests", "limits"] {
            settings.push(format!("stores.defaults.medusa.{part}.resources.{bound}.cpu=64000m"));
        }
    }
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let platform = Platform::install(&node, &settings);
    let before = pods(&node);
    let client = client(&platform);
    // A replica of the dashboard that was there before the API believes for a second that there is none.
    for host in [Platform::API, Platform::DASHBOARD] {
        let stores = || async { client.get(format!("{host}/stores")).send().await?.error_for_status() };
        let answers = async {
            let mut in_a_row = 0;
            while in_a_row < 20 {
                in_a_row = if stores().await.is_ok() { in_a_row + 1 } else { 0 };
            }
        };
        tokio::time::timeout(Duration::from_secs(30), answers).await.unwrap_or_else(|_| panic!("{host} never answers"));
    }

    let (asking, mut asked) = watch::channel(0);
    let load = tokio::spawn(load(client, asking));
    asked.wait_for(|asked| *asked >= MARGIN).await.unwrap();
    let began = Instant::now();
    let settings =
        [&settings[..], &["backend.podAnnotations.round=two", "dashboard.podAnnotations.round=two"]].concat();
    tokio::task::block_in_place(|| {
        platform.apply(&settings);
        let gone = ["-n", Platform::NAMESPACE, "wait", "--for=delete", "--timeout=8m"];
        kubectl(&node.kubeconfig, &[&gone[..], &before.iter().map(String::as_str).collect::<Vec<_>>()].concat()).ok();
    });
    let took = began.elapsed();
    let upgraded = *asked.borrow();
    asked.wait_for(|asked| *asked >= upgraded + MARGIN).await.unwrap();
    drop(asked);
    let answers = load.await.unwrap();

    let after = pods(&node);
    assert!(before.len() == 4 && after.len() == 4, "{before:?} {after:?}");
    let failed: Vec<&str> = answers.iter().filter_map(|answer| answer.failure.as_deref()).collect();
    let mut times: Vec<f64> = answers.iter().map(|answer| answer.took.as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    let made: Vec<&str> = answers.iter().filter_map(|answer| answer.made.as_deref()).collect();
    println!(
        "upgraded in {:.1} s under {} requests, {} of them creations: {} failed; half took {:.0} ms, the slowest {:.0} ms",
        took.as_secs_f64(),
        answers.len(),
        made.len(),
        failed.len(),
        times[times.len() / 2],
        times[times.len() - 1]
    );
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(made.len() > 5, "{made:?}");
    let server = platform.server();
    let listed = server.urumi(&["list", "-o", "name"]);
    let lost: Vec<&&str> = made.iter().filter(|id| !listed.lines().any(|line| line.ends_with(**id))).collect();
    assert!(lost.is_empty(), "{lost:?} of {listed}");
    for id in &made {
        server.urumi(&["delete", id, "--yes"]);
    }
    for id in &made {
        server.urumi(&["wait", id, "--for", "deleted", "--timeout", "8m"]);
    }
}

/// The platform's pods, by name.
fn pods(node: &Node) -> Vec<String> {
    let args = ["-n", Platform::NAMESPACE, "get", "pods", "--field-selector=status.phase=Running", "-o", "name"];
    kubectl(&node.kubeconfig, &args).ok().lines().map(str::to_owned).collect()
}

/// What became of a request.
struct Answer {
    took: Duration,
    /// The store that it made.
    made: Option<String>,
    failure: Option<String>,
}

/// Asks the API and the dashboard in turn, at a steady rate, until nobody wants to know any more how many it has asked.
async fn load(client: Client, asked: watch::Sender<usize>) -> Vec<Answer> {
    let mut beat = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut answers = JoinSet::new();
    while !asked.is_closed() {
        beat.tick().await;
        let n = *asked.borrow();
        answers.spawn(ask(client.clone(), n));
        asked.send_replace(n + 1);
    }
    answers.join_all().await
}

async fn ask(client: Client, n: usize) -> Answer {
    let began = Instant::now();
    let host = if n.is_multiple_of(2) { Platform::API } else { Platform::DASHBOARD };
    let create = n % CREATE_EVERY < 2;
    let path = if n % 4 == 1 { "/ui/" } else { "/stores?limit=20" };
    let request = if create {
        let request = client.post(format!("{host}/stores")).header("idempotency-key", format!("upgrade-{n}"));
        request.json(&json!({"name": format!("Upgrade {n}"), "engine": "medusa"}))
    } else {
        client.get(format!("{host}{path}"))
    };
    let answer = async {
        let response = request.send().await.map_err(|error| format!("{error:?}"))?;
        let status = response.status();
        let text = response.text().await.map_err(|error| format!("{error:?}"))?;
        if status.is_success() { Ok(text) } else { Err(format!("{status}: {text}")) }
    };
    let (made, failure) = match answer.await {
        Ok(store) if create => {
            let store: Value = serde_json::from_str(&store).unwrap();
            (Some(store["id"].as_str().unwrap().to_owned()), None)
        }
        Ok(_) => (None, None),
        Err(why) => (None, Some(format!("request {n} to {host}: {why}"))),
    };
    Answer { took: began.elapsed(), made, failure }
}

/// Somebody with the administrator's token.
fn client(platform: &Platform) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let token = format!("Bearer {}", platform.token).parse().unwrap();
    let host = |url: &str| url.trim_start_matches("http://").to_owned();
    Client::builder()
        .no_proxy()
        .resolve(&host(Platform::API), platform.ingress)
        .resolve(&host(Platform::DASHBOARD), platform.ingress)
        .default_headers([(reqwest::header::AUTHORIZATION, token)].into_iter().collect())
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}
