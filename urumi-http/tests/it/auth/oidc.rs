//! Tokens of an issuer that is a real HTTP server, here.

mod issuer;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use urumi_core::secret::SecretString;
use urumi_http::auth::oidc::OidcError;
use urumi_http::auth::{AuthError, Authenticator, Bindings, Method, Oidc, OidcOptions, Principal, Role};

pub(crate) use self::issuer::{Issuer, Signer};

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Options that never fetch twice by themselves within a test.
pub(crate) fn options(issuer: &Issuer) -> OidcOptions {
    let mut options = OidcOptions::new(issuer.url(), "urumi")
        .bindings(Bindings::new(["operator=team:shop".parse().unwrap(), "admin=subject:root".parse().unwrap()]));
    options.gap = Duration::from_secs(3600);
    options
}

pub(crate) fn claims(issuer: &Issuer) -> Value {
    json!({"iss": issuer.url(), "aud": "urumi", "sub": "ann", "groups": ["shop"], "exp": now() + 600})
}

async fn ask(oidc: &Oidc, token: &str) -> Result<Option<Principal>, AuthError> {
    oidc.authenticate(&SecretString::new(token)).await
}

fn refused(answer: &Result<Option<Principal>, AuthError>, why: &str) {
    match answer {
        Err(AuthError::Invalid(text)) => assert!(text.contains(why), "{text} is not {why}"),
        other => panic!("{other:?} is not: {why}"),
    }
}

#[tokio::test]
async fn every_accepted_algorithm_verifies() {
    let signers = Signer::all();
    let issuer = Issuer::start(&signers).await;
    let oidc = Oidc::new(options(&issuer)).unwrap();
    for signer in &signers {
        for alg in signer.algorithms() {
            let token = signer.sign(alg, &claims(&issuer));
            let principal = ask(&oidc, &token).await.unwrap_or_else(|e| panic!("{alg}: {e}")).unwrap();
            assert_eq!(
                (principal.subject.as_str(), principal.role, principal.how),
                ("ann", Role::Operator, Method::Oidc)
            );
            assert_eq!(principal.teams, ["shop"]);

            // The same signature beneath other claims.
            let (message, signature) = token.rsplit_once('.').unwrap();
            let (header, _) = message.split_once('.').unwrap();
            let mut forged = claims(&issuer);
            forged["sub"] = json!("root");
            let forged = format!("{header}.{}.{signature}", issuer::encode(&forged));
            refused(&ask(&oidc, &forged).await, "signature is wrong");
            refused(&ask(&oidc, &format!("{message}.")).await, "signature is wrong");
        }
    }
    assert_eq!(issuer.fetches(), 1, "the keys are fetched once for all");
}

#[tokio::test]
async fn a_public_key_is_no_secret_and_none_is_no_signature() {
    let signer = Signer::rsa("r");
    let issuer = Issuer::start(std::slice::from_ref(&signer)).await;
    let oidc = Oidc::new(options(&issuer)).unwrap();
    let claims = claims(&issuer);
    for key in signer.public_forms() {
        let token = issuer::hmac(&key, "r", &claims);
        refused(&ask(&oidc, &token).await, "algorithm is not accepted");
    }
    for alg in ["none", "None", "NONE", ""] {
        let header = json!({"alg": alg, "kid": "r"});
        let token = format!("{}.{}.", issuer::encode(&header), issuer::encode(&claims));
        refused(&ask(&oidc, &token).await, "algorithm is not accepted");
    }
    // A key of one kind named for the algorithm of another.
    let token = Signer::p256("r").sign("ES256", &claims);
    refused(&ask(&oidc, &token).await, "key that its issuer does not publish");
    // A key of one's own in the header.
    let eve = Signer::p256("eve");
    let token = eve.sign_with_header(&json!({"alg": "ES256", "kid": "eve", "jwk": eve.jwk()}), &claims);
    refused(&ask(&oidc, &token).await, "key that its issuer does not publish");
}

#[tokio::test]
async fn what_a_token_says_must_be_right() {
    let signer = Signer::p256("a");
    let issuer = Issuer::start(std::slice::from_ref(&signer)).await;
    let oidc = Oidc::new(options(&issuer)).unwrap();
    let with = |name: &str, value: Value| {
        let mut claims = claims(&issuer);
        claims[name] = value;
        signer.sign("ES256", &claims)
    };
    refused(&ask(&oidc, &with("aud", json!("other"))).await, "another audience");
    refused(&ask(&oidc, &with("exp", json!(now() - 61))).await, "expired");
    assert!(ask(&oidc, &with("exp", json!(now() - 30))).await.unwrap().is_some(), "clocks may differ a little");
    refused(&ask(&oidc, &with("nbf", json!(now() + 120))).await, "not valid yet");
    assert!(ask(&oidc, &with("nbf", json!(now() + 30))).await.unwrap().is_some());
    assert_eq!(ask(&oidc, &with("iss", json!("https://other"))).await, Ok(None), "that is another's to judge");
    assert_eq!(ask(&oidc, "urumi_abc").await, Ok(None));
    let roleless = ask(&oidc, &with("groups", json!([]))).await;
    assert_eq!(roleless, Err(AuthError::NoRole { subject: "ann".into() }));
    assert_eq!(ask(&oidc, &with("sub", json!("root"))).await.unwrap().unwrap().role, Role::Admin);
}

