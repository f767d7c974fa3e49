use super::*;
use crate::secret::SecretString;

#[tokio::test]
async fn a_token_is_reviewed() {
    let user = json!({ "username": "system:serviceaccount:a:b", "uid": "1", "groups": ["system:serviceaccounts"] });
    let valid = json!({ "spec": { "token": "hunter2" }, "status":
        { "authenticated": true, "user": user, "audiences": ["urumi"] } });
    let invalid = json!({ "status": { "user": {}, "error": "[invalid bearer token, token lookup failed: hunter2]" } });
    let (cluster, server) = Server::play(vec![Answer::Json(201, valid), Answer::Json(201, invalid)]);
    let token = SecretString::new("hunter2");
    let review = cluster.review_token(&token, &["urumi".into()]).await.unwrap();
    assert_eq!(review.username, "system:serviceaccount:a:b");
    assert_eq!((review.groups, review.audiences), (vec!["system:serviceaccounts".into()], vec!["urumi".to_owned()]));
    assert_eq!(cluster.review_token(&token, &[]).await.unwrap(), TokenReview::default());
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("POST", "/apis/authentication.k8s.io/v1/tokenreviews"));
    assert_eq!(asked.body["spec"], json!({ "token": "hunter2", "audiences": ["urumi"] }));
}

#[tokio::test]
async fn a_token_is_in_no_message() {
    let (cluster, _) = Server::play(vec![
        status(422, "Invalid", "spec.token: Invalid value: \"hunter2\""),
        Answer::Json(201, json!({ "status": { "authenticated": true } })),
    ]);
    let token = SecretString::new("hunter2");
    for message in [
        "cannot review a token: spec.token: Invalid value: \"[redacted]\"",
        "cannot review a token: the API server's answer cannot be understood: it has no status.user.username",
    ] {
        assert_eq!(cluster.review_token(&token, &[]).await.unwrap_err().to_string(), message);
    }
}
