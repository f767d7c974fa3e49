use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use urumi_core::OwnerLimits;
use urumi_core::cluster::{InMemoryCluster, Outage};
use urumi_core::kubernetes::{ClusterErrorKind, Verb};

use crate::test_server::{Answer, TestServer, eventually};

fn server(stores: Option<usize>, provisioning: Option<usize>) -> TestServer {
    let cluster = InMemoryCluster::builder().latency(Duration::from_millis(5)).build();
    let limits = OwnerLimits::default().stores(stores).provisioning(provisioning);
    TestServer::limited(cluster, limits, |builder| builder)
}

async fn create(server: &TestServer, caller: &str) -> Answer {
    server.ask("POST", "/stores").as_(caller).json(json!({"name": "Shop", "engine": "medusa"})).send().await
}

#[tokio::test(start_paused = true)]
async fn an_owner_has_so_many_stores_and_no_more() {
    let server = server(Some(2), None);
    let first = create(&server, "ann-operator").await.json();
    assert_eq!(create(&server, "ann-operator").await.status, 202);
    let refused = create(&server, "ann-operator").await;
    assert_eq!(refused.verdict(), (403, "limit-reached".to_owned()));
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("user:ann has 2 of 2 stores"), "{detail}");
    // Others, and teams, are counted by themselves; a preview is no store.
    assert_eq!(create(&server, "bob").await.status, 202);
    let team = json!({"name": "Shop", "engine": "medusa", "owner": "team:shop"});
    assert_eq!(server.ask("POST", "/stores").as_("ann-operator").json(team.clone()).send().await.status, 202);
    assert_eq!(server.ask("POST", "/stores/preview").as_("ann-operator").json(team).send().await.status, 200);
    // What is on its way out makes room.
    let path = format!("/stores/{}", first["id"].as_str().unwrap());
    assert_eq!(server.ask("DELETE", &path).as_("ann-operator").send().await.status, 202);
    assert_eq!(create(&server, "ann-operator").await.status, 202);
    assert_eq!(create(&server, "ann-operator").await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_share_a_limit() {
    for (limits, refusal) in [((Some(3), None), 403), ((None, Some(3)), 429)] {
        let server = server(limits.0, limits.1);
        let answers = join_all((0..20).map(|_| create(&server, "ann-operator"))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.verdict().0).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![202; 3], vec![refusal; 17]].concat());
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_stores_are_provisioned_at_once() {
    let server = server(None, Some(1));
    assert_eq!(create(&server, "ann-operator").await.status, 202);
    let refused = create(&server, "ann-operator").await;
    assert_eq!(refused.verdict(), (429, "provisioning-limit".to_owned()));
    assert_eq!((refused.header("retry-after"), &refused.json()["retryable"]), (Some("10"), &json!(true)));
}

/// A creation that fails gives its place back.
#[tokio::test(start_paused = true)]
async fn what_is_not_made_does_not_count() {
    let server = server(Some(1), None);
    let outage = Outage::new(ClusterErrorKind::Forbidden).verb(Verb::Create);
    let outage = server.cluster.begin_outage(outage);
    assert_eq!(create(&server, "ann-operator").await.verdict(), (502, "cluster-refused".to_owned()));
    server.cluster.end_outage(outage);
    assert_eq!(create(&server, "ann-operator").await.status, 202);
    eventually("the limit", async || create(&server, "ann-operator").await.status == 403).await;
}
