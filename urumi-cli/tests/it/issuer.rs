//! An OpenID Connect issuer in the test process. It checks what clients must send.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use oauth2::url::Url;
use reqwest::StatusCode;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::server::{acceptor, serve_tls};

/// The only client.
pub(crate) const CLIENT: &str = "cli";

/// A request's parameters.
type Fields = std::collections::BTreeMap<String, String>;

/// What the issuer does differently.
#[derive(Default)]
pub(crate) struct Behaviour {
    /// Replaces fields of the metadata.
    pub(crate) metadata: Value,
    /// Replaces claims of ID tokens.
    pub(crate) claims: Value,
    /// Replaces parameters of the redirect to the client; `null` removes one.
    pub(crate) redirect: Value,
    /// The errors of the next requests with a device code.
    pub(crate) device: VecDeque<&'static str>,
    /// Seconds from now until ID tokens expire. They are valid for an hour in all.
    pub(crate) expires_in: i64,
    /// Gives no refresh tokens.
    pub(crate) no_refresh: bool,
}

/// What has happened.
#[derive(Default)]
pub(crate) struct Record {
    /// The valid refresh token.
    pub(crate) refresh_token: Option<String>,
    pub(crate) refreshed: usize,
    /// Requests with a refresh token that was not valid any more.
    pub(crate) refused: usize,
    pub(crate) revoked: Vec<String>,
    /// The scopes of the last sign-in.
    pub(crate) scope: String,
    /// All secrets that the client has received or sent.
    pub(crate) secrets: Vec<String>,
}

struct Shared {
    url: String,
    key: EcdsaKeyPair,
    behaviour: Mutex<Behaviour>,
    record: Mutex<Record>,
    /// The parameters of the authorization request of the only valid code.
    authorized: Mutex<Option<(String, Fields)>>,
}

/// An issuer that runs until it is dropped.
pub(crate) struct Issuer {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Issuer {
    /// Starts an issuer. With a file, it has TLS and writes its certificate to it.
    pub(crate) fn start(tls: Option<&Path>) -> Issuer {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/realm", listener.local_addr().unwrap());
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap();
        let behaviour = Mutex::new(Behaviour { expires_in: 3600, ..Behaviour::default() });
        let (record, authorized) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { url, key, behaviour, record, authorized });
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(metadata))
            .route("/realm/keys", get(keys))
            .route("/realm/authorize", get(authorize))
            .route("/realm/device", post(device))
            .route("/realm/token", post(token))
            .route("/realm/revoke", post(revoke))
            .with_state(shared.clone());
        match tls.map(acceptor) {
            Some(acceptor) => drop(runtime.spawn(serve_tls(listener, acceptor, router))),
            None => drop(runtime.spawn(async move { axum::serve(listener, router).await })),
        }
        Issuer { shared, runtime: Some(runtime) }
    }

    pub(crate) fn url(&self) -> &str {
        &self.shared.url
    }

    /// Changes what the issuer does.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shared.behaviour.lock().unwrap());
    }

    /// Reads or changes what has happened.
    pub(crate) fn record<T>(&self, of: impl FnOnce(&mut Record) -> T) -> T {
        of(&mut self.shared.record.lock().unwrap())
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Replaces fields of an object; `null` removes one.
fn replace(object: &mut Value, fields: &Value) {
    for (name, value) in fields.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            value => object[name] = value.clone(),
        }
    }
}

fn random() -> String {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&SystemRandom::new(), &mut bytes).unwrap();
    format!("s3cr3t-{}", URL_SAFE_NO_PAD.encode(bytes))
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let url = &shared.url;
    let mut metadata = json!({
        "issuer": url,
        "jwks_uri": format!("{url}/keys"),
        "authorization_endpoint": format!("{url}/authorize"),
        "device_authorization_endpoint": format!("{url}/device"),
        "token_endpoint": format!("{url}/token"),
        "revocation_endpoint": format!("{url}/revoke"),
        "scopes_supported": ["openid", "groups", "offline_access"],
        "authorization_response_iss_parameter_supported": true,
    });
    replace(&mut metadata, &shared.behaviour.lock().unwrap().metadata);
    Json(metadata)
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let (x, y) = shared.key.public_key().as_ref()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    Json(json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": "k", "x": x, "y": y}]}))
}

