//! Tests with a scripted API server, which answers each request with the next answer of a script. Time is paused.

mod connecting;
mod logs;
mod metrics;
mod tokens;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::kube::client::Body;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::BoxError;

use super::*;
use crate::kubernetes::{LabelRequirement, WatchEvent};

/// One answer of the scripted server.
enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    RetryAfter(u16, u64),
    Refused,
    Silence,
    /// The lines of a watch, and its end.
    Watch(Vec<Value>, End),
}

enum End {
    Clean,
    Broken,
    Never,
}

#[derive(Clone, Debug)]
struct Asked {
    method: String,
    uri: String,
    content_type: String,
    body: Value,
    at: Instant,
}

#[derive(Clone)]
struct Server {
    script: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// A cluster with a scripted server, which does not answer requests after the end of the script.
    fn play(script: Vec<Answer>) -> (KubeCluster, Server) {
        let server = Server { script: Arc::new(Mutex::new(script.into())), asked: Arc::default() };
        let handler = server.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = handler.clone();
            async move { server.answer(request).await }
        });
        (KubeCluster::from_client(::kube::Client::new(service, "default")), server)
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<UnsyncBoxBody<Bytes, BoxError>>, BoxError> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await?;
        self.asked.lock().unwrap().push(Asked {
            method: head.method.to_string(),
            uri: head.uri.to_string(),
            content_type: head.headers.get("content-type").map(|v| v.to_str().unwrap().into()).unwrap_or_default(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
            at: Instant::now(),
        });
        let answer = self.script.lock().unwrap().pop_front();
        let full = |text: String| Full::new(Bytes::from(text)).map_err(|e: Infallible| match e {}).boxed_unsync();
        Ok(match answer {
            Some(Answer::Json(code, value)) => Response::builder().status(code).body(full(value.to_string()))?,
            Some(Answer::Text(code, text)) => Response::builder().status(code).body(full(text.into()))?,
            Some(Answer::RetryAfter(code, seconds)) => {
                Response::builder().status(code).header("retry-after", seconds).body(full(String::new()))?
            }
            Some(Answer::Refused) => {
                let refused = io::Error::from_raw_os_error(111);
                return Err(io::Error::other(refused).into());
            }
            Some(Answer::Watch(lines, end)) => {
                // In chunks of a few bytes, because chunks can end anywhere.
                let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
                let pieces: Vec<Bytes> = text.as_bytes().chunks(7).map(Bytes::copy_from_slice).collect();
                let pieces = stream::iter(pieces.into_iter().map(|p| Ok(Frame::data(p))));
                let end = match end {
                    End::Clean => stream::empty().boxed(),
                    End::Broken => stream::iter([Err(BoxError::from("connection reset by peer"))]).boxed(),
                    End::Never => stream::pending().boxed(),
                };
                Response::new(StreamBody::new(pieces.chain(end)).boxed_unsync())
            }
            Some(Answer::Silence) | None => std::future::pending().await,
        })
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn status(code: u16, reason: &str, message: &str) -> Answer {
    Answer::Json(
        code,
        json!({ "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message }),
    )
}

fn deployment(name: &str, version: &str) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
        "name": name, "namespace": "store-x", "resourceVersion": version, "managedFields": [{ "manager": "urumi" }],
    } })
}

fn a_deployment() -> Object {
    let value = json!({ "metadata": { "name": "api", "namespace": "store-x" }, "spec": { "replicas": 1 } });
    Object::from_value(Kind::of::<Deployment>(), value).unwrap()
}

fn deployments() -> Query {
    Query::all(Kind::of::<Deployment>())
}

