//! `KubeCluster` on a real API server. Each test has namespaces of its own, and deletes them.

use std::time::Duration;

use futures::{StreamExt, future};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ResourceQuota, Secret, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use urumi_core::cluster::{ClusterBackend, KubeCluster, WatchStream};
use urumi_core::kubernetes::{
    Access, ClusterErrorKind, LabelRequirement, MetadataPatch, Preconditions, Query, TokenReview, WatchEvent,
};
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::secret::SecretString;

use crate::support::{real_client, real_cluster};

fn object(kind: Kind, value: Value) -> Object {
    Object::from_value(kind, value).unwrap()
}

fn config_map(namespace: &str, name: &str, labels: Value) -> Object {
    object(
        Kind::of::<ConfigMap>(),
        json!({ "metadata": { "namespace": namespace, "name": name, "labels": labels }, "data": { "a": "1" } }),
    )
}

fn deployment(namespace: &str, replicas: i64) -> Object {
    let labels = json!({ "app": "x" });
    object(
        Kind::of::<Deployment>(),
        json!({
            "metadata": { "namespace": namespace, "name": "x" },
            "spec": {
                "replicas": replicas,
                "selector": { "matchLabels": labels },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": { "containers": [{ "name": "x", "image": "x" }] },
                },
            },
        }),
    )
}

/// A new namespace, as stored.
async fn namespace(cluster: &KubeCluster) -> Object {
    let name = format!("urumi-test-{}", uuid::Uuid::new_v4().simple());
    let value = json!({ "metadata": { "name": name, "annotations": { "old": "1" } } });
    cluster.create(&object(Kind::of::<Namespace>(), value)).await.unwrap()
}

async fn delete(cluster: &KubeCluster, namespace: &Object) {
    let latest = cluster.get(&namespace.reference()).await.unwrap().unwrap();
    cluster.delete(&latest.reference(), &Preconditions::of(&latest)).await.unwrap();
}

async fn next(watch: &mut WatchStream) -> WatchEvent {
    let next = tokio::time::timeout(Duration::from_secs(10), watch.next()).await;
    next.expect("an event").expect("a stream without end").unwrap()
}

/// `+name` for what was applied, `-name` for what was deleted, all names for a snapshot.
fn brief(event: &WatchEvent) -> String {
    match event {
        WatchEvent::Snapshot(all) => all.iter().map(|object| object.name().to_owned()).collect::<Vec<_>>().join(","),
        WatchEvent::Applied(object) => format!("+{}", object.name()),
        WatchEvent::Deleted(object) => format!("-{}", object.name()),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn objects_are_created_read_applied_and_refused() {
    let Some(cluster) = real_cluster().await else { return };
    assert!(cluster.version().await.unwrap().starts_with("v1."));
    let ns = namespace(&cluster).await;
    let name = ns.name();

    let stored = cluster.create(&deployment(name, 1)).await.unwrap();
    assert_eq!(stored.at("/metadata/managedFields"), None);
    assert!(stored.uid().is_some());
    let read = cluster.get(&stored.reference()).await.unwrap().unwrap();
    assert_eq!(read.uid(), stored.uid());

    let again = cluster.create(&deployment(name, 1)).await.unwrap_err();
    assert_eq!(again.kind(), ClusterErrorKind::AlreadyExists);

    // What was read can be applied: the server's own fields are left out.
    let mut changed = read.clone();
    changed.as_value_mut()["spec"]["replicas"] = json!(2);
    assert_eq!(cluster.apply(&changed).await.unwrap().int_at("/spec/replicas"), Some(2));

    let mut unknown = deployment(name, 1);
    unknown.as_value_mut()["metadata"]["name"] = json!("unknown");
    unknown.as_value_mut()["spec"]["replicaz"] = json!(2);
    for refused in [cluster.create(&unknown).await, cluster.apply(&unknown).await] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), ClusterErrorKind::Invalid);
        assert!(refused.message().contains("replicaz"), "{refused}");
    }

    let nowhere = cluster.create(&deployment("urumi-test-nowhere", 1)).await.unwrap_err();
    assert_eq!(nowhere.kind(), ClusterErrorKind::NotFound);
    let missing = ObjectRef::namespaced(Kind::of::<Deployment>(), "urumi-test-nowhere", "x");
    assert_eq!(cluster.get(&missing).await.unwrap(), None);

    let unheard_of = Kind { plural: "widgets".into(), kind: "Widget".into(), ..Kind::of::<Deployment>() };
    let error = cluster.get(&ObjectRef::namespaced(unheard_of.clone(), name, "x")).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::NotFound);
    let elsewhere = Kind { group: "urumi.invalid".into(), ..unheard_of };
    assert_eq!(cluster.list(&Query::all(elsewhere)).await.unwrap_err().kind(), ClusterErrorKind::NotFound);

    assert!(cluster.may(&Access::new("create", "", "namespaces")).await.unwrap());
    delete(&cluster, &ns).await;
}