/// The user signs in at once.
async fn authorize(State(shared): State<Arc<Shared>>, Query(query): Query<Fields>) -> Response {
    let mut back = Url::parse(&query["redirect_uri"]).unwrap();
    assert_eq!((back.scheme(), back.host_str(), back.path()), ("http", Some("127.0.0.1"), "/callback"));
    assert_eq!((query["response_type"].as_str(), query["client_id"].as_str()), ("code", CLIENT));
    assert_eq!((query["code_challenge_method"].as_str(), query["code_challenge"].len()), ("S256", 43));
    assert!(query["state"].len() >= 16 && query["nonce"].len() >= 16, "{query:?}");
    let code = random();
    let mut answer = json!({"code": code, "state": query["state"], "iss": shared.url});
    replace(&mut answer, &shared.behaviour.lock().unwrap().redirect);
    for (name, value) in answer.as_object().unwrap() {
        back.query_pairs_mut().append_pair(name, value.as_str().unwrap());
    }
    shared.record.lock().unwrap().scope.clone_from(&query["scope"]);
    *shared.authorized.lock().unwrap() = Some((code, query));
    Redirect::to(back.as_str()).into_response()
}

async fn device(State(shared): State<Arc<Shared>>, Form(form): Form<Fields>) -> Json<Value> {
    assert_eq!(form["client_id"], CLIENT);
    shared.record.lock().unwrap().scope.clone_from(&form["scope"]);
    let verify = format!("{}/verify", shared.url);
    Json(json!({
        "device_code": "s3cr3t-device", "user_code": "ABCD-EFGH", "verification_uri": verify,
        "verification_uri_complete": format!("{verify}?user_code=ABCD-EFGH"), "expires_in": 600, "interval": 0,
    }))
}

async fn token(State(shared): State<Arc<Shared>>, Form(form): Form<Fields>) -> Response {
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
    if form.get("client_id").map(String::as_str) != Some(CLIENT) {
        return refused("invalid_client");
    }
    match form["grant_type"].as_str() {
        "authorization_code" => {
            let Some((_, asked)) = shared.authorized.lock().unwrap().take_if(|(code, _)| *code == form["code"]) else {
                return refused("invalid_grant");
            };
            let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
            if asked["code_challenge"] != challenge || asked["redirect_uri"] != form["redirect_uri"] {
                return refused("invalid_grant");
            }
            shared.tokens(Some(&asked["nonce"]))
        }
        "urn:ietf:params:oauth:grant-type:device_code" => {
            assert_eq!(form["device_code"], "s3cr3t-device");
            let error = shared.behaviour.lock().unwrap().device.pop_front();
            error.map_or_else(|| shared.tokens(None), refused)
        }
        "refresh_token" => {
            {
                let mut record = shared.record.lock().unwrap();
                if record.refresh_token.take_if(|valid| *valid == form["refresh_token"]).is_none() {
                    record.refused += 1;
                    return refused("invalid_grant");
                }
                record.refreshed += 1;
            }
            shared.tokens(None)
        }
        _ => refused("unsupported_grant_type"),
    }
}

async fn revoke(State(shared): State<Arc<Shared>>, Form(form): Form<Fields>) -> StatusCode {
    assert_eq!((form["client_id"].as_str(), form["token_type_hint"].as_str()), (CLIENT, "refresh_token"));
    let mut record = shared.record.lock().unwrap();
    record.refresh_token.take_if(|valid| *valid == form["token"]);
    record.revoked.push(form["token"].clone());
    StatusCode::OK
}

impl Shared {
    fn tokens(&self, nonce: Option<&String>) -> Response {
        let behaviour = self.behaviour.lock().unwrap();
        let expires = Timestamp::now().as_second() + behaviour.expires_in;
        let mut claims = json!({
            "iss": self.url, "aud": CLIENT, "sub": "ann", "groups": ["shop"], "exp": expires, "iat": expires - 3600,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        replace(&mut claims, &behaviour.claims);
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(json!({"alg": "ES256", "kid": "k"})), encode(claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        let id_token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        let mut record = self.record.lock().unwrap();
        record.refresh_token = (!behaviour.no_refresh).then(random);
        let secrets = [Some(id_token.clone()), record.refresh_token.clone()];
        record.secrets.extend(secrets.into_iter().flatten());
        Json(json!({
            "access_token": random(), "token_type": "Bearer", "expires_in": 300, "id_token": id_token,
            "refresh_token": record.refresh_token,
        }))
        .into_response()
    }
}