#[tokio::test]
async fn a_rotated_key_is_fetched_when_it_is_needed() {
    let (old, new) = (Signer::p256("old"), Signer::ed25519("new"));
    let issuer = Issuer::start(std::slice::from_ref(&old)).await;
    let mut options = options(&issuer);
    options.gap = Duration::ZERO;
    let oidc = Oidc::new(options).unwrap();
    let token = old.sign("ES256", &claims(&issuer));
    assert!(ask(&oidc, &token).await.unwrap().is_some());

    issuer.publish(&[old.clone(), new.clone()]);
    assert!(ask(&oidc, &new.sign("EdDSA", &claims(&issuer))).await.unwrap().is_some());
    assert_eq!(issuer.fetches(), 2);

    issuer.publish(std::slice::from_ref(&new));
    let mut other = claims(&issuer);
    other["jti"] = json!("another token of the old key");
    assert!(ask(&oidc, &old.sign("ES256", &other)).await.is_ok(), "what is known counts until the next fetch");
    refused(&ask(&oidc, &Signer::p256("third").sign("ES256", &other)).await, "does not publish");
    other["jti"] = json!("a third");
    refused(&ask(&oidc, &old.sign("ES256", &other)).await, "does not publish");
}

#[tokio::test]
async fn a_storm_of_unknown_keys_is_one_fetch() {
    let signer = Signer::p256("a");
    let issuer = Issuer::start(std::slice::from_ref(&signer)).await;
    let oidc = Oidc::new(options(&issuer)).unwrap();
    let storm = (0..200).map(|n| Signer::p256(&format!("unknown-{n}")).sign("ES256", &claims(&issuer)));
    let storm: Vec<String> = storm.collect();
    for answer in join_all(storm.iter().map(|token| ask(&oidc, token))).await {
        refused(&answer, "does not publish");
    }
    assert!(ask(&oidc, &signer.sign("ES256", &claims(&issuer))).await.unwrap().is_some(), "others are served");
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn an_issuer_that_gives_no_answer_is_no_verdict() {
    let signer = Signer::p256("a");
    let issuer = Issuer::start(std::slice::from_ref(&signer)).await;
    issuer.fail(true);
    let mut options = options(&issuer);
    options.gap = Duration::ZERO;
    let oidc = Oidc::new(options).unwrap();
    let token = signer.sign("ES256", &claims(&issuer));
    assert!(matches!(ask(&oidc, &token).await, Err(AuthError::Unavailable(_))));
    issuer.fail(false);
    assert!(ask(&oidc, &token).await.unwrap().is_some(), "once it is there, all is well");

    // Later it is gone: its keys count for a while, and then no longer.
    issuer.fail(true);
    let other = |n: i64| {
        let mut claims = claims(&issuer);
        claims["exp"] = json!(now() + 86_400 + n);
        signer.sign("ES256", &claims)
    };
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6 * 3600 - 60)).await;
    tokio::time::resume();
    assert!(ask(&oidc, &other(1)).await.unwrap().is_some());
    let unknown = Signer::p256("b").sign("ES256", &claims(&issuer));
    assert!(matches!(ask(&oidc, &unknown).await, Err(AuthError::Unavailable(_))), "nobody can tell");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(120)).await;
    tokio::time::resume();
    assert!(matches!(ask(&oidc, &other(2)).await, Err(AuthError::Unavailable(_))));
}

#[tokio::test]
async fn keys_are_fetched_in_the_background() {
    let (old, new) = (Signer::p256("old"), Signer::p256("new"));
    let issuer = Issuer::start(std::slice::from_ref(&old)).await;
    let mut options = options(&issuer);
    options.refresh = Duration::from_millis(20);
    let oidc = Arc::new(Oidc::new(options).unwrap());
    let stop = CancellationToken::new();
    let task = tokio::spawn({
        let (oidc, stop) = (oidc.clone(), stop.clone());
        async move { oidc.run(stop).await }
    });
    issuer.publish(std::slice::from_ref(&new));
    issuer.until_fetches(issuer.fetches() + 3).await;
    assert!(ask(&oidc, &new.sign("ES256", &claims(&issuer))).await.unwrap().is_some());
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_configuration_that_cannot_be_trusted_is_not() {
    let signer = Signer::p256("a");
    for wrong in [
        json!({"issuer": "https://other.example.com"}),
        json!({"jwks_uri": "http://keys.example.com/keys"}),
        json!({"jwks_uri": "file:///etc/passwd"}),
        json!({"jwks_uri": null}),
    ] {
        let issuer = Issuer::start(std::slice::from_ref(&signer)).await;
        issuer.configure(&wrong);
        let oidc = Oidc::new(options(&issuer)).unwrap();
        let answer = ask(&oidc, &signer.sign("ES256", &claims(&issuer))).await;
        assert!(matches!(answer, Err(AuthError::Unavailable(_))), "{wrong}: {answer:?}");
    }
    let mut none = options(&Issuer::start(&[]).await);
    none.audiences.clear();
    assert!(matches!(Oidc::new(none), Err(OidcError::NoAudience)));
}

#[tokio::test]
async fn over_https_only_a_trusted_certificate_counts() {
    let signer = Signer::p256("a");
    let (issuer, certificate) = Issuer::start_tls(std::slice::from_ref(&signer)).await;
    let token = signer.sign("ES256", &claims(&issuer));
    let answer = ask(&Oidc::new(options(&issuer)).unwrap(), &token).await;
    assert!(matches!(answer, Err(AuthError::Unavailable(_))), "{answer:?}");
    assert_eq!(issuer.fetches(), 0);

    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&issuer);
    options.ca = Some(folder.path().join("ca.pem"));
    std::fs::write(folder.path().join("ca.pem"), certificate).unwrap();
    assert!(ask(&Oidc::new(options).unwrap(), &token).await.unwrap().is_some());
}