#[tokio::test]
async fn records_are_guarded_by_their_version() {
    let Some(cluster) = real_cluster().await else { return };
    let ns = namespace(&cluster).await;
    let patch = MetadataPatch::at(ns.resource_version().unwrap()).annotate("new", "2").remove_annotation("old");
    let updated = cluster.patch_metadata(&ns.reference(), &patch).await.unwrap();
    assert_eq!((updated.annotation("new"), updated.annotation("old")), (Some("2"), None));
    let later = MetadataPatch::at(ns.resource_version().unwrap()).annotate("new", "3");
    let refused = cluster.patch_metadata(&ns.reference(), &later).await.unwrap_err();
    assert_eq!(refused.kind(), ClusterErrorKind::Conflict);
    let nowhere = ObjectRef::cluster(ns.kind().clone(), "urumi-test-nowhere");
    assert_eq!(cluster.patch_metadata(&nowhere, &patch).await.unwrap_err().kind(), ClusterErrorKind::NotFound);
    delete(&cluster, &ns).await;
}

#[tokio::test]
async fn deletions_are_pinned_and_may_be_repeated() {
    let Some(cluster) = real_cluster().await else { return };
    let ns = namespace(&cluster).await;
    // Something that holds the namespace in its termination, until it is taken away.
    let mut holder = config_map(ns.name(), "holder", json!({}));
    holder.as_value_mut()["metadata"]["finalizers"] = json!(["urumi.ai/test"]);
    cluster.apply(&holder).await.unwrap();

    let delete = async |expected: &Preconditions| cluster.delete(&ns.reference(), expected).await;
    let right = Preconditions::of(&ns);
    let other = Preconditions::uid("00000000-0000-0000-0000-000000000000").at(ns.resource_version().unwrap());
    assert_eq!(delete(&other).await.unwrap_err().kind(), ClusterErrorKind::Conflict);
    let stale = right.clone().at("1");
    assert_eq!(delete(&stale).await.unwrap_err().kind(), ClusterErrorKind::Conflict);

    delete(&right).await.unwrap();
    delete(&right).await.unwrap();
    let terminating = cluster.get(&ns.reference()).await.unwrap().unwrap();
    assert!(terminating.is_terminating());
    delete(&Preconditions::of(&terminating)).await.unwrap();
    let late = config_map(ns.name(), "late", json!({}));
    assert_eq!(cluster.create(&late).await.unwrap_err().kind(), ClusterErrorKind::Terminating);
    assert_eq!(cluster.apply(&late).await.unwrap_err().kind(), ClusterErrorKind::Terminating);

    let mut gone = cluster.watch(&Query::all(ns.kind().clone()).named(ns.name()));
    assert!(matches!(next(&mut gone).await, WatchEvent::Snapshot(all) if all.len() == 1));
    cluster.apply(&config_map(ns.name(), "holder", json!({}))).await.unwrap();
    while !matches!(next(&mut gone).await, WatchEvent::Deleted(_)) {}
    assert_eq!(delete(&right).await.unwrap_err().kind(), ClusterErrorKind::NotFound);
}

#[tokio::test]
async fn watches_see_every_change_in_order() {
    let Some(cluster) = real_cluster().await else { return };
    let ns = namespace(&cluster).await;
    let name = ns.name();
    let ours = json!({ "ours": "true" });
    cluster.create(&config_map(name, "before", ours.clone())).await.unwrap();
    let query = Query::all(Kind::of::<ConfigMap>())
        .in_namespace(name)
        .labelled(LabelRequirement::Equals("ours".into(), "true".into()));
    let mut watch = cluster.watch(&query);
    assert_eq!(brief(&next(&mut watch).await), "before");

    cluster.apply(&config_map(name, "theirs", json!({}))).await.unwrap();
    cluster.apply(&config_map(name, "ours", ours)).await.unwrap();
    assert_eq!(brief(&next(&mut watch).await), "+ours");
    // It is still there, but no longer matches.
    cluster.apply(&config_map(name, "ours", json!({ "ours": "false" }))).await.unwrap();
    let WatchEvent::Deleted(left) = next(&mut watch).await else { panic!("it should have left") };
    assert_eq!((left.name(), left.at("/metadata/managedFields")), ("ours", None));
    delete(&cluster, &ns).await;
    assert_eq!(brief(&next(&mut watch).await), "-before");
}

#[tokio::test]
async fn lists_have_all_pages() {
    let Some(cluster) = real_cluster().await else { return };
    let ns = namespace(&cluster).await;
    let names: Vec<String> = (0..503).map(|i| format!("page-{i:03}")).collect();
    let creations = names.iter().map(|name| {
        let map = config_map(ns.name(), name, json!({ "paged": "" }));
        let cluster = cluster.clone();
        async move { cluster.create(&map).await }
    });
    future::try_join_all(creations).await.unwrap();
    let query =
        Query::all(Kind::of::<ConfigMap>()).in_namespace(ns.name()).labelled(LabelRequirement::Exists("paged".into()));
    let found = cluster.list(&query).await.unwrap();
    assert_eq!(found.iter().map(Object::name).collect::<Vec<_>>(), names);
    assert!(found.iter().all(|o| o.str_at("/kind") == Some("ConfigMap")));
    assert_eq!(cluster.list(&query.named("page-007")).await.unwrap().len(), 1);
    delete(&cluster, &ns).await;
}