fn line(r#type: &str, object: Value) -> Value {
    json!({ "type": r#type, "object": object })
}

fn bookmark(version: &str) -> Value {
    line("BOOKMARK", json!({ "kind": "Deployment", "metadata": { "resourceVersion": version } }))
}

fn page(version: &str, next: &str, names: &[&str]) -> Answer {
    let items: Vec<Value> = names
        .iter()
        .map(|name| json!({ "metadata": { "name": name, "namespace": "store-x", "managedFields": [{}] } }))
        .collect();
    Answer::Json(200, json!({ "metadata": { "resourceVersion": version, "continue": next }, "items": items }))
}

fn names(objects: impl IntoIterator<Item = Object>) -> Vec<String> {
    objects.into_iter().map(|object| object.name().to_owned()).collect()
}

#[tokio::test]
async fn create_is_a_strict_post_without_what_the_server_owns() {
    let (cluster, server) = Server::play(vec![Answer::Json(201, deployment("api", "7"))]);
    let mut object = a_deployment();
    object.as_value_mut()["metadata"]["resourceVersion"] = json!("3");
    object.as_value_mut()["metadata"]["uid"] = json!("u");

    let stored = cluster.create(&object).await.unwrap();

    assert_eq!(stored.resource_version(), Some("7"));
    assert_eq!(stored.at("/metadata/managedFields"), None);
    let asked = &server.asked()[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.uri, "/apis/apps/v1/namespaces/store-x/deployments?fieldManager=urumi&fieldValidation=Strict");
    assert_eq!(asked.body["metadata"], json!({ "name": "api", "namespace": "store-x" }));
    assert_eq!(asked.body["kind"], "Deployment");
}

#[tokio::test]
async fn apply_forces_as_our_field_manager() {
    let (cluster, server) = Server::play(vec![Answer::Json(200, deployment("api", "7"))]);
    cluster.apply(&a_deployment()).await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.content_type.as_str()), ("PATCH", "application/apply-patch+yaml"));
    assert_eq!(
        asked.uri,
        "/apis/apps/v1/namespaces/store-x/deployments/api?fieldManager=urumi&force=true&fieldValidation=Strict"
    );
}

#[tokio::test]
async fn an_object_without_its_namespace_is_not_sent() {
    let (cluster, server) = Server::play(vec![]);
    let object = Object::from_value(Kind::of::<Deployment>(), json!({ "metadata": { "name": "api" } })).unwrap();
    let error = cluster.create(&object).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Invalid);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn what_is_missing_is_none_but_an_unknown_kind_is_an_error() {
    let (cluster, _) = Server::play(vec![
        status(404, "NotFound", "deployments.apps \"api\" not found"),
        status(404, "NotFound", "the server could not find the requested resource"),
        Answer::Text(404, "404 page not found"),
    ]);
    let target = a_deployment().reference();
    assert_eq!(cluster.get(&target).await.unwrap(), None);
    for _ in 0..2 {
        assert_eq!(cluster.get(&target).await.unwrap_err().kind(), ClusterErrorKind::NotFound);
    }
}

#[tokio::test]
async fn the_kinds_of_refusals() {
    let quota = "pods \"p\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=9, limited: pods=9";
    let terminating = "unable to create new content in namespace store-x because it is being terminated";
    let cases = [
        (status(400, "BadRequest", "strict decoding error: unknown field \"spec.x\""), ClusterErrorKind::Invalid),
        (status(422, "Invalid", "spec.replicas: must be non-negative"), ClusterErrorKind::Invalid),
        (
            status(500, "", "failed to create typed patch object (x): .spec.x: field not declared in schema"),
            ClusterErrorKind::Invalid,
        ),
        (status(401, "Unauthorized", "Unauthorized"), ClusterErrorKind::Unauthorized),
        (status(403, "Forbidden", "deployments.apps is forbidden: no"), ClusterErrorKind::Forbidden),
        (status(403, "Forbidden", quota), ClusterErrorKind::QuotaExceeded),
        (status(403, "Forbidden", terminating), ClusterErrorKind::Terminating),
        (
            Answer::Json(
                403,
                json!({ "kind": "Status", "code": 403, "reason": "Forbidden", "message": "no",
                        "details": { "causes": [{ "reason": "NamespaceTerminating" }] } }),
            ),
            ClusterErrorKind::Terminating,
        ),
        (status(404, "NotFound", "namespaces \"store-x\" not found"), ClusterErrorKind::NotFound),
        (status(409, "AlreadyExists", "deployments.apps \"api\" already exists"), ClusterErrorKind::AlreadyExists),
        (status(409, "Conflict", "the object has been modified"), ClusterErrorKind::Conflict),
    ];
    for (answer, kind) in cases {
        let (cluster, server) = Server::play(vec![answer]);
        let error = cluster.create(&a_deployment()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with("cannot create Deployment store-x/api: "), "{error}");
        assert_eq!(server.asked().len(), 1, "{kind:?} is not repeated");
    }
}

