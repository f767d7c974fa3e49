use super::*;

/// Creates a Deployment that a fault happens to, and returns its pod after it should have become ready.
async fn with_fault(cluster: &InMemoryCluster, fault: Fault) -> Object {
    cluster.inject_fault(FaultTarget::named("web").in_namespace("shop"), fault);
    cluster.create(&deployment("web")).await.unwrap();
    sleep(DELAY).await;
    let web = get(cluster, DEPLOYMENT, "web").await;
    assert_eq!(web.at("/status/availableReplicas"), None);
    assert_eq!(condition(&web, "Available")["status"], "False");
    only_pod(cluster).await
}

async fn recovers(cluster: &InMemoryCluster) {
    assert!(cluster.clear_fault(&FaultTarget::named("web").in_namespace("shop")));
    assert_eq!(get(cluster, DEPLOYMENT, "web").await.at("/status/availableReplicas"), None);
    sleep(DELAY).await;
    assert_eq!(get(cluster, DEPLOYMENT, "web").await.int_at("/status/availableReplicas"), Some(1));
    assert_eq!(condition(&only_pod(cluster).await, "Ready")["status"], "True");
}

fn waiting(pod: &Object) -> (String, String) {
    let text = |field| pod.str_at(&format!("/status/containerStatuses/0/state/waiting/{field}")).unwrap_or_default();
    (text("reason").to_owned(), text("message").to_owned())
}

#[tokio::test(start_paused = true)]
async fn an_image_cannot_be_pulled() {
    let cluster = cluster().await;
    let pod = with_fault(&cluster, Fault::ImagePull).await;
    let (reason, message) = waiting(&pod);
    assert_eq!(reason, "ImagePullBackOff");
    assert!(message.starts_with("Back-off pulling image \"shop/app:1\": ErrImagePull:"), "{message}");
    assert_eq!(pod.str_at("/status/phase"), Some("Pending"));
    let events = events(&cluster).await.join("\n");
    assert!(events.contains("Warning Pod Failed: Failed to pull image \"shop/app:1\""), "{events}");
    assert!(events.contains("Warning Pod Failed: Error: ImagePullBackOff"), "{events}");
    recovers(&cluster).await;
}

#[tokio::test(start_paused = true)]
async fn a_container_crashes_again_and_again() {
    let cluster = cluster().await;
    let pod = with_fault(&cluster, Fault::CrashLoop { exit_code: 137, restarts: 4 }).await;
    assert_eq!(waiting(&pod).0, "CrashLoopBackOff");
    assert!(
        waiting(&pod).1.starts_with("back-off 1m20s restarting failed container=main pod=web-"),
        "{:?}",
        waiting(&pod)
    );
    assert_eq!(pod.int_at("/status/containerStatuses/0/restartCount"), Some(4));
    assert_eq!(pod.int_at("/status/containerStatuses/0/lastState/terminated/exitCode"), Some(137));
    assert_eq!(pod.str_at("/status/containerStatuses/0/lastState/terminated/reason"), Some("OOMKilled"));
    assert!(
        events(&cluster).await.join("\n").contains("Warning Pod BackOff: Back-off restarting failed container main")
    );
    recovers(&cluster).await;
    assert_eq!(only_pod(&cluster).await.int_at("/status/containerStatuses/0/restartCount"), Some(4));
}

#[tokio::test(start_paused = true)]
async fn a_probe_fails() {
    let cluster = cluster().await;
    let pod = with_fault(&cluster, Fault::NeverReady).await;
    assert_eq!(pod.str_at("/status/phase"), Some("Running"));
    assert_eq!(condition(&pod, "Ready")["status"], "False");
    assert_ne!(pod.at("/status/containerStatuses/0/state/running"), None);
    assert!(events(&cluster).await.join("\n").contains("Warning Pod Unhealthy: Readiness probe failed"));
    recovers(&cluster).await;
}

