use k8s_openapi::api::core::v1::Pod;

use super::*;
use crate::kubernetes::LogsSince;

fn a_pod() -> ObjectRef {
    ObjectRef::namespaced(Kind::of::<Pod>(), "store-x", "api-0")
}

#[tokio::test(start_paused = true)]
async fn a_log_is_passed_on_as_it_comes() {
    let (cluster, server) = Server::play(vec![
        Answer::Text(200, "one\ntwo\n"),
        Answer::Watch(vec![json!("a line")], End::Never),
        Answer::Watch(vec![json!("a line")], End::Broken),
        Answer::Text(200, ""),
    ]);
    let all = LogOptions::default();
    let mut log = cluster.logs(&a_pod(), &all).await.unwrap();
    assert_eq!(log.next().await.unwrap().unwrap(), "one\ntwo\n");
    assert!(log.next().await.is_none());

    let since = Some(LogsSince::Time("2026-01-01T00:00:00.9Z".parse().unwrap()));
    let container = Some("api".into());
    let options = LogOptions { container, tail: Some(100), since, follow: true, timestamps: true, previous: true };
    let log = cluster.logs(&a_pod(), &options).await.unwrap();
    let came: Vec<_> = log.take(2).collect().await;
    assert_eq!(came.into_iter().map(Result::unwrap).collect::<Vec<_>>().concat(), b"\"a line\"\n");

    let mut log: Vec<_> = cluster.logs(&a_pod(), &all).await.unwrap().collect().await;
    let lost = log.pop().unwrap().unwrap_err();
    assert_eq!((lost.kind(), lost.verb()), (ClusterErrorKind::Unreachable, Verb::Logs));
    assert_eq!(lost.target(), a_pod().to_string());
    assert!(log.iter().all(Result::is_ok));

    let since = LogOptions { since: Some(LogsSince::Seconds(0)), ..all };
    assert!(cluster.logs(&a_pod(), &since).await.unwrap().next().await.is_none());
    let asked = server.asked();
    assert_eq!(asked[0].uri, "/api/v1/namespaces/store-x/pods/api-0/log");
    assert_eq!(
        asked[1].uri,
        "/api/v1/namespaces/store-x/pods/api-0/log?container=api&tailLines=100&sinceTime=2026-01-01T00%3A00%3A00Z&follow=true&timestamps=true&previous=true"
    );
    assert_eq!(asked[3].uri, "/api/v1/namespaces/store-x/pods/api-0/log?sinceSeconds=1");
}

#[tokio::test(start_paused = true)]
async fn why_there_is_no_log() {
    use ClusterErrorKind::{Forbidden, Invalid, NotFound, Unavailable};
    let said = |code, message: &str| status(code, if code == 400 { "BadRequest" } else { "Other" }, message);
    let cases = [
        (said(400, "container \"api\" in pod \"api-0\" is waiting to start: ContainerCreating"), Unavailable),
        (
            said(400, "container \"api\" in pod \"api-0\" is waiting to start: trying and failing to pull image"),
            Unavailable,
        ),
        (said(400, "container \"api\" in pod \"api-0\" is not available"), Unavailable),
        (said(400, "pod \"api-0\" cannot be found - no logs available"), Unavailable),
        (said(400, "previous terminated container \"api\" in pod \"api-0\" not found"), NotFound),
        (said(400, "container \"api\" in pod \"api-0\" is terminated"), NotFound),
        (said(400, "container web is not valid for pod api-0"), Invalid),
        (said(400, "a container name must be specified for pod api-0, choose one of: [api web]"), Invalid),
        (said(404, "pods \"api-0\" not found"), NotFound),
        (said(404, "nodes \"node-1\" not found"), Unavailable),
        (said(404, "the server could not find the requested resource ( pods/log api-0)"), Unavailable),
        (said(403, "pods \"api-0\" is forbidden: User \"u\" cannot get resource \"pods/log\""), Forbidden),
        (said(500, "Get \"https://10.0.0.1:10250/containerLogs\": connect: connection refused"), Unavailable),
        (Answer::Text(204, ""), Unavailable),
    ];
    let (script, kinds): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let (cluster, server) = Server::play(script);
    for kind in &kinds {
        let error = cluster.logs(&a_pod(), &LogOptions::default()).await.err().unwrap();
        assert_eq!(error.kind(), *kind, "{error}");
        assert_eq!(error.is_retryable(), *kind == Unavailable, "{error}");
    }
    let error = cluster.logs(&a_deployment().reference(), &LogOptions::default()).await.err().unwrap();
    assert_eq!(error.to_string(), "cannot read the log of Deployment store-x/api: only pods have logs");
    assert_eq!(server.asked().len(), kinds.len());
}

#[tokio::test(start_paused = true)]
async fn a_log_has_a_deadline_for_its_beginning_only() {
    let (cluster, _) = Server::play(vec![Answer::Watch(vec![json!("a line")], End::Never), Answer::Silence]);
    let mut log = cluster.logs(&a_pod(), &LogOptions::default()).await.unwrap();
    for _ in 0..2 {
        log.next().await.unwrap().unwrap();
    }
    assert!(tokio::time::timeout(Duration::from_secs(3600), log.next()).await.is_err());
    let error = cluster.logs(&a_pod(), &LogOptions::default()).await.err().unwrap();
    assert_eq!(error.kind(), ClusterErrorKind::Timeout);
}
