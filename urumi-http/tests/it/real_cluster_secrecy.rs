//! A server with the documented permissions and no more, logging all it can: it does everything, and tells no secret.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use urumi_core::http_client::ServerOptions;
use urumi_core::secret::SecretString;
use urumi_core::store::logs::LogQuery;
use urumi_core::store::timeline::TimelineSource;
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator, StoreOrchestratorExt};

use crate::process::{Server, kubeconfig};

const PATIENCE: Duration = Duration::from_secs(300);

fn kubectl(kubeconfig: &str, args: &[&str], input: &str) -> String {
    let mut kubectl = Command::new("kubectl");
    kubectl.env("KUBECONFIG", kubeconfig).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = kubectl.spawn().unwrap();
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "kubectl {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The roles in the document, under names of their own, and with this namespace beside the databases' server.
fn roles(name: &str, databases: &str) -> Vec<String> {
    let document = include_str!("../../../docs/PERMISSIONS.md");
    let parts = document.split("```yaml\n").skip(1).map(|part| part.split("```").next().unwrap());
    let named = |yaml: &str| yaml.replace("{name: ", &format!("{{name: {name}-"));
    parts.map(|yaml| named(yaml).replace("namespace: databases", &format!("namespace: {databases}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn least_privilege_is_enough_and_no_secret_is_told() {
    let Some(admin) = kubeconfig() else { return };
    let _alone = crate::process::ALONE.lock().await;
    let name = format!("urumi-http-{}", std::process::id());
    let (server_account, caller) = (name.clone(), format!("{name}-caller"));
    let databases = format!("{name}-databases");
    kubectl(&admin, &["create", "namespace", &databases], "");
    for role in roles(&name, &databases) {
        kubectl(&admin, &["apply", "-f", "-"], &role);
    }
    for account in [&server_account, &caller] {
        kubectl(&admin, &["create", "serviceaccount", account, "-n", "default"], "");
    }
    let subject = format!("--serviceaccount=default:{server_account}");
    for role in ["store-orchestrator", "store-callers"] {
        let role = format!("{name}-{role}");
        kubectl(&admin, &["create", "clusterrolebinding", &role, "--clusterrole", &role, &subject], "");
    }
    let role = format!("{name}-store-audit");
    kubectl(&admin, &["create", "rolebinding", &role, "--role", &role, &subject, "-n", "default"], "");
    let beside = format!("{name}-store-databases");
    kubectl(&admin, &["create", "rolebinding", &beside, "--role", &beside, &subject, "-n", &databases], "");
    let administrator = ["--from-literal", "username=postgres", "--from-literal", "password=of-the-administrator"];
    let create = ["create", "secret", "generic", "administrator", "-n", &databases];
    kubectl(&admin, &[&create[..], &administrator].concat(), "");
    let own_token = kubectl(&admin, &["create", "token", &server_account, "-n", "default"], "");
    let caller_token = kubectl(&admin, &["create", "token", &caller, "-n", "default"], "").trim().to_owned();

    let folder = tempfile::tempdir().unwrap();
    let limited = folder.path().join("kubeconfig");
    std::fs::copy(&admin, &limited).unwrap();
    let limited = limited.to_str().unwrap();
    kubectl(limited, &["config", "set-credentials", "limited", "--token", own_token.trim()], "");
    kubectl(limited, &["config", "set-context", "--current", "--user", "limited"], "");
    let (static_token, tokens) = (urumi_http::auth::static_tokens::new_token().unwrap(), folder.path().join("tokens"));
    let hash = urumi_http::auth::static_tokens::TokenHash::of(&static_token);
    std::fs::write(&tokens, format!("- {{subject: root, role: admin, sha256: {hash}}}\n")).unwrap();

    let defaults = folder.path().join("defaults");
    let database = json!({"host": "db.example.com", "namespace": databases, "secretName": "administrator"});
    std::fs::write(&defaults, json!({"medusa": {"database": {"server": database}}}).to_string()).unwrap();

    let log = folder.path().join("log");
    let binding = format!("operator=subject:system:serviceaccount:default:{caller}");
    let server = Server::start_logging_to(
        &log,
        &[
            ["--cluster", "kube"],
            ["--kubeconfig", limited],
            ["--tokens-file", tokens.to_str().unwrap()],
            ["--role-binding", &binding],
            ["--engine-defaults", defaults.to_str().unwrap()],
            ["--log", "trace"],
            ["--log-format", "json"],
        ]
        .concat()
        .into_iter()
        .chain(["--token-review"])
        .collect::<Vec<_>>(),
    )
    .await;
    let connect = |token: &str| {
        let options = ServerOptions::default().token(SecretString::new(token));
        HttpOrchestrator::connect(&server.url, &options).unwrap()
    };
    let (operator, root) = (connect(&caller_token), connect(static_token.reveal()));

    // All that can be asked, and everything that is answered.
    let mut said = String::new();
    let handed = format!("handed-over-{}", urumi_http::auth::static_tokens::new_token().unwrap().reveal());
    let options = json!({"api": {"secretEnv": {"STRIPE_API_KEY": handed}}}).as_object().cloned().unwrap();
    let request = CreateStore::new("Least", "medusa").options(options);
    said.push_str(&format!("{:?}", operator.preview(request.clone()).await.unwrap()));
    let store = operator.create(request).await.unwrap().into_store();
    assert_eq!(store.owner.as_deref(), Some(&*format!("user:system:serviceaccount:default:{caller}")));
    let ready = operator.wait_until(&store.id, Ready.or_failed(), PATIENCE).await.unwrap();
    said.push_str(&format!("{ready:?}{:?}", operator.list().await.unwrap()));
    said.push_str(&format!("{:?}", operator.manifests(&store.id).await.unwrap()));
    let timeline = operator.timeline(&store.id).await.unwrap();
    assert!(timeline.iter().any(|entry| entry.source == TimelineSource::Audit), "{timeline:?}");
    said.push_str(&format!("{timeline:?}{:?}", operator.differences(&store.id).await.unwrap()));
    let lines: Vec<_> =
        futures::StreamExt::collect(operator.logs(&store.id, &LogQuery::default()).await.unwrap()).await;
    assert!(lines.iter().all(Result::is_ok) && !lines.is_empty(), "{lines:?}");
    said.push_str(&format!("{lines:?}{}", operator.ask::<Value>(&["whoami"]).await.unwrap()));
    assert!(root.list().await.unwrap().iter().any(|s| s.id == store.id));
    let wrong = format!("{}x", caller_token);
    said.push_str(&format!("{:?}", connect(&wrong).list().await.unwrap_err()));

    let revealed = operator.credentials(&store.id, true).await.unwrap().password.unwrap();
    let secret = kubectl(&admin, &["get", "secret", "postgres-credentials", "-n", &store.namespace, "-o", "json"], "");
    let secret: Value = serde_json::from_str(&secret).unwrap();
    let kept = kubectl(&admin, &["get", "secret", "store-secrets", "-n", &store.namespace, "-o", "json"], "");
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let record = kubectl(&admin, &["get", "namespace", &store.namespace, "-o", "json"], "");
    let objects = kubectl(
        &admin,
        &["get", "deployments,statefulsets,jobs,configmaps,pods", "-n", &store.namespace, "-o", "json"],
        "",
    );

    // A second one, whose database is on a server.
    let managed = json!({"database": {"mode": "managed"}}).as_object().cloned().unwrap();
    let second = root.create(CreateStore::new("Second", "medusa").options(managed)).await.unwrap().into_store();
    let ready = root.wait_until(&second.id, Ready.or_failed(), PATIENCE).await.unwrap();
    said.push_str(&format!("{ready:?}{:?}", root.manifests(&second.id).await.unwrap()));
    let beside = kubectl(&admin, &["get", "secret", &second.namespace, "-n", &databases, "-o", "json"], "");
    let beside: Value = serde_json::from_str(&beside).unwrap();
    root.delete(&second.id).await.unwrap();
    root.wait_until(&second.id, Deleted, PATIENCE).await.unwrap();

    let events = kubectl(&admin, &["get", "events", "-A", "-o", "json"], "");
    root.delete(&store.id).await.unwrap();
    root.wait_until(&store.id, Deleted, PATIENCE).await.unwrap();
    drop(server);

    let mut canaries = vec![caller_token, own_token.trim().to_owned(), static_token.reveal().to_owned(), wrong];
    canaries.extend(["of-the-administrator".to_owned(), handed]);
    for (_, value) in [&secret, &kept, &beside].into_iter().flat_map(|secret| secret["data"].as_object().unwrap()) {
        let encoded = value.as_str().unwrap();
        let plain = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
        canaries.extend([encoded.to_owned(), String::from_utf8(plain).unwrap()]);
    }
    // What was asked for is in that answer, and nowhere else.
    canaries.push(revealed.reveal().to_owned());
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("\"DEBUG\"") && log.contains("urumi::audit"), "the log is not what this test needs");
    for canary in &canaries {
        assert!(canary.len() >= 16);
        for (place, text) in [
            ("the log", &log),
            ("an answer", &said),
            ("an Event", &events),
            ("the record", &record),
            ("an object", &objects),
        ] {
            assert!(!text.contains(canary.as_str()), "a secret is in {place}");
        }
    }
    for (kind, object) in [
        ("clusterrolebinding", "store-orchestrator"),
        ("clusterrolebinding", "store-callers"),
        ("clusterrole", "store-orchestrator"),
        ("clusterrole", "store-callers"),
    ] {
        kubectl(&admin, &["delete", kind, &format!("{name}-{object}")], "");
    }
    kubectl(&admin, &["delete", "namespace", &databases, "--wait=false"], "");
    kubectl(&admin, &["delete", "rolebinding,role", &role, "-n", "default"], "");
    kubectl(&admin, &["delete", "serviceaccount", &server_account, &caller, "-n", "default"], "");
}
