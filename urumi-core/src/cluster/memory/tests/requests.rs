use tokio::time::Instant;

use super::*;
use crate::cluster::Outage;
use crate::kubernetes::{Access, ClusterErrorKind, TokenReview, Verb};
use crate::secret::SecretString;

#[tokio::test]
async fn a_request_fails_before_or_after_it_took_effect() {
    let cluster = cluster().await;
    cluster.begin_outage(Outage::new(ClusterErrorKind::Unavailable).verb(Verb::Create).times(1));
    let error = cluster.create(&config_map("a", json!({}))).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Unavailable);
    assert_eq!(all(&cluster, CONFIG_MAP).await, []);

    cluster.begin_outage(Outage::new(ClusterErrorKind::Timeout).of_kind(CONFIG_MAP).times(1).answer_lost());
    cluster.create(&config_map("a", json!({}))).await.unwrap_err();
    assert_eq!(all(&cluster, CONFIG_MAP).await.len(), 1);
    let again = cluster.create(&config_map("a", json!({}))).await.unwrap_err();
    assert_eq!(again.kind(), ClusterErrorKind::AlreadyExists);
}

#[tokio::test]
async fn an_outage_of_one_namespace_leaves_the_others_alone() {
    let cluster = cluster().await;
    let id = cluster.begin_outage(Outage::new(ClusterErrorKind::Unreachable).in_namespace("shop"));
    assert!(cluster.get(&ObjectRef::cluster(NAMESPACE, "shop")).await.is_err());
    assert!(cluster.create(&config_map("a", json!({}))).await.is_err());
    assert!(cluster.get(&ObjectRef::cluster(NAMESPACE, "default")).await.is_ok());
    assert!(cluster.end_outage(id));
    assert!(cluster.create(&config_map("a", json!({}))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn requests_take_their_time() {
    let cluster = cluster().await;
    cluster.set_latency(Duration::from_secs(2));
    let began = Instant::now();
    cluster.create(&config_map("a", json!({}))).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    // Given up halfway: the write is done, its answer is not waited for.
    let object = config_map("b", json!({}));
    let given_up = tokio::time::timeout(Duration::from_millis(1500), cluster.create(&object)).await;
    assert!(given_up.is_err());
    cluster.set_latency(Duration::ZERO);
    assert_eq!(all(&cluster, CONFIG_MAP).await.len(), 2);

    cluster.begin_outage(Outage::new(ClusterErrorKind::Timeout).taking(Duration::from_secs(30)));
    let began = Instant::now();
    cluster.version().await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(30));
}

#[tokio::test]
async fn what_is_denied_is_forbidden() {
    let cluster = cluster().await;
    let access = |verb: &str, resource: &str| Access {
        verb: verb.into(),
        group: String::new(),
        resource: resource.into(),
        namespace: None,
        name: None,
    };
    assert!(cluster.may(&access("create", "configmaps")).await.unwrap());
    cluster.deny(access("create", "configmaps"));
    assert!(!cluster.may(&access("create", "configmaps")).await.unwrap());
    assert!(!cluster.may(&Access { namespace: Some("shop".into()), ..access("create", "configmaps") }).await.unwrap());
    assert!(cluster.may(&access("create", "secrets")).await.unwrap());
    let error = cluster.create(&config_map("a", json!({}))).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ClusterErrorKind::Forbidden, false));
    cluster.allow_all();
    cluster.create(&config_map("a", json!({}))).await.unwrap();
}

#[tokio::test]
async fn requests_are_counted() {
    let cluster = cluster().await;
    cluster.forget_requests();
    cluster.create(&config_map("a", json!({}))).await.unwrap();
    all(&cluster, CONFIG_MAP).await;
    let seen: Vec<(Verb, String)> = cluster.requests().into_iter().map(|r| (r.verb, r.target)).collect();
    let wanted = [(Verb::Create, "ConfigMap shop/a".to_owned()), (Verb::List, "configmaps in shop".to_owned())];
    assert_eq!(seen, wanted);
    assert_eq!(cluster.request_count(), 2);
    cluster.dump();
    assert_eq!(cluster.request_count(), 2, "looking in is no request");
}

#[tokio::test]
async fn apply_can_be_guarded_by_a_version() {
    let cluster = cluster().await;
    let stored = cluster.create(&config_map("a", json!({"k": "1"}))).await.unwrap();
    let mut guarded = config_map("a", json!({"k": "2"}));
    guarded.as_value_mut()["metadata"]["resourceVersion"] = json!(stored.resource_version());
    cluster.apply(&guarded).await.unwrap();
    let error = cluster.apply(&guarded).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Conflict);
    assert_eq!(cluster.create(&guarded).await.unwrap_err().kind(), ClusterErrorKind::Invalid);
}

#[tokio::test]
async fn unknown_kinds_are_stored_as_they_are() {
    let cluster = cluster().await;
    let kind = Kind {
        group: "example.com".into(),
        version: "v1".into(),
        kind: "Widget".into(),
        plural: "widgets".into(),
        namespaced: true,
    };
    let value =
        json!({"metadata": {"name": "w", "namespace": "shop"}, "spec": {"any": ["thing"]}, "status": {"is": 1}});
    let stored = create(&cluster, kind.clone(), value).await;
    assert_eq!(stored.at("/spec/any"), Some(&json!(["thing"])));
    assert_eq!(stored.int_at("/status/is"), Some(1));
    assert_eq!(all(&cluster, kind).await, [stored]);
}

#[tokio::test]
async fn a_new_cluster_has_what_every_cluster_has() {
    let cluster = InMemoryCluster::default();
    let names: Vec<String> = cluster.dump().iter().map(|o| o.reference().to_string()).collect();
    insta::assert_snapshot!(names.join("\n"), @r"
    Namespace default
    Namespace kube-node-lease
    Namespace kube-public
    Namespace kube-system
    IngressClass memory
    StorageClass standard
    ");
    let bare = InMemoryCluster::builder().without_storage_class().without_ingress_class().version("v1.33.0").build();
    assert_eq!(bare.dump().len(), 4);
    assert_eq!(bare.version().await.unwrap(), "v1.33.0");
    assert_eq!(format!("{bare:?}"), "InMemoryCluster { objects: 4, .. }");
}

#[tokio::test]
async fn tokens_are_known_until_they_are_revoked() {
    let (ann, bob) = (SecretString::new("hunter2"), SecretString::new("hunter3"));
    let cluster = InMemoryCluster::builder().token(ann.clone(), "ann", ["shop"]).build();
    cluster.add_token(bob.clone(), "bob", Vec::<String>::new());
    let review = cluster.review_token(&ann, &["urumi".into()]).await.unwrap();
    assert!(review.authenticated);
    assert_eq!((review.username.as_str(), review.audiences), ("ann", vec!["urumi".to_owned()]));
    assert_eq!(review.groups, ["shop", "system:authenticated"]);
    assert_eq!(cluster.review_token(&bob, &[]).await.unwrap().username, "bob");
    assert!(cluster.revoke_token(&ann) && !cluster.revoke_token(&ann));
    assert_eq!(cluster.review_token(&ann, &[]).await.unwrap(), TokenReview::default());
    assert!(!format!("{:?} {cluster:?}", cluster.requests()).contains("hunter"));

    cluster.deny(Access {
        verb: "create".into(),
        group: "authentication.k8s.io".into(),
        resource: "tokenreviews".into(),
        namespace: None,
        name: None,
    });
    let error = cluster.review_token(&bob, &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.verb()), (ClusterErrorKind::Forbidden, Verb::ReviewToken));
}