#[tokio::test(start_paused = true)]
async fn there_is_no_room() {
    let cluster = cluster().await;
    let pod = with_fault(&cluster, Fault::NoRoom).await;
    assert_eq!(condition(&pod, "PodScheduled")["reason"], "Unschedulable");
    let message = condition(&pod, "PodScheduled")["message"].as_str().unwrap();
    assert!(message.starts_with("0/1 nodes are available: 1 Insufficient memory."), "{message}");
    assert_eq!(pod.at("/spec/nodeName"), None);
    assert_eq!(events(&cluster).await, [format!("Warning Pod FailedScheduling: {message}")]);
    recovers(&cluster).await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_said_to_be_missing() {
    let cluster = cluster().await;
    let pod = with_fault(&cluster, Fault::MissingSecret { name: "keys".into() }).await;
    assert_eq!(waiting(&pod), ("CreateContainerConfigError".into(), "secret \"keys\" not found".into()));
    assert_eq!(events(&cluster).await, ["Warning Pod Failed: Error: secret \"keys\" not found"]);
    recovers(&cluster).await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_really_missing_and_comes() {
    let cluster = cluster().await;
    let env = json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}}]});
    cluster.create(&workload(DEPLOYMENT, "web", 1, env)).await.unwrap();
    sleep(DELAY).await;
    assert_eq!(waiting(&only_pod(&cluster).await).1, "secret \"keys\" not found");
    let keys = |data: Value| object(SECRET, json!({"metadata": {"name": "keys", "namespace": "shop"}, "data": data}));
    cluster.create(&keys(json!({"b": "dg=="}))).await.unwrap();
    assert_eq!(waiting(&only_pod(&cluster).await).1, "couldn't find key a in Secret shop/keys");
    cluster.apply(&keys(json!({"a": "dg=="}))).await.unwrap();
    sleep(DELAY).await;
    assert_eq!(get(&cluster, DEPLOYMENT, "web").await.int_at("/status/availableReplicas"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_quota_refuses_pods() {
    let cluster = cluster().await;
    cluster.inject_fault(FaultTarget::any(), Fault::QuotaExceeded);
    cluster.create(&deployment("web")).await.unwrap();
    cluster.create(&stateful_set("db")).await.unwrap();
    sleep(DELAY).await;
    assert_eq!(all(&cluster, POD).await, []);
    let failure = get(&cluster, DEPLOYMENT, "web").await;
    assert_eq!(condition(&failure, "ReplicaFailure")["reason"], "FailedCreate");
    let events = events(&cluster).await.join("\n");
    assert!(events.contains("Warning ReplicaSet FailedCreate: Error creating: pods \"web-"), "{events}");
    assert!(events.contains("Warning StatefulSet FailedCreate: create Pod db-0 in StatefulSet db failed"), "{events}");
    cluster.clear_faults();
    sleep(DELAY).await;
    let web = get(&cluster, DEPLOYMENT, "web").await;
    assert_eq!(web.int_at("/status/availableReplicas"), Some(1));
    assert_eq!(condition(&web, "ReplicaFailure"), &Value::Null);
    assert_eq!(get(&cluster, STATEFUL_SET, "db").await.int_at("/status/availableReplicas"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_claim_waits_for_a_storage_class() {
    let cluster = InMemoryCluster::builder().without_storage_class().build();
    namespace(&cluster, "shop").await;
    cluster.create(&stateful_set("db")).await.unwrap();
    assert_eq!(get(&cluster, CLAIM, "data-db-0").await.str_at("/status/phase"), Some("Pending"));
    let pod = only_pod(&cluster).await;
    let message = condition(&pod, "PodScheduled")["message"].as_str().unwrap();
    assert!(message.contains("pod has unbound immediate PersistentVolumeClaims"), "{message}");
    let said = events(&cluster).await.join("\n");
    assert!(said.contains("Normal PersistentVolumeClaim FailedBinding: no persistent volumes available"), "{said}");

    let class = json!({"metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "x"});
    create(&cluster, super::super::kinds::STORAGE_CLASS, class).await;
    assert_eq!(get(&cluster, CLAIM, "data-db-0").await.str_at("/spec/storageClassName"), Some("fast"));
    assert_eq!(get(&cluster, STATEFUL_SET, "db").await.int_at("/status/availableReplicas"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_held_back_by_a_fault() {
    let cluster = cluster().await;
    cluster.inject_fault(FaultTarget::named("db"), Fault::UnboundClaim);
    cluster.create(&stateful_set("db")).await.unwrap();
    sleep(DELAY).await;
    assert_eq!(get(&cluster, CLAIM, "data-db-0").await.str_at("/status/phase"), Some("Pending"));
    assert_eq!(condition(&only_pod(&cluster).await, "PodScheduled")["reason"], "Unschedulable");
    cluster.clear_faults();
    sleep(DELAY).await;
    assert_eq!(get(&cluster, CLAIM, "data-db-0").await.str_at("/status/phase"), Some("Bound"));
    assert_eq!(get(&cluster, STATEFUL_SET, "db").await.int_at("/status/availableReplicas"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_running_pod_is_hit_too_and_the_last_fault_counts() {
    let cluster = cluster().await;
    cluster.create(&deployment("web")).await.unwrap();
    sleep(DELAY).await;
    cluster.inject_fault(FaultTarget::image("shop/"), Fault::ImagePull);
    assert_eq!(waiting(&only_pod(&cluster).await).0, "ImagePullBackOff");
    cluster.inject_fault(FaultTarget::any(), Fault::CrashLoop { exit_code: 1, restarts: 1 });
    assert_eq!(waiting(&only_pod(&cluster).await).0, "CrashLoopBackOff");
    assert!(!cluster.clear_fault(&FaultTarget::named("other")));
    assert!(cluster.clear_fault(&FaultTarget::any()));
    assert_eq!(waiting(&only_pod(&cluster).await).0, "ImagePullBackOff");
    cluster.inject_fault(FaultTarget::image("other/"), Fault::NoRoom);
    assert_eq!(waiting(&only_pod(&cluster).await).0, "ImagePullBackOff", "another image is another's trouble");
}

#[tokio::test(start_paused = true)]
async fn a_crash_passes() {
    let cluster = cluster().await;
    let web = cluster.create(&deployment("web")).await.unwrap().reference();
    assert_eq!(cluster.crash(&web), 0, "what does not run cannot crash");
    sleep(DELAY).await;
    assert_eq!(cluster.crash(&web), 1);
    let pod = only_pod(&cluster).await;
    assert_eq!(waiting(&pod).0, "CrashLoopBackOff");
    assert_eq!(pod.int_at("/status/containerStatuses/0/restartCount"), Some(1));
    assert_eq!(pod.str_at("/status/phase"), Some("Running"));
    let down = get(&cluster, DEPLOYMENT, "web").await;
    assert_eq!(down.at("/status/availableReplicas"), None);
    assert_eq!(condition(&down, "Progressing")["reason"], "NewReplicaSetAvailable");
    sleep(DELAY).await;
    assert_eq!(get(&cluster, DEPLOYMENT, "web").await.int_at("/status/availableReplicas"), Some(1));
    let pod = only_pod(&cluster).await;
    assert_eq!(pod.int_at("/status/containerStatuses/0/restartCount"), Some(1));
    assert_eq!(pod.int_at("/status/containerStatuses/0/lastState/terminated/exitCode"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_does_not_progress_is_late() {
    let cluster = cluster().await;
    with_fault(&cluster, Fault::NeverReady).await;
    sleep(Duration::from_secs(600)).await;
    let late = get(&cluster, DEPLOYMENT, "web").await;
    assert_eq!(condition(&late, "Progressing")["status"], "False");
    assert_eq!(condition(&late, "Progressing")["reason"], "ProgressDeadlineExceeded");
    recovers(&cluster).await;
    let done = get(&cluster, DEPLOYMENT, "web").await;
    assert_eq!(condition(&done, "Progressing")["reason"], "NewReplicaSetAvailable");
}

#[tokio::test(start_paused = true)]
async fn an_init_container_has_trouble() {
    let cluster = cluster().await;
    let mut web = deployment("web");
    web.as_value_mut()["spec"]["template"]["spec"]["initContainers"] = json!([{"name": "migrate", "image": "tools:1"}]);
    cluster.inject_fault(FaultTarget::image("tools"), Fault::ImagePull);
    cluster.create(&web).await.unwrap();
    sleep(DELAY).await;
    let pod = only_pod(&cluster).await;
    assert_eq!(pod.str_at("/status/initContainerStatuses/0/state/waiting/reason"), Some("ImagePullBackOff"));
    assert_eq!(waiting(&pod).0, "PodInitializing");
    assert_eq!(condition(&pod, "Initialized")["status"], "False");
    cluster.clear_faults();
    sleep(DELAY).await;
    let pod = only_pod(&cluster).await;
    assert_eq!(pod.str_at("/status/initContainerStatuses/0/state/terminated/reason"), Some("Completed"));
    assert_eq!(condition(&pod, "Ready")["status"], "True");
}

#[tokio::test(start_paused = true)]
async fn a_real_quota_refuses_pods_until_it_has_room() {
    let cluster = cluster().await;
    let quota = |pods: &str| {
        let value = json!({"metadata": {"name": "store-quota", "namespace": "shop"},
            "spec": {"hard": {"pods": pods, "limits.memory": "1Gi", "services": "0"}}});
        object(super::super::kinds::RESOURCE_QUOTA, value)
    };
    cluster.create(&quota("1")).await.unwrap();
    let limits = json!({"resources": {"limits": {"memory": "300Mi"}}});
    cluster.create(&workload(DEPLOYMENT, "web", 2, limits.clone())).await.unwrap();
    sleep(DELAY).await;
    let web = get(&cluster, DEPLOYMENT, "web").await;
    assert_eq!(web.int_at("/status/availableReplicas"), Some(1));
    let message = condition(&web, "ReplicaFailure")["message"].as_str().unwrap();
    assert!(
        message.ends_with("exceeded quota: store-quota, requested: pods=1, used: pods=1, limited: pods=1"),
        "{message}"
    );

    cluster.apply(&quota("9")).await.unwrap();
    assert_eq!(all(&cluster, POD).await.len(), 2);
    cluster.apply(&workload(DEPLOYMENT, "web", 9, limits.clone())).await.unwrap();
    assert_eq!(all(&cluster, POD).await.len(), 3);
    let web = get(&cluster, DEPLOYMENT, "web").await;
    let message = condition(&web, "ReplicaFailure")["message"].as_str().unwrap();
    assert!(
        message.contains("requested: limits.memory=300Mi, used: limits.memory=900Mi, limited: limits.memory=1024Mi"),
        "{message}"
    );

    cluster.create(&workload(STATEFUL_SET, "db", 1, json!({}))).await.unwrap();
    let said = events(&cluster).await.join("\n");
    assert!(said.contains("failed quota: store-quota: must specify limits.memory for: main"), "{said}");
    // Room that one workload gives up is another's.
    cluster.create(&workload(DEPLOYMENT, "other", 1, limits.clone())).await.unwrap();
    cluster.apply(&workload(DEPLOYMENT, "web", 1, limits)).await.unwrap();
    sleep(DELAY).await;
    assert_eq!(get(&cluster, DEPLOYMENT, "other").await.int_at("/status/availableReplicas"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn some_images_never_work() {
    for (image, reason) in
        [("fail.example/image-pull:1", "ImagePullBackOff"), ("fail.example/crash-loop", "CrashLoopBackOff")]
    {
        let cluster = cluster().await;
        let mut web = deployment("web");
        web.as_value_mut()["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        cluster.create(&web).await.unwrap();
        sleep(DELAY).await;
        cluster.clear_faults();
        assert_eq!(waiting(&only_pod(&cluster).await).0, reason);
        cluster.apply(&deployment("web")).await.unwrap();
        sleep(DELAY).await;
        assert_eq!(get(&cluster, DEPLOYMENT, "web").await.int_at("/status/availableReplicas"), Some(1));
    }
}
