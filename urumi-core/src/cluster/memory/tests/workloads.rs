use super::*;

#[tokio::test(start_paused = true)]
async fn a_deployment_is_created_waits_and_becomes_ready() {
    let cluster = cluster().await;
    let created = cluster.create(&deployment("web")).await.unwrap();
    assert_eq!(created.at("/status"), None, "what create returns is as it was stored");

    let pending = get(&cluster, DEPLOYMENT, "web").await;
    assert_eq!(pending.int_at("/status/unavailableReplicas"), Some(1));
    assert_eq!(pending.at("/status/availableReplicas"), None, "the API server leaves out zeros");
    assert_eq!(condition(&pending, "Available")["status"], "False");
    assert_eq!(condition(&pending, "Progressing")["reason"], "ReplicaSetUpdated");
    let pod = only_pod(&cluster).await;
    assert_eq!(pod.str_at("/status/phase"), Some("Pending"));
    assert_eq!(pod.str_at("/status/containerStatuses/0/state/waiting/reason"), Some("ContainerCreating"));
    assert_eq!(pod.label("app"), Some("web"));

    sleep(DELAY).await;
    let ready = get(&cluster, DEPLOYMENT, "web").await;
    assert_eq!(ready.int_at("/status/availableReplicas"), Some(1));
    assert_eq!(ready.int_at("/status/observedGeneration"), Some(1));
    assert_eq!(condition(&ready, "Available")["status"], "True");
    assert_eq!(condition(&ready, "Progressing")["reason"], "NewReplicaSetAvailable");
    let pod = only_pod(&cluster).await;
    assert_eq!(condition(&pod, "Ready")["status"], "True");
    assert_ne!(pod.at("/status/containerStatuses/0/state/running"), None);
    assert_eq!(events(&cluster).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_it_makes_can_be_read_as_typed_objects() {
    use k8s_openapi::api::{apps, core};
    let cluster = cluster().await;
    cluster.create(&deployment("web")).await.unwrap();
    cluster.create(&stateful_set("db")).await.unwrap();
    cluster.inject_fault(FaultTarget::named("web"), Fault::CrashLoop { exit_code: 2, restarts: 3 });
    sleep(DELAY).await;
    for object in cluster.dump() {
        let kind = object.kind().clone();
        let known = match &*kind.kind {
            "Deployment" => object.to_typed::<apps::v1::Deployment>().err(),
            "StatefulSet" => object.to_typed::<apps::v1::StatefulSet>().err(),
            "Pod" => object.to_typed::<core::v1::Pod>().err(),
            "PersistentVolumeClaim" => object.to_typed::<core::v1::PersistentVolumeClaim>().err(),
            "Event" => object.to_typed::<core::v1::Event>().err(),
            _ => None,
        };
        assert!(known.is_none(), "{known:?}");
        assert_eq!(super::super::admission::check(&object), Ok(()), "{object:?} has fields of its own");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stateful_set_has_named_pods_and_bound_claims() {
    let cluster = cluster().await;
    let mut two = stateful_set("db");
    two.as_value_mut()["spec"]["replicas"] = json!(2);
    cluster.create(&two).await.unwrap();
    assert_eq!(only_pod(&cluster).await.name(), "db-0", "the second waits for the first");
    sleep(DELAY * 2).await;
    let names: Vec<String> = all(&cluster, POD).await.iter().map(|o| o.name().to_owned()).collect();
    assert_eq!(names, ["db-0", "db-1"]);
    let set = get(&cluster, STATEFUL_SET, "db").await;
    assert_eq!((set.int_at("/status/readyReplicas"), set.int_at("/status/availableReplicas")), (Some(2), Some(2)));
    assert_eq!(set.str_at("/status/currentRevision"), set.str_at("/status/updateRevision"));
    for claim in all(&cluster, CLAIM).await {
        assert_eq!(claim.str_at("/status/phase"), Some("Bound"));
        assert_eq!(claim.str_at("/spec/storageClassName"), Some("standard"));
        assert_eq!(claim.str_at("/status/capacity/storage"), Some("5Gi"));
        assert_eq!(claim.label("app"), Some("db"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_keeps_the_old_pod_until_the_new_one_is_ready() {
    let cluster = cluster().await;
    cluster.create(&deployment("web")).await.unwrap();
    sleep(DELAY).await;
    let old = only_pod(&cluster).await;
    let changed = workload(DEPLOYMENT, "web", 1, json!({"args": ["x"]}));
    cluster.apply(&changed).await.unwrap();
    assert_eq!(all(&cluster, POD).await.len(), 2);
    assert_eq!(get(&cluster, DEPLOYMENT, "web").await.int_at("/status/availableReplicas"), Some(1));
    sleep(DELAY).await;
    assert_ne!(only_pod(&cluster).await.uid(), old.uid());
    let done = get(&cluster, DEPLOYMENT, "web").await;
    assert_eq!((done.int_at("/metadata/generation"), done.int_at("/status/observedGeneration")), (Some(2), Some(2)));

    cluster.apply(&workload(DEPLOYMENT, "web", 0, json!({"args": ["x"]}))).await.unwrap();
    assert_eq!(all(&cluster, POD).await, []);
    assert_eq!(get(&cluster, DEPLOYMENT, "web").await.at("/status/replicas"), None);
}

#[tokio::test(start_paused = true)]
async fn a_stateful_set_replaces_its_pod_and_keeps_its_claim() {
    let cluster = cluster().await;
    cluster.create(&stateful_set("db")).await.unwrap();
    sleep(DELAY).await;
    let (pod, claim) = (only_pod(&cluster).await, get(&cluster, CLAIM, "data-db-0").await);
    cluster.apply(&workload(STATEFUL_SET, "db", 1, json!({"args": ["x"]}))).await.unwrap();
    assert_eq!(get(&cluster, STATEFUL_SET, "db").await.int_at("/status/availableReplicas"), Some(0));
    sleep(DELAY).await;
    assert_ne!(only_pod(&cluster).await.uid(), pod.uid());
    assert_eq!(get(&cluster, CLAIM, "data-db-0").await.uid(), claim.uid());
    assert_eq!(get(&cluster, STATEFUL_SET, "db").await.int_at("/status/availableReplicas"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn others_can_change_and_remove_things() {
    let cluster = cluster().await;
    let web = cluster.create(&deployment("web")).await.unwrap().reference();
    sleep(DELAY).await;
    let pod = only_pod(&cluster).await;
    assert!(cluster.remove(&pod.reference()));
    assert!(!cluster.remove(&pod.reference()));
    assert_ne!(only_pod(&cluster).await.uid(), pod.uid(), "a removed pod is replaced");

    let edited = cluster.modify(&web, |object| object.as_value_mut()["spec"]["replicas"] = json!(3)).unwrap();
    assert_eq!(edited.int_at("/metadata/generation"), Some(2));
    assert_eq!(all(&cluster, POD).await.len(), 3);
    let renamed = cluster.modify(&web, |object| object.as_value_mut()["metadata"]["name"] = json!("other")).unwrap();
    assert_eq!(renamed.name(), "web");

    assert!(cluster.remove(&web));
    assert_eq!(all(&cluster, POD).await, [], "a removed workload takes its pods along");
    assert_eq!(cluster.modify(&web, |_| {}), None);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_after_its_contents() {
    let cluster = cluster().await;
    let shop = cluster.get(&ObjectRef::cluster(NAMESPACE, "shop")).await.unwrap().unwrap();
    cluster.create(&deployment("web")).await.unwrap();
    delete(&cluster, &shop).await;
    let terminating = cluster.get(&shop.reference()).await.unwrap().unwrap();
    assert!(terminating.is_terminating());
    assert_eq!(terminating.str_at("/status/phase"), Some("Terminating"));
    assert_eq!(all(&cluster, POD).await.len(), 1);
    sleep(DELAY / 2).await;
    assert_eq!(all(&cluster, POD).await, []);
    assert!(cluster.get(&shop.reference()).await.unwrap().is_some());
    sleep(DELAY / 2).await;
    assert_eq!(cluster.get(&shop.reference()).await.unwrap(), None);
    let again = namespace(&cluster, "shop").await;
    assert_ne!(again.uid(), shop.uid());
    assert_eq!(all(&cluster, DEPLOYMENT).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_can_stay_terminating_for_ever() {
    let cluster = cluster().await;
    cluster.set_termination_delay(Duration::MAX);
    let shop = cluster.get(&ObjectRef::cluster(NAMESPACE, "shop")).await.unwrap().unwrap();
    delete(&cluster, &shop).await;
    sleep(Duration::from_secs(1_000_000)).await;
    assert!(cluster.get(&shop.reference()).await.unwrap().unwrap().is_terminating());
}

#[tokio::test(start_paused = true)]
async fn time_follows_the_paused_clock() {
    let cluster = cluster().await;
    let first = cluster.create(&config_map("a", json!({}))).await.unwrap();
    sleep(Duration::from_secs(3600)).await;
    let second = cluster.create(&config_map("b", json!({}))).await.unwrap();
    let time = |o: &Object| o.str_at("/metadata/creationTimestamp").unwrap().parse::<jiff::Timestamp>().unwrap();
    let passed = time(&second).as_second() - time(&first).as_second();
    assert!((3600..=3601).contains(&passed), "{passed}");
}