#[tokio::test]
async fn a_proxys_page_is_not_quoted() {
    let (cluster, _) = Server::play(vec![Answer::Text(418, "<html>secret</html>")]);
    let error = cluster.version().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot ask for the cluster's version: HTTP 418 I'm a teapot");
}

#[tokio::test]
async fn a_secrets_values_are_in_no_message() {
    let (cluster, _) = Server::play(vec![status(422, "Invalid", "stringData: Invalid value: \"hunter2\"")]);
    let value = json!({ "metadata": { "name": "s", "namespace": "n" }, "stringData": { "password": "hunter2" } });
    let secret = Object::from_value(Kind::of::<Secret>(), value).unwrap();
    let error = cluster.create(&secret).await.unwrap_err();
    assert_eq!(error.message(), "stringData: Invalid value: \"[redacted]\"");
}

#[tokio::test(start_paused = true)]
async fn passing_failures_are_repeated() {
    let quota = json!({ "kind": "Status", "code": 409, "reason": "Conflict", "message": "modified",
                        "details": { "kind": "resourcequotas" } });
    let (cluster, server) = Server::play(vec![
        Answer::Refused,
        status(500, "InternalError", "etcdserver: leader changed"),
        Answer::Text(502, "bad gateway"),
        Answer::Text(503, ""),
        status(504, "Timeout", "slow"),
        Answer::Json(409, quota),
        status(403, "Forbidden", "status unknown for quota: q"),
        Answer::Json(201, deployment("api", "7")),
    ]);
    cluster.create(&a_deployment()).await.unwrap();
    assert_eq!(server.asked().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_respected() {
    let (cluster, server) =
        Server::play(vec![Answer::RetryAfter(429, 3), Answer::Json(200, json!({ "gitVersion": "v1.37.2" }))]);
    assert_eq!(cluster.version().await.unwrap(), "v1.37.2");
    let asked = server.asked();
    assert!(asked[1].at - asked[0].at >= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_what_comes_after_the_deadline() {
    let (cluster, server) = Server::play(vec![Answer::RetryAfter(429, 60)]);
    let started = Instant::now();
    let error = cluster.version().await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Unavailable);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_a_timeout() {
    let (cluster, server) = Server::play(vec![Answer::Text(503, ""), Answer::Silence]);
    let started = Instant::now();
    let error = cluster.with_request_timeout(Duration::from_secs(4)).version().await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Timeout);
    assert!(error.is_retryable());
    assert_eq!(error.message(), "no answer within 4s; before that: HTTP 503 Service Unavailable");
    assert_eq!(started.elapsed().as_secs(), 4);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_reported_within_seconds() {
    let (cluster, server) = Server::play((0..100).map(|_| Answer::Refused).collect());
    let started = Instant::now();
    let error = cluster.version().await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Unreachable);
    assert_eq!(error.message(), "connection refused");
    assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
    assert!((3..10).contains(&server.asked().len()), "{}", server.asked().len());
}

#[tokio::test]
async fn lists_go_page_by_page_and_come_sorted() {
    let (cluster, server) = Server::play(vec![page("9", "token/1", &["c", "a"]), page("9", "", &["b"])]);
    let query = deployments()
        .in_namespace("store-x")
        .named("a")
        .labelled(LabelRequirement::Exists("store.urumi.ai/enabled".into()))
        .labelled(LabelRequirement::Equals("tier".into(), "web".into()));
    let found = cluster.list(&query).await.unwrap();
    assert_eq!(names(found.clone()), ["a", "b", "c"]);
    assert_eq!(found[0].str_at("/kind"), Some("Deployment"));
    assert_eq!(found[0].str_at("/apiVersion"), Some("apps/v1"));
    assert_eq!(found[0].at("/metadata/managedFields"), None);
    let selection = "/apis/apps/v1/namespaces/store-x/deployments?labelSelector=store.urumi.ai%2Fenabled%2Ctier%3Dweb\
                     &fieldSelector=metadata.name%3Da&limit=500";
    let uris: Vec<String> = server.asked().into_iter().map(|a| a.uri).collect();
    assert_eq!(uris, [selection.to_owned(), format!("{selection}&continue=token%2F1")]);
}

#[tokio::test]
async fn an_expired_page_starts_over_without_pages() {
    let (cluster, server) = Server::play(vec![
        page("9", "t", &["old"]),
        status(410, "Expired", "The provided continue parameter is too old"),
        page("12", "", &["a", "b"]),
    ]);
    assert_eq!(names(cluster.list(&deployments()).await.unwrap()), ["a", "b"]);
    assert_eq!(server.asked()[2].uri, "/apis/apps/v1/deployments");
}

#[tokio::test]
async fn an_empty_list_may_have_no_items_at_all() {
    let (cluster, _) =
        Server::play(vec![Answer::Json(200, json!({ "metadata": { "resourceVersion": "1" }, "items": null }))]);
    assert!(cluster.list(&deployments()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_record_is_merged_under_its_version() {
    let namespace = json!({ "metadata": { "name": "store-x", "resourceVersion": "6" } });
    let (cluster, server) =
        Server::play(vec![Answer::Json(200, namespace), status(409, "Conflict", "the object has been modified")]);
    let patch = MetadataPatch::at("5").annotate("store.urumi.ai/status", "ready").remove_annotation("gone");
    cluster.patch_metadata(&store_x(), &patch).await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.content_type.as_str()), ("PATCH", "application/merge-patch+json"));
    assert_eq!(asked.uri, "/api/v1/namespaces/store-x?fieldManager=urumi&fieldValidation=Strict");
    assert_eq!(
        asked.body,
        json!({ "metadata": {
            "resourceVersion": "5", "annotations": { "store.urumi.ai/status": "ready", "gone": null },
        } })
    );
    let error = cluster.patch_metadata(&store_x(), &patch).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Conflict);
    assert!(error.to_string().starts_with("cannot patch the metadata of Namespace store-x: "));
}

fn store_x() -> ObjectRef {
    ObjectRef::cluster(Kind::of::<Namespace>(), "store-x")
}

#[tokio::test]
async fn only_the_metadata_that_a_patch_names_is_sent() {
    let found = json!({ "metadata": { "name": "a", "resourceVersion": "6" } });
    let (cluster, server) = Server::play(vec![Answer::Json(200, found)]);
    let object = ObjectRef::namespaced(Kind::of::<ConfigMap>(), "store-x", "a");
    let patch = MetadataPatch::at("5").label("new", "1").remove_label("old").finalizers(["example.com/kept".into()]);
    cluster.patch_metadata(&object, &patch).await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!(asked.uri, "/api/v1/namespaces/store-x/configmaps/a?fieldManager=urumi&fieldValidation=Strict");
    assert_eq!(
        asked.body,
        json!({ "metadata": {
            "resourceVersion": "5", "labels": { "new": "1", "old": null }, "finalizers": ["example.com/kept"],
        } })
    );
}

/// The API server would execute it whatever the object's state is.
#[tokio::test]
async fn a_patch_without_a_version_is_not_sent() {
    let (cluster, server) = Server::play(Vec::new());
    let error = cluster.patch_metadata(&store_x(), &MetadataPatch::at("").label("a", "b")).await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Invalid);
    assert!(server.asked().is_empty());
}

fn expected() -> Preconditions {
    Preconditions::uid("u1").at("5")
}

#[tokio::test]
async fn a_deletion_is_pinned() {
    let (cluster, server) = Server::play(vec![Answer::Json(200, json!({ "metadata": { "name": "store-x" } }))]);
    cluster.delete(&store_x(), &expected()).await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("DELETE", "/api/v1/namespaces/store-x"));
    assert_eq!(asked.body["preconditions"], json!({ "uid": "u1", "resourceVersion": "5" }));
    assert_eq!(asked.body["propagationPolicy"], "Background");
}

#[tokio::test]
async fn a_deletion_may_be_pinned_to_the_uid_alone() {
    let (cluster, server) = Server::play(vec![Answer::Json(200, json!({ "kind": "Status", "status": "Success" }))]);
    let object = ObjectRef::namespaced(Kind::of::<ConfigMap>(), "store-x", "a");
    cluster.delete(&object, &Preconditions::uid("u1")).await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("DELETE", "/api/v1/namespaces/store-x/configmaps/a"));
    assert_eq!(asked.body["preconditions"], json!({ "uid": "u1" }));
}

