use serde_json::{Value, json};
use urumi_core::StoreOrchestrator;
use urumi_core::cluster::InMemoryCluster;

use crate::test_server::{Answer, TestServer};

async fn create(server: &TestServer, body: Value) -> Answer {
    server.ask("POST", "/stores").json(body).send().await
}

#[tokio::test(start_paused = true)]
async fn a_creation_is_accepted_with_where_to_look() {
    let server = TestServer::new(InMemoryCluster::default());
    let answer = create(&server, json!({"name": "Shop", "engine": "medusa", "id": "shop-1"})).await;
    assert_eq!(answer.verdict(), (202, String::new()));
    let store = answer.json();
    assert_eq!(answer.header("location"), Some("/stores/shop-1"));
    assert_eq!(answer.header("etag").unwrap(), format!("\"{}\"", store["resourceVersion"].as_str().unwrap()));
    assert_eq!(answer.header("idempotency-replayed"), None);
    assert_eq!((&store["status"], &store["owner"]), (&json!("provisioning"), &json!("user:root")));
    assert_eq!(store["urls"]["storefront"], "http://store-shop-1.localtest.me");
    let answer = server.ask("GET", answer.header("location").unwrap()).send().await;
    assert_eq!(answer.json(), store);

    let again = create(&server, json!({"name": "Shop", "engine": "medusa", "id": "shop-1"})).await;
    assert_eq!(again.verdict(), (409, "already-exists".to_owned()));
}

