//! No token is ever in a log or in what `Debug` shows, whatever becomes of it.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;
use urumi_core::cluster::{ConnectOptions, KubeCluster};
use urumi_core::secret::SecretString;
use urumi_http::auth::authenticate;
use urumi_http::auth::static_tokens::{TokenHash, new_token};
use urumi_http::auth::{Authentication, Bindings, Caller, Oidc, ReviewedTokens, Role, StaticTokens};

use super::oidc::{Issuer, Signer, claims, now, options};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;
    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// An API server that reviews tokens: it knows those with `valid` in them, and repeats all in its answers, as the real
/// one does.
async fn api_server(folder: &std::path::Path) -> KubeCluster {
    let review = async |Json(mut review): Json<Value>| {
        let token = review["spec"]["token"].as_str().unwrap().to_owned();
        if token.contains("refused") {
            let message = format!("the token {token} is refused");
            let status = json!({"kind": "Status", "code": 422, "reason": "Invalid", "message": message});
            return (StatusCode::UNPROCESSABLE_ENTITY, Json(status));
        }
        review["status"] = match token.contains("valid") {
            true => json!({"authenticated": true, "user": {"username": "robot"}, "audiences": ["urumi"]}),
            false => json!({"error": format!("the token {token} is unknown")}),
        };
        (StatusCode::CREATED, Json(review))
    };
    let router = Router::new().route("/apis/authentication.k8s.io/v1/tokenreviews", post(review));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "c", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    });
    let path = folder.join("kubeconfig");
    std::fs::write(&path, kubeconfig.to_string()).unwrap();
    KubeCluster::install_crypto_provider();
    KubeCluster::connect(ConnectOptions::default().kubeconfig(path)).await.unwrap()
}

#[tokio::test]
async fn no_token_is_ever_shown() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = crate::support::log_into(subscriber);

    let folder = tempfile::tempdir().unwrap();
    let (ours, expired, unlisted) = (new_token().unwrap(), new_token().unwrap(), new_token().unwrap());
    let file = folder.path().join("tokens.yaml");
    let entry = |token: &SecretString, more: &str| {
        format!("- {{subject: ann, role: viewer, sha256: {}{more}}}\n", TokenHash::of(token))
    };
    std::fs::write(&file, [entry(&ours, ""), entry(&expired, ", expires: 2020-01-01")].concat()).unwrap();
    let signer = Signer::p256("a");
    let issuer = Issuer::start(std::slice::from_ref(&signer)).await;
    let bindings = Bindings::default().default_role(Some(Role::Viewer));
    let oidc = Arc::new(Oidc::new(options(&issuer).bindings(bindings.clone())).unwrap());
    let cluster = Arc::new(api_server(folder.path()).await);
    let reviewed = Arc::new(ReviewedTokens::new(cluster, vec!["urumi".into()], bindings));
    let listed = Arc::new(StaticTokens::load(&file).unwrap());
    let authentication = Authentication::chain(vec![listed.clone(), oidc.clone(), reviewed.clone()]);

    let mut late = claims(&issuer);
    late["exp"] = json!(now() - 3600);
    let signed = signer.sign("ES256", &claims(&issuer));
    let tokens = [
        (ours.reveal().to_owned(), 200),
        (expired.reveal().to_owned(), 401),
        (unlisted.reveal().to_owned(), 401),
        (format!("{}x", ours.reveal()), 401),
        (signed.clone(), 200),
        (signer.sign("ES256", &late), 401),
        (Signer::p256("b").sign("ES256", &claims(&issuer)), 401),
        (format!("{}A", signed), 401),
        ("canary-valid-token".to_owned(), 200),
        ("canary-unknown-token".to_owned(), 401),
        ("canary-refused-token".to_owned(), 503),
        ("canary,malformed,token".to_owned(), 401),
    ];
    let app = Router::new()
        .route("/", get(async |Caller(who): Caller| format!("{who:?}")))
        .layer(axum::middleware::from_fn_with_state(authentication.clone(), authenticate));
    let mut shown = String::new();
    for (token, status) in &tokens {
        for _ in 0..2 {
            let request = Request::get("/").header("authorization", format!("Bearer {token}")).body(Body::empty());
            let response = app.clone().oneshot(request.unwrap()).await.unwrap();
            assert_eq!(response.status().as_u16(), *status, "{token}");
            shown.push_str(&format!("{:?}", response.headers()));
            let body = response.into_body().collect().await.unwrap().to_bytes();
            shown.push_str(std::str::from_utf8(&body).unwrap());
        }
    }
    shown.push_str(&format!("{authentication:?} {listed:?} {oidc:?} {reviewed:?} {:?}", SecretString::new(&signed)));
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("TRACE") && logged.contains("not authenticated"), "the log is there: {logged}");
    assert!(logged.contains("/apis/authentication.k8s.io/v1/tokenreviews"), "{logged}");
    for (token, _) in &tokens {
        // Any part of it that would do: a JWT's signature, a token without its prefix.
        for part in token.split(['.', '_', ' ']).filter(|part| part.len() >= 12) {
            assert!(!shown.contains(part), "{part} is in an answer or in what Debug shows: {shown}");
            let line = logged.lines().find(|line| line.contains(part));
            assert_eq!(line, None, "{part} is in the log");
        }
    }
}