#[tokio::test]
async fn a_conflict_is_success_only_where_the_same_namespace_is_being_deleted() {
    let cases = [("u1", true, true), ("u1", false, false), ("u2", true, false)];
    for (uid, terminating, success) in cases {
        let mut found = json!({ "metadata": { "name": "store-x", "uid": uid } });
        if terminating {
            found["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        let (cluster, _) = Server::play(vec![status(409, "Conflict", "precondition failed"), Answer::Json(200, found)]);
        let outcome = cluster.delete(&store_x(), &expected()).await.map_err(|e| e.kind());
        assert_eq!(outcome, if success { Ok(()) } else { Err(ClusterErrorKind::Conflict) });
    }
}

#[tokio::test]
async fn deleting_what_is_gone_is_not_found() {
    let (cluster, _) = Server::play(vec![status(404, "NotFound", "namespaces \"store-x\" not found")]);
    assert_eq!(cluster.delete(&store_x(), &expected()).await.unwrap_err().kind(), ClusterErrorKind::NotFound);
}

#[tokio::test]
async fn permissions_are_asked_for() {
    let (cluster, server) = Server::play(vec![Answer::Json(201, json!({ "status": { "allowed": true } }))]);
    let access = Access {
        verb: "get".into(),
        group: String::new(),
        resource: "pods/log".into(),
        namespace: Some("store-x".into()),
        name: None,
    };
    assert!(cluster.may(&access).await.unwrap());
    assert_eq!(
        server.asked()[0].body["spec"]["resourceAttributes"],
        json!({ "verb": "get", "group": "", "resource": "pods", "subresource": "log", "namespace": "store-x", "name": "" })
    );
}

#[tokio::test]
async fn names_cannot_leave_their_place_in_the_path() {
    let (cluster, server) = Server::play(vec![status(404, "NotFound", "no")]);
    let target = ObjectRef::cluster(Kind::of::<Namespace>(), "../x?y=z");
    assert_eq!(cluster.get(&target).await.unwrap(), None);
    assert_eq!(server.asked()[0].uri, "/api/v1/namespaces/..%2Fx%3Fy%3Dz");
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_where_it_ended() {
    let (cluster, server) = Server::play(vec![
        page("10", "", &["b", "a"]),
        Answer::Watch(
            vec![
                line("ADDED", deployment("c", "11")),
                line("MODIFIED", deployment("c", "12")),
                line("DELETED", deployment("b", "13")),
                bookmark("20"),
            ],
            End::Clean,
        ),
        Answer::Watch(vec![line("ADDED", deployment("d", "21"))], End::Never),
    ]);
    let mut watch = cluster.watch(&deployments());

    let Some(Ok(WatchEvent::Snapshot(all))) = watch.next().await else { panic!("no snapshot") };
    assert_eq!(names(all), ["a", "b"]);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(match watch.next().await.unwrap().unwrap() {
            WatchEvent::Applied(object) => {
                assert_eq!(object.at("/metadata/managedFields"), None);
                format!("+{}", object.name())
            }
            WatchEvent::Deleted(object) => format!("-{}", object.name()),
            WatchEvent::Snapshot(_) => "snapshot".into(),
        });
    }
    assert_eq!(seen, ["+c", "+c", "-b", "+d"]);
    let asked = server.asked();
    assert!(asked[1].uri.contains("watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=2"));
    assert!(asked[2].uri.contains("resourceVersion=20"), "nothing is listed again");
    assert_eq!(asked.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_kept_open_as_long_as_the_options_say() {
    for (timeout, expected) in
        [(Some(Duration::from_secs(300)), 300..=360), (Some(Duration::ZERO), 1..=1), (None, 20..=24)]
    {
        let (mut cluster, server) = Server::play(vec![
            page("10", "", &[]),
            Answer::Watch(vec![], End::Never),
            Answer::Watch(vec![], End::Never),
        ]);
        if let Some(timeout) = timeout {
            cluster.transport.watch_timeout = timeout;
        }
        let mut watch = cluster.watch(&deployments());
        watch.next().await.unwrap().unwrap();
        let started = Instant::now();
        assert!(watch.next().await.unwrap().is_err(), "it was silent for longer");
        let seconds = server.asked()[1].uri.rsplit('=').next().unwrap().parse::<u64>().unwrap();
        assert!(expected.contains(&seconds), "{seconds} s");
        assert_eq!(started.elapsed().as_secs(), seconds + 5);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_fell_behind_lists_again() {
    let gone = json!({ "kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version" });
    let (cluster, _) = Server::play(vec![
        page("10", "", &["a"]),
        Answer::Watch(vec![line("ERROR", gone)], End::Clean),
        page("30", "", &["b"]),
        status(410, "Expired", "too old resource version"),
        page("40", "", &["c"]),
        Answer::Watch(vec![], End::Never),
    ]);
    let mut watch = cluster.watch(&deployments());
    for name in ["a", "b", "c"] {
        let Some(Ok(WatchEvent::Snapshot(all))) = watch.next().await else { panic!("no snapshot") };
        assert_eq!(names(all), [name]);
    }
}

/// An API server behind a load balancer may lag behind another. If the answers stay old, the watch accepts them in the
/// end: the cluster may have been restored from a backup.
#[tokio::test(start_paused = true)]
async fn a_watch_does_not_go_back_in_time() {
    let gone = || json!({ "kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version" });
    let mut script = vec![
        page("10", "", &["a"]),
        Answer::Watch(vec![line("MODIFIED", deployment("a", "20")), line("ERROR", gone())], End::Clean),
        page("10", "", &["old"]),
        page("30", "", &["b"]),
        Answer::Watch(vec![line("ERROR", gone())], End::Clean),
    ];
    script.extend((0..4).map(|_| page("5", "", &["restored"])));
    script.push(Answer::Watch(vec![], End::Never));
    let (cluster, _) = Server::play(script);
    let mut watch = cluster.watch(&deployments());
    let mut seen = Vec::new();
    for _ in 0..8 {
        seen.push(match watch.next().await.unwrap() {
            Ok(WatchEvent::Snapshot(all)) => names(all).join(","),
            Ok(WatchEvent::Applied(object) | WatchEvent::Deleted(object)) => format!("+{}", object.name()),
            Err(error) => format!("{:?}", error.kind()),
        });
    }
    assert_eq!(seen, ["a", "+a", "Unavailable", "b", "Unavailable", "Unavailable", "Unavailable", "restored"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_reports_its_errors_and_goes_on() {
    let (cluster, server) = Server::play(vec![
        status(403, "Forbidden", "no"),
        page("10", "", &["a"]),
        Answer::Watch(vec![line("ADDED", deployment("b", "11"))], End::Broken),
        Answer::Text(503, ""),
        Answer::Watch(vec![line("ADDED", deployment("c", "12"))], End::Never),
    ]);
    let mut watch = cluster.watch(&deployments());
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(match watch.next().await.unwrap() {
            Ok(WatchEvent::Snapshot(_)) => "snapshot".to_owned(),
            Ok(WatchEvent::Applied(object) | WatchEvent::Deleted(object)) => object.name().to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        });
    }
    assert_eq!(seen, ["Forbidden", "snapshot", "b", "Unreachable", "Unavailable", "c"]);
    assert!(server.asked()[4].uri.contains("resourceVersion=11"));
}

/// After an error, the watch reports its end even if there are no events.
#[tokio::test(start_paused = true)]
async fn a_quiet_watch_shows_that_it_is_well_again() {
    let (cluster, server) = Server::play(vec![
        page("10", "", &["a"]),
        Answer::Watch(vec![], End::Broken),
        Answer::Watch(vec![], End::Clean),
        page("10", "", &["a"]),
        Answer::Watch(vec![], End::Never),
    ]);
    let mut watch = cluster.watch(&deployments());
    watch.next().await.unwrap().unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap_err().kind(), ClusterErrorKind::Unreachable);
    let Some(Ok(WatchEvent::Snapshot(all))) = watch.next().await else { panic!("no snapshot") };
    assert_eq!(names(all), ["a"]);
    let seconds = server.asked()[2].uri.rsplit('=').next().unwrap().parse::<u64>().unwrap();
    assert!(seconds < 5, "it takes {seconds} s until that shows");
}

#[tokio::test(start_paused = true)]
async fn a_dead_watch_is_noticed() {
    let (cluster, server) = Server::play(vec![
        page("10", "", &[]),
        Answer::Watch(vec![], End::Never),
        Answer::Silence,
        Answer::Watch(vec![line("ADDED", deployment("c", "12"))], End::Never),
    ]);
    let mut watch = cluster.watch(&deployments());
    watch.next().await.unwrap().unwrap();
    let started = Instant::now();
    assert_eq!(watch.next().await.unwrap().unwrap_err().kind(), ClusterErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(30));
    // A watch that cannot be opened does not hang either.
    assert_eq!(watch.next().await.unwrap().unwrap_err().kind(), ClusterErrorKind::Timeout);
    assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Applied(_)))));
    assert!(server.asked()[3].uri.contains("resourceVersion=10"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_shut_at_once_is_not_hammered() {
    let mut script = vec![page("10", "", &[])];
    script.extend((0..1000).map(|_| Answer::Watch(vec![], End::Clean)));
    let (cluster, server) = Server::play(script);
    let mut watch = cluster.watch(&deployments());
    watch.next().await.unwrap().unwrap();
    let minute = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
    assert!(minute.is_err(), "it is no error either");
    assert!(server.asked().len() < 30, "{}", server.asked().len());
}

#[tokio::test(start_paused = true)]
async fn a_watch_survives_being_polled_in_pieces() {
    let (cluster, _) = Server::play(vec![
        page("10", "", &["a"]),
        Answer::Watch(vec![line("ADDED", deployment("b", "11"))], End::Never),
    ]);
    let mut watch = cluster.watch(&deployments());
    // Dropping `next()` at any point loses nothing: the stream keeps its state.
    let mut seen = 0;
    for _ in 0..1000 {
        tokio::select! {
            biased;
            event = watch.next() => { event.unwrap().unwrap(); seen += 1; }
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(seen, 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_version_is_given_up() {
    let (cluster, _) = Server::play(vec![
        page("10", "", &["a"]),
        status(400, "BadRequest", "invalid resource version"),
        status(400, "BadRequest", "invalid resource version"),
        status(400, "BadRequest", "invalid resource version"),
        page("3", "", &["b"]),
    ]);
    let mut watch = cluster.watch(&deployments());
    watch.next().await.unwrap().unwrap();
    for _ in 0..3 {
        assert_eq!(watch.next().await.unwrap().unwrap_err().kind(), ClusterErrorKind::Invalid);
    }
    assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Snapshot(_)))));
}