#[tokio::test]
async fn a_quota_that_counts_many_creations_at_once_fails_none_of_them() {
    let Some(cluster) = real_cluster().await else { return };
    let ns = namespace(&cluster).await;
    let hard = json!({ "count/configmaps": "30", "count/secrets": "0" });
    let quota = object(
        Kind::of::<ResourceQuota>(),
        json!({ "metadata": { "namespace": ns.name(), "name": "q" }, "spec": { "hard": hard } }),
    );
    cluster.create(&quota).await.unwrap();
    // It limits nothing before its controller has counted for the first time and the API server has seen that.
    let began = tokio::time::Instant::now();
    for i in 0.. {
        assert!(began.elapsed() < Duration::from_secs(60), "the quota is not enforced");
        let secret =
            object(Kind::of::<Secret>(), json!({ "metadata": { "namespace": ns.name(), "name": format!("s-{i}") } }));
        match cluster.create(&secret).await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ClusterErrorKind::QuotaExceeded, "{error}");
                break;
            }
        }
    }
    let maps: Vec<Object> = (0..25).map(|i| config_map(ns.name(), &format!("m-{i}"), json!({}))).collect();
    future::try_join_all(maps.iter().map(|map| cluster.create(map))).await.unwrap();
    // One over the limit, counted with the cluster's own `kube-root-ca.crt`.
    let more: Vec<Object> = (0..6).map(|i| config_map(ns.name(), &format!("n-{i}"), json!({}))).collect();
    let outcomes = future::join_all(more.iter().map(|map| cluster.create(map))).await;
    let kinds: Vec<_> = outcomes.into_iter().filter_map(|o| o.err().map(|e| e.kind())).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|k| *k == ClusterErrorKind::QuotaExceeded), "{kinds:?}");
    delete(&cluster, &ns).await;
}

#[tokio::test]
async fn a_watchs_timeouts_are_not_seen() {
    let Some(cluster) = real_cluster().await else { return };
    let ns = namespace(&cluster).await;
    let mut watch = cluster.watch(&Query::all(Kind::of::<Deployment>()).in_namespace(ns.name()));
    assert_eq!(brief(&next(&mut watch).await), "");
    let quiet = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    cluster.create(&deployment(ns.name(), 0)).await.unwrap();
    assert_eq!(brief(&next(&mut watch).await), "+x");
    delete(&cluster, &ns).await;
}

/// A ServiceAccount's token, as `kubectl create token` makes it: valid for its own audiences only.
#[tokio::test]
async fn a_service_accounts_token_is_reviewed() {
    let Some((cluster, client)) = real_client().await else { return };
    let ns = namespace(&cluster).await;
    let accounts: Api<ServiceAccount> = Api::namespaced(client, ns.name());
    let account = ServiceAccount {
        metadata: ObjectMeta { name: Some("deployer".into()), ..ObjectMeta::default() },
        ..ServiceAccount::default()
    };
    accounts.create(&PostParams::default(), &account).await.unwrap();
    let token = async |audiences: &[&str]| {
        let request = json!({ "spec": { "audiences": audiences, "expirationSeconds": 600 } });
        let request: TokenRequest = serde_json::from_value(request).unwrap();
        let answer = accounts.create_token_request("deployer", &PostParams::default(), &request).await.unwrap();
        SecretString::new(answer.status.unwrap().token.unwrap())
    };
    let (ours, own) = (token(&["urumi"]).await, token(&[]).await);
    let ask = async |token: &SecretString, audiences: &[&str]| {
        let audiences: Vec<String> = audiences.iter().map(|audience| (*audience).to_owned()).collect();
        cluster.review_token(token, &audiences).await.unwrap()
    };

    let review = ask(&ours, &["other", "urumi"]).await;
    assert!(review.authenticated);
    assert_eq!(review.username, format!("system:serviceaccount:{}:deployer", ns.name()));
    assert!(review.groups.contains(&"system:serviceaccounts".to_owned()), "{:?}", review.groups);
    assert_eq!(review.audiences, ["urumi"]);
    assert!(ask(&own, &[]).await.authenticated);
    for (token, audiences) in [(&ours, &["other"][..]), (&ours, &[]), (&own, &["urumi"])] {
        assert_eq!(ask(token, audiences).await, TokenReview::default(), "{audiences:?}");
    }
    let forged = SecretString::new(format!("{}x", ours.reveal()));
    assert!(!ask(&forged, &["urumi"]).await.authenticated);

    delete(&cluster, &ns).await;
}
