//! An issuer, and keys to sign with.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use rcgen::CertifiedKey;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair,
    RsaPublicKeyComponents,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A real HTTP server on loopback.
pub(crate) struct Issuer {
    url: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    configuration: Mutex<Value>,
    keys: Mutex<Value>,
    failing: Mutex<bool>,
    fetches: watch::Sender<usize>,
}

impl Issuer {
    pub(crate) async fn start(signers: &[Signer]) -> Issuer {
        Issuer::listen("http", signers, |tcp, router| async move { axum::serve(tcp, router).await.unwrap() }).await
    }

    /// With a certificate that nobody knows but those who are given it: the second is its PEM.
    pub(crate) async fn start_tls(signers: &[Signer]) -> (Issuer, String) {
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let serve = |tcp, router| async move { axum::serve(Tls { tcp, acceptor }, router).await.unwrap() };
        (Issuer::listen("https", signers, serve).await, cert.pem())
    }

    async fn listen<F>(scheme: &str, signers: &[Signer], serve: impl FnOnce(TcpListener, Router) -> F) -> Issuer
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}/realm", listener.local_addr().unwrap());
        let configuration = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let shared = Arc::new(Shared {
            configuration: Mutex::new(configuration),
            keys: Mutex::default(),
            failing: Mutex::new(false),
            fetches: watch::Sender::new(0),
        });
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(configured))
            .route("/realm/keys", get(published))
            .with_state(shared.clone());
        let task = tokio::spawn(serve(listener, router));
        let issuer = Issuer { url, shared, task };
        issuer.publish(signers);
        issuer
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Replaces the key set.
    pub(crate) fn publish(&self, signers: &[Signer]) {
        let mut keys: Vec<Value> = signers.iter().map(Signer::jwk).collect();
        // What real sets have too, and what must not disturb.
        keys.push(json!({"kty": "RSA", "use": "enc", "kid": "a", "n": "AQAB", "e": "AQAB"}));
        keys.push(json!({"kty": "EC", "crv": "secp256k1", "kid": "a"}));
        *self.shared.keys.lock().unwrap() = json!({"keys": keys});
    }

    /// Changes what its configuration says.
    pub(crate) fn configure(&self, change: &Value) {
        let mut configuration = self.shared.configuration.lock().unwrap();
        for (name, value) in change.as_object().unwrap() {
            configuration[name] = value.clone();
        }
    }

    /// Has it answer 503 to everything, or no longer.
    pub(crate) fn fail(&self, failing: bool) {
        *self.shared.failing.lock().unwrap() = failing;
    }

    /// How often its keys were fetched.
    pub(crate) fn fetches(&self) -> usize {
        *self.shared.fetches.borrow()
    }

    pub(crate) async fn until_fetches(&self, count: usize) {
        let mut fetches = self.shared.fetches.subscribe();
        let there = tokio::time::timeout(Duration::from_secs(30), fetches.wait_for(|now| *now >= count)).await;
        there.expect("more fetches").unwrap();
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            // Who does not trust the certificate goes away.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

async fn configured(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, StatusCode> {
    if *shared.failing.lock().unwrap() {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Json(shared.configuration.lock().unwrap().clone()))
}

async fn published(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.fetches.send_modify(|count| *count += 1);
    Json(shared.keys.lock().unwrap().clone())
}

pub(crate) fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token whose "signature" is an HMAC with a key that everybody knows.
pub(crate) fn hmac(key: &[u8], kid: &str, claims: &Value) -> String {
    let message = format!("{}.{}", encode(&json!({"alg": "HS256", "kid": kid})), encode(claims));
    let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// A key pair.
#[derive(Clone)]
pub(crate) struct Signer {
    kid: String,
    pair: Arc<Pair>,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    pub(crate) fn all() -> Vec<Signer> {
        vec![Signer::rsa("r"), Signer::p256("p"), Signer::p384("q"), Signer::ed25519("e")]
    }

    /// The key is one for these tests and nothing else: ring makes none of RSA.
    pub(crate) fn rsa(kid: &str) -> Signer {
        let pair = RsaKeyPair::from_pkcs8(include_bytes!("rsa-for-tests.pk8")).unwrap();
        Signer { kid: kid.into(), pair: Arc::new(Pair::Rsa(pair)) }
    }

    pub(crate) fn p256(kid: &str) -> Signer {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap();
        Signer { kid: kid.into(), pair: Arc::new(Pair::P256(pair)) }
    }

    pub(crate) fn p384(kid: &str) -> Signer {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, key.as_ref(), &random).unwrap();
        Signer { kid: kid.into(), pair: Arc::new(Pair::P384(pair)) }
    }

    pub(crate) fn ed25519(kid: &str) -> Signer {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap();
        Signer { kid: kid.into(), pair: Arc::new(Pair::Ed25519(pair)) }
    }

    pub(crate) fn algorithms(&self) -> Vec<&'static str> {
        match *self.pair {
            Pair::Rsa(_) => vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
            Pair::P256(_) => vec!["ES256"],
            Pair::P384(_) => vec!["ES384"],
            Pair::Ed25519(_) => vec!["EdDSA"],
        }
    }

    /// The public half, as issuers publish it.
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = |curve: &str, point: &[u8]| {
            let (x, y) = point[1..].split_at(point.len() / 2);
            json!({"kty": "EC", "crv": curve, "use": "sig", "kid": self.kid, "x": text(x), "y": text(y)})
        };
        match &*self.pair {
            Pair::Rsa(pair) => {
                let RsaPublicKeyComponents { n, e }: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                // With the zero in front that some issuers write.
                json!({"kty": "RSA", "kid": self.kid, "n": text(&[&[0], n.as_slice()].concat()), "e": text(&e)})
            }
            Pair::P256(pair) => point("P-256", pair.public_key().as_ref()),
            Pair::P384(pair) => point("P-384", pair.public_key().as_ref()),
            Pair::Ed25519(pair) => {
                let x = text(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": self.kid, "x": x})
            }
        }
    }

    /// Whatever somebody might take for the secret of an HMAC.
    pub(crate) fn public_forms(&self) -> Vec<Vec<u8>> {
        let jwk = self.jwk();
        let n = jwk["n"].as_str().unwrap_or_default().to_owned();
        let mut forms = vec![jwk.to_string().into_bytes(), URL_SAFE_NO_PAD.decode(&n).unwrap(), n.into_bytes(), vec![]];
        if let Pair::Rsa(pair) = &*self.pair {
            forms.push(pair.public_key().as_ref().to_vec());
        }
        forms
    }

    pub(crate) fn sign(&self, alg: &str, claims: &Value) -> String {
        self.sign_with_header(&json!({"alg": alg, "typ": "JWT", "kid": self.kid}), claims)
    }

    pub(crate) fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let (random, bytes) = (SystemRandom::new(), message.as_bytes());
        let signature = match &*self.pair {
            Pair::Rsa(pair) => {
                let padding: &'static dyn ring::signature::RsaEncoding = match header["alg"].as_str().unwrap() {
                    "RS256" => &RSA_PKCS1_SHA256,
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    other => panic!("{other} is not RSA's"),
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, bytes, &mut signature).unwrap();
                signature
            }
            Pair::P256(pair) | Pair::P384(pair) => pair.sign(&random, bytes).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(bytes).as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
