//! Requests through the middleware.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Json, Router};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use urumi_core::secret::SecretString;
use urumi_http::auth::authenticate;
use urumi_http::auth::{AuthError, Authentication, Authenticator, Caller, ClientKey, Principal, Role};

/// Knows `ann`; takes what begins with `mine` for its own.
struct Ann;

#[async_trait]
impl Authenticator for Ann {
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError> {
        match token.reveal() {
            "ann" => Ok(Some(Principal::new("ann", Role::Operator).teams(["shop"]))),
            "mine-expired" => Err(AuthError::Invalid("it has expired".into())),
            "mine-roleless" => Err(AuthError::NoRole { subject: "eve".into() }),
            "mine-unknown" => Err(AuthError::Unavailable("the issuer gave no answer".into())),
            _ => Ok(None),
        }
    }
}

fn app(authentication: Authentication) -> Router {
    let who = async |Caller(who): Caller, Extension(ClientKey(key)): Extension<ClientKey>, headers: http::HeaderMap| {
        Json(json!({"who": who, "key": key, "header": headers.contains_key("authorization")}))
    };
    Router::new()
        .route("/who", get(who))
        .layer(axum::middleware::from_fn_with_state(authentication, authenticate))
        .route("/forgotten", get(async |Caller(_): Caller| "open to everybody"))
}

fn request(path: &str, authorization: &[&str]) -> Request<Body> {
    let mut request = Request::get(path);
    for value in authorization {
        request = request.header("authorization", *value);
    }
    request.body(Body::empty()).unwrap()
}

async fn ask(app: Router, request: Request<Body>) -> (StatusCode, String, Value) {
    let response: Response<Body> = app.oneshot(request).await.unwrap();
    let status = response.status();
    let challenge = response.headers().get("www-authenticate").map(|v| v.to_str().unwrap().to_owned());
    if status.is_success() {
        assert!(response.extensions().get::<Principal>().is_some(), "layers outside know who asked");
    }
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, challenge.unwrap_or_default(), serde_json::from_slice(&body).unwrap_or_default())
}

fn chain() -> Authentication {
    Authentication::chain(vec![Arc::new(Ann)])
}

#[tokio::test]
async fn a_valid_token_makes_a_principal() {
    let (status, challenge, body) = ask(app(chain()), request("/who", &["Bearer ann"])).await;
    assert_eq!((status, challenge.as_str()), (StatusCode::OK, ""));
    let who = json!({"subject": "ann", "teams": ["shop"], "role": "operator", "how": "embedded"});
    assert_eq!(body, json!({"who": who, "key": "embedded:ann", "header": false}));
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let none = "Bearer realm=\"urumi\"";
    let invalid = "Bearer realm=\"urumi\", error=\"invalid_token\"";
    let twice = "Bearer realm=\"urumi\", error=\"invalid_request\"";
    for (headers, status, code, challenge) in [
        (&[][..], 401, "unauthenticated", none),
        (&["Basic YTpi"], 401, "unauthenticated", none),
        (&["Bearer other"], 401, "unauthenticated", invalid),
        (&["Bearer mine-expired"], 401, "unauthenticated", invalid),
        (&["Bearer a b"], 401, "unauthenticated", invalid),
        (&["Bearer ann", "Bearer ann"], 401, "unauthenticated", twice),
        (&["Bearer mine-roleless"], 403, "forbidden", ""),
        (&["Bearer mine-unknown"], 503, "auth-unavailable", ""),
    ] {
        let (got, header, body) = ask(app(chain()), request("/who", headers)).await;
        assert_eq!((got.as_u16(), header.as_str()), (status, challenge), "{headers:?}");
        assert_eq!(body["code"], code, "{headers:?}: {body}");
    }
}

#[tokio::test]
async fn a_token_in_the_query_is_none() {
    let (status, ..) = ask(app(chain()), request("/who?access_token=ann", &[])).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_sources_nobody_is_let_in_and_open_lets_in_everybody() {
    let (status, ..) = ask(app(Authentication::chain(Vec::new())), request("/who", &["Bearer ann"])).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for headers in [&[][..], &["Bearer whatever"], &["nonsense"]] {
        let (status, _, body) = ask(app(Authentication::Open), request("/who", headers)).await;
        assert_eq!((status, &body["who"]["role"]), (StatusCode::OK, &json!("admin")));
        assert_eq!(body["key"], "local:local");
    }
}

#[tokio::test]
async fn an_embedding_services_principal_is_used_as_it_is() {
    let bob = Principal::new("bob", Role::Viewer);
    for headers in [&[][..], &["Bearer ann"], &["Bearer mine-expired"]] {
        let mut request = request("/who", headers);
        request.extensions_mut().insert(bob.clone());
        let (status, _, body) = ask(app(chain()), request).await;
        assert_eq!((status, &body["who"]["subject"]), (StatusCode::OK, &json!("bob")));
    }
}

#[tokio::test]
async fn a_route_outside_of_the_middleware_is_closed() {
    let (status, _, body) = ask(app(Authentication::Open), request("/forgotten", &[])).await;
    assert_eq!((status, &body["code"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("internal")));
}