/// The owner of a store is its creator, a team of theirs, or, for an admin, anybody.
#[tokio::test(start_paused = true)]
async fn a_new_store_has_an_owner() {
    let server = TestServer::new(InMemoryCluster::default());
    for (caller, asked, owner) in [
        ("ann-operator", None, "user:ann"),
        ("ann-operator", Some("team:shop"), "team:shop"),
        ("root", Some("user:system:serviceaccount:shops:deployer"), "user:system:serviceaccount:shops:deployer"),
    ] {
        let mut body = json!({"name": "Shop", "engine": "medusa"});
        asked.into_iter().for_each(|asked| body["owner"] = json!(asked));
        let answer = server.ask("POST", "/stores").as_(caller).json(body).send().await;
        assert_eq!((answer.status.as_u16(), &answer.json()["owner"]), (202, &json!(owner)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_cannot_be_read_is_refused() {
    let server = TestServer::new(InMemoryCluster::default());
    let valid = r#"{"name": "Shop", "engine": "medusa"}"#;
    for (content_type, body, expected) in [
        ("application/json", "", (400, "malformed")),
        ("application/json", "{", (400, "malformed")),
        ("application/json", "{\"name\": \"Shop\",}", (400, "malformed")),
        ("application/json", &format!("{valid} {valid}"), (400, "malformed")),
        ("application/json", &format!("{{\"options\":{{\"a\":{}", "[".repeat(10_000)), (400, "malformed")),
        ("application/json", "{\"name\": \"\u{1}\"}", (400, "malformed")),
        ("text/plain", valid, (415, "unsupported-media-type")),
        ("application/x-www-form-urlencoded", "name=Shop&engine=medusa", (415, "unsupported-media-type")),
        ("application/jsonp", valid, (415, "unsupported-media-type")),
        ("", valid, (415, "unsupported-media-type")),
        ("application/json; charset=utf-8", valid, (202, "")),
        ("Application/JSON", valid, (202, "")),
    ] {
        let answer = server.ask("POST", "/stores").body(content_type, body.to_owned()).send().await;
        let (status, code) = answer.verdict();
        assert_eq!((status, code.as_str()), expected, "{content_type}: {body:.60}");
    }
    let large = json!({"name": "x".repeat(3 << 20), "engine": "medusa"});
    assert_eq!(create(&server, large).await.verdict(), (413, "payload-too-large".to_owned()));
    assert_eq!(server.urumi.list().await.unwrap().len(), 2, "only what is acceptable is made");
}

#[tokio::test(start_paused = true)]
async fn every_wrong_field_is_named() {
    let server = TestServer::new(InMemoryCluster::default());
    for (body, fields) in [
        (json!([]), &["body"][..]),
        (json!("Shop"), &["body"]),
        (json!({"engine": "medusa"}), &["name"]),
        (json!({"name": 7, "engine": "medusa"}), &["name"]),
        (json!({"name": "Shop", "engine": null}), &["engine"]),
        (json!({"name": "Shop", "engine": "medusa", "options": []}), &["options"]),
        (json!({"name": "Shop", "engine": "medusa", "nonsense": 1}), &["nonsense"]),
        (json!({"name": "Shop", "engine": "medusa", "idempotencyKey": "k"}), &["idempotencyKey"]),
        (json!({"name": "Shop", "engine": "magento"}), &["engine"]),
        (json!({"name": "", "engine": "medusa", "id": "Not An Id"}), &["id", "name"]),
        (json!({"name": "Shop", "engine": "medusa", "owner": "ann"}), &["owner"]),
        (json!({"name": "", "engine": "medusa", "owner": "ann"}), &["name", "owner"]),
        (json!({"name": "Shop", "engine": "medusa", "owner": ""}), &["owner"]),
        (json!({"name": "Shop", "engine": "medusa", "options": {"nonsense": 1}}), &["options.nonsense"]),
        (json!({"name": "Shop", "engine": "medusa", "options": {"api": {"replicas": "x"}}}), &["options.api.replicas"]),
    ] {
        for uri in ["/stores", "/stores?dryRun=true"] {
            let answer = server.ask("POST", uri).json(body.clone()).send().await;
            assert_eq!(answer.verdict(), (422, "invalid".to_owned()), "{body}");
            let mut named = answer.fields();
            named.sort();
            assert_eq!(named, fields, "{body}: {}", answer.json());
        }
    }
    assert_eq!(server.urumi.list().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_and_makes_nothing() {
    let server = TestServer::new(InMemoryCluster::default());
    let body = json!({"name": "Shop", "engine": "medusa", "id": "shop"});
    let before = server.cluster.dump();
    let answer = server.ask("POST", "/stores?dryRun=true").json(body.clone()).send().await;
    assert_eq!(answer.status, 200);
    let preview = answer.json();
    assert_eq!((&preview["id"], &preview["objects"][0]["kind"]), (&json!("shop"), &json!("Namespace")));
    assert!(!answer.headers.contains_key("location"));
    assert_eq!(server.cluster.dump(), before);
    // `false` is a creation; anything else is a mistake, which must make nothing.
    for uri in ["/stores?dryRun=1", "/stores?dryRun=", "/stores?dryrun=true", "/stores?dryRun=true&dryRun=true"] {
        let answer = server.ask("POST", uri).json(body.clone()).send().await;
        assert_eq!(answer.verdict(), (400, "malformed".to_owned()), "{uri}");
        assert!(answer.json()["detail"].as_str().unwrap().to_lowercase().contains("dryrun"), "{uri}");
    }
    assert_eq!(server.cluster.dump(), before);
    assert_eq!(server.ask("POST", "/stores?dryRun=false").json(body.clone()).send().await.status, 202);
    let taken = server.ask("POST", "/stores?dryRun=true").json(body).send().await;
    assert_eq!(taken.verdict(), (409, "already-exists".to_owned()));
}

/// Warnings are in the header that Kubernetes uses; a preview also has them by field. They never have the value.
#[tokio::test(start_paused = true)]
async fn a_secret_among_plain_variables_is_warned_of() {
    let server = TestServer::new(InMemoryCluster::default());
    let body = json!({"name": "Shop", "engine": "medusa", "options": {
        "api": {"env": {"STRIPE_API_KEY": "canary", "MODE": "canary"}},
        "storefront": {"env": {"CMS_TOKEN": "canary", "STRIPE_PUBLISHABLE_KEY": "canary"}},
    }});
    let expected = [
        "299 - \"options.api.env.STRIPE_API_KEY looks like a secret, and values of api.env are shown to everybody who \
         can read the store; put it into api.secretEnv\"",
        "299 - \"options.storefront.env.CMS_TOKEN looks like a secret, and values of storefront.env are shown to \
         everybody who can read the store; the storefront has no secret variables: use it in the API only, with \
         api.secretEnv\"",
    ];
    let send =
        |path: &'static str, body: &Value| server.ask("POST", path).header("idempotency-key", "k").json(body.clone());
    let preview = send("/stores?dryRun=true", &body).send().await;
    assert_eq!((preview.status.as_u16(), warnings(&preview)), (200, expected.map(str::to_owned).to_vec()));
    let fields = ["options.api.env.STRIPE_API_KEY", "options.storefront.env.CMS_TOKEN"];
    let found = preview.json()["warnings"].clone();
    assert_eq!([&found[0]["field"], &found[1]["field"]], fields);
    assert!(!found.to_string().contains("canary"), "{found}");
    for repetition in [None, Some("true")] {
        let created = send("/stores", &body).send().await;
        assert_eq!((created.status.as_u16(), warnings(&created)), (202, expected.map(str::to_owned).to_vec()));
        assert_eq!(created.header("idempotency-replayed"), repetition);
    }

    let plain = json!({"name": "Shop", "engine": "medusa", "options": {"api": {"secretEnv": {"STRIPE_API_KEY": "s"}}}});
    for path in ["/stores?dryRun=true", "/stores"] {
        let answer = server.ask("POST", path).json(plain.clone()).send().await;
        assert!(answer.status.is_success() && warnings(&answer).is_empty(), "{path}");
        assert_eq!(answer.json().get("warnings"), None, "{path}");
    }

    let env: serde_json::Map<String, Value> = (0..20).map(|i| (format!("A{i}_KEY"), json!("canary"))).collect();
    let many = json!({"name": "Shop", "engine": "medusa", "options": {"api": {"env": env}}});
    let said = warnings(&create(&server, many).await);
    assert_eq!((said.len(), said.last().map(String::as_str)), (9, Some("299 - \"more warnings: 12\"")));
    assert!(!format!("{said:?}").contains("canary"), "{said:?}");
}

fn warnings(answer: &Answer) -> Vec<String> {
    answer.headers.get_all("warning").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}
