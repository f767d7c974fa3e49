use metrics_util::debugging::DebuggingRecorder;

use super::*;
use crate::telemetry::recorded;

#[tokio::test(start_paused = true)]
async fn every_try_is_counted() {
    let recorder = DebuggingRecorder::new();
    let seen = recorder.snapshotter();
    let _local = ::metrics::set_default_local_recorder(&recorder);
    let log = || Answer::Text(200, "a line\n");
    let (cluster, _) = Server::play(vec![
        status(503, "ServiceUnavailable", "not now"),
        Answer::Json(201, deployment("api", "1")),
        Answer::Json(200, deployment("api", "2")),
        status(404, "NotFound", "deployments \"web\" not found"),
        Answer::Refused,
        Answer::Json(200, json!({ "gitVersion": "v1.37.2" })),
        log(),
        page("10", "", &["a"]),
        Answer::Watch(vec![], End::Never),
        Answer::Silence,
    ]);
    cluster.create(&a_deployment()).await.unwrap();
    cluster.apply(&a_deployment()).await.unwrap();
    assert!(cluster.get(&a_deployment().reference()).await.unwrap().is_none());
    cluster.version().await.unwrap();
    let pod = ObjectRef::namespaced(Kind::of::<k8s_openapi::api::core::v1::Pod>(), "store-x", "api-0");
    let options = LogOptions { follow: true, ..LogOptions::default() };
    drop(cluster.logs(&pod, &options).await.unwrap());
    let mut watch = cluster.watch(&deployments());
    watch.next().await.unwrap().unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(1), watch.next()).await.is_err());
    drop(watch);
    // Nobody waits for the answer to this one.
    assert!(tokio::time::timeout(Duration::from_secs(1), cluster.list(&deployments())).await.is_err());

    let lines = recorded(&seen);
    let counted: Vec<&String> =
        lines.iter().filter(|line| line.starts_with("urumi_kubernetes_requests_total")).collect();
    assert_eq!(
        counted,
        [
            "urumi_kubernetes_requests_total{verb=create,code=201} 1",
            "urumi_kubernetes_requests_total{verb=create,code=503} 1",
            "urumi_kubernetes_requests_total{verb=get,code=200} 1",
            "urumi_kubernetes_requests_total{verb=get,code=404} 1",
            "urumi_kubernetes_requests_total{verb=get,code=none} 1",
            "urumi_kubernetes_requests_total{verb=list,code=200} 1",
            "urumi_kubernetes_requests_total{verb=list,code=none} 1",
            "urumi_kubernetes_requests_total{verb=logs,code=200} 1",
            "urumi_kubernetes_requests_total{verb=patch,code=200} 1",
            "urumi_kubernetes_requests_total{verb=watch,code=200} 1",
        ]
    );
    let measured: Vec<&String> = lines.iter().filter(|line| !counted.contains(line)).collect();
    assert_eq!(
        measured,
        [
            "urumi_kubernetes_request_duration_seconds{verb=create} [0.0, 0.0]",
            "urumi_kubernetes_request_duration_seconds{verb=get} [0.0, 0.0, 0.0]",
            "urumi_kubernetes_request_duration_seconds{verb=list} [0.0, 1.0]",
            "urumi_kubernetes_request_duration_seconds{verb=logs} [0.0]",
            "urumi_kubernetes_request_duration_seconds{verb=patch} [0.0]",
        ]
    );
}
