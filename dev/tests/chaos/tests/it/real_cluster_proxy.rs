//! The proxy itself: what a client sees of each fault, and what the API server has done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{AsyncBufReadExt, TryStreamExt};
use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use urumi_faultproxy::{Counts, Fault, FaultProxy, Moment, Plan, Requests, WatchFault, WatchRule};

use crate::cluster::{WELL, kubeconfig};

/// A client that repeats nothing.
async fn client(kubeconfig: &str) -> kube::Client {
    let file = Kubeconfig::read_from(kubeconfig).unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    kube::Client::try_from(config).unwrap()
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// Creates a ConfigMap: `made`, the code of a refusal, or how there was no answer.
async fn create(client: &kube::Client, name: &str) -> String {
    let body = json!({"metadata": {"name": name, "labels": {"test": "faultproxy"}}}).to_string().into_bytes();
    let request = Request::post(MAPS).header("content-type", "application/json").body(body).unwrap();
    match tokio::time::timeout(Duration::from_secs(2), client.request::<Value>(request)).await {
        Ok(Ok(_)) => "made".to_owned(),
        Ok(Err(kube::Error::Api(status))) => status.code.to_string(),
        Ok(Err(error)) => {
            let mut source: Option<&dyn std::error::Error> = Some(&error);
            let mut text = String::new();
            while let Some(error) = source {
                text.push_str(&error.to_string());
                source = error.source();
            }
            if text.contains("reset") { "reset".to_owned() } else { "cut off".to_owned() }
        }
        Err(_elapsed) => "silence".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_what_it_says() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let admin = client(&kubeconfig).await;
    let proxy = FaultProxy::start(&kubeconfig, None).await;
    let kills = Arc::new(AtomicUsize::new(0));
    for (fault, seen, made) in [
        (Fault::TooMany, "429", false),
        (Fault::Internal, "500", false),
        (Fault::Unavailable, "503", false),
        (Fault::LateTimeout, "504", true),
        (Fault::ResetBefore, "reset", false),
        (Fault::ResetAfter, "reset", true),
        (Fault::Hang, "silence", false),
        (Fault::Truncate, "cut off", true),
        (Fault::Kill(Moment::Before), "silence", false),
        (Fault::Kill(Moment::After), "silence", true),
        (Fault::Kill(Moment::Replied), "made", true),
    ] {
        let through = client(&proxy.kubeconfig()).await;
        let [first, second] = [(); 2].map(|()| format!("faultproxy-{}", uuid::Uuid::new_v4()));
        let counter = kills.clone();
        proxy.on_kill(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        proxy.obey(Plan::at(Requests::Writes, 2, fault));
        assert_eq!(create(&through, &first).await, "made");
        assert_eq!(create(&through, &second).await, seen, "{fault:?}");
        assert_eq!(proxy.counts(), Counts { requests: 2, writes: 2 });
        let path = format!("{MAPS}/{second}");
        let found = admin.request::<Value>(Request::get(path).body(Vec::new()).unwrap()).await;
        assert_eq!(found.is_ok(), made, "{fault:?}");
        if let Fault::Kill(_) = fault {
            tokio::time::timeout(Duration::from_secs(10), proxy.killed()).await.unwrap();
        }
    }
    assert_eq!(kills.load(Ordering::SeqCst), 3);
    let all = Request::delete(format!("{MAPS}?labelSelector=test%3Dfaultproxy")).body(Vec::new()).unwrap();
    admin.request::<Value>(all).await.unwrap();
}

/// The types of the events of a watch from the beginning, until it ends or says nothing for a while.
async fn watched(client: &kube::Client, namespace: &str) -> Vec<String> {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps?watch=true&resourceVersion=0");
    let mut lines = client.request_stream(Request::get(path).body(Vec::new()).unwrap()).await.unwrap().lines();
    let mut types = Vec::new();
    while let Ok(Ok(Some(line))) = tokio::time::timeout(Duration::from_secs(2), lines.try_next()).await {
        let event = serde_json::from_str::<Value>(&line).unwrap_or_default();
        types.push(event["type"].as_str().unwrap_or("half").to_owned());
    }
    types
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_watch_is_what_it_says() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let proxy = FaultProxy::start(&kubeconfig, None).await;
    let through = client(&proxy.kubeconfig()).await;
    let moment = Duration::from_millis(300);
    for (fault, seen) in [
        (WatchFault::Delay(moment), vec!["ADDED"]),
        (WatchFault::Repeat, vec!["ADDED", "ADDED"]),
        (WatchFault::Lose(moment), vec!["ERROR"]),
        (WatchFault::End, vec![]),
        (WatchFault::Cut, vec![]),
        (WatchFault::Expire, vec!["ERROR"]),
        (WatchFault::Stale, vec!["ERROR"]),
    ] {
        let rule = WatchRule { kind: "configmaps".to_owned(), nth: 1, fault };
        proxy.obey(Plan { watches: vec![rule], ..Plan::default() });
        // Every namespace has the one with the cluster's certificate.
        assert_eq!(watched(&through, "kube-public").await[..seen.len()], seen, "{fault:?}");
    }
}
