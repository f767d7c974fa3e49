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
        ("application/json; charset=latin1", valid, (415, "unsupported-media-type")),
        ("application/json; charset=utf-8", valid, (202, "")),
        ("Application/JSON", valid, (202, "")),
        ("application/json; charset=\"UTF-8\"", &format!("\u{feff}{valid}"), (202, "")),
        ("application/json", "\u{feff}", (400, "malformed")),
    ] {
        let answer = server.ask("POST", "/stores").body(content_type, body.to_owned()).send().await;
        let (status, code) = answer.verdict();
        assert_eq!((status, code.as_str()), expected, "{content_type}: {body:.60}");
    }
    let large = json!({"name": "x".repeat(3 << 20), "engine": "medusa"});
    assert_eq!(create(&server, large).await.verdict(), (413, "payload-too-large".to_owned()));
    assert_eq!(server.urumi.list().await.unwrap().len(), 3, "only what is acceptable is made");
}

#[tokio::test(start_paused = true)]
async fn every_wrong_field_is_named() {
    let server = TestServer::new(InMemoryCluster::default());
    for (body, fields) in [
        (json!([]), &["body"][..]),
        (json!(["Shop", "medusa", "shop", {}, null]), &["body"]),
        (json!("Shop"), &["body"]),
        (json!({}), &["engine", "name"]),
        (json!({"name": "", "engine": "x", "id": "A B", "foo": 1}), &["engine", "foo", "id", "name"]),
        (
            json!({"id": 7, "owner": [], "labels": {"a": 1, "b c": "d"}, "options": {"api": {"replicas": "x"}}, "foo": 1}),
            &["engine", "foo", "id", "labels.a", "labels.b c", "name", "owner"],
        ),
        (
            json!({"name": ["Shop"], "engine": "medusa", "owner": "ann", "options": {"api": {"replicas": "x"}, "apy": {}}}),
            &["name", "options.api.replicas", "options.apy", "owner"],
        ),
        (json!({"engine": "medusa", "labels": []}), &["labels", "name"]),
        (
            json!({"name": "Shop", "engine": "medusa", "options": {"api": [], "database": {"storage": ["6Gi"]},
                "storefront": {"footerLinks": [["Imprint", "/imprint"]]}}}),
            &[
                "options.api",
                "options.database.storage",
                "options.storefront.footerLinks[0]",
                "options.storefront.footerLinks[0].label",
            ],
        ),
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
        for uri in ["/stores", "/stores/preview"] {
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
async fn a_preview_shows_and_makes_nothing() {
    let server = TestServer::new(InMemoryCluster::default());
    let body = json!({"name": "Shop", "engine": "medusa", "id": "shop"});
    let before = server.cluster.dump();
    let answer = server.ask("POST", "/stores/preview").json(body.clone()).send().await;
    assert_eq!(answer.status, 200);
    let preview = answer.json();
    assert_eq!((&preview["id"], &preview["objects"][0]["kind"]), (&json!("shop"), &json!("Namespace")));
    assert!(!answer.headers.contains_key("location"));
    assert_eq!(server.cluster.dump(), before);
    // A parameter that does not exist must make nothing.
    for uri in ["/stores?dryRun=1", "/stores?dryRun=false", "/stores/preview?dryRun=true&x=1", "/stores?x=&dryRun="] {
        let answer = server.ask("POST", uri).json(body.clone()).send().await;
        assert_eq!(answer.verdict(), (400, "malformed".to_owned()), "{uri}");
        assert!(answer.fields().contains(&"dryRun".to_owned()), "{uri}");
    }
    assert_eq!(server.cluster.dump(), before);
    assert_eq!(server.ask("POST", "/stores").json(body.clone()).send().await.status, 202);
    let taken = server.ask("POST", "/stores/preview").json(body).send().await;
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
    let preview = send("/stores/preview", &body).send().await;
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
    for path in ["/stores/preview", "/stores"] {
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

/// The path of previews is that of a store with this id, too.
#[tokio::test(start_paused = true)]
async fn a_store_may_have_the_id_preview() {
    let server = TestServer::new(InMemoryCluster::default());
    let body = json!({"name": "Shop", "engine": "medusa", "id": "preview"});
    let created = create(&server, body).await;
    assert_eq!((created.status.as_u16(), created.header("location")), (202, Some("/stores/preview")));
    let shown = server.ask("GET", "/stores/preview").send().await;
    assert_eq!((shown.status.as_u16(), shown.json()), (200, created.json()));
    for path in ["/stores/preview/events", "/stores/preview/options"] {
        assert_eq!(server.ask("GET", path).send().await.status, 200, "{path}");
    }
    let hidden = server.ask("GET", "/stores/preview").as_("bob").send().await;
    assert_eq!(hidden.verdict(), (404, "not-found".to_owned()));
    assert_eq!(server.ask("DELETE", "/stores/preview").send().await.status, 202);
}

/// JSON as its schema means it: null where a field may be left out, and integers however they are written.
#[tokio::test(start_paused = true)]
async fn null_is_as_left_out_and_a_whole_number_is_an_integer() {
    let server = TestServer::new(InMemoryCluster::default());
    let nulls = r#"{"name": "Shop", "engine": "medusa", "id": null, "owner": null, "options": null, "labels": null}"#;
    let plain = r#"{"name": "Shop", "engine": "medusa", "options": {"api": {"replicas": 2}}}"#;
    for body in [nulls, plain, &plain.replace("2}", "2.0}"), &plain.replace("2}", "2e0}")] {
        let answer = server.ask("POST", "/stores/preview").body("application/json", body.to_owned()).send().await;
        assert_eq!(answer.verdict(), (200, String::new()), "{body}");
        let replicas = if body == nulls { 1 } else { 2 };
        assert_eq!(answer.json()["options"]["api"]["replicas"], json!(replicas), "{body}");
    }
    let fraction = plain.replace("2}", "2.5}");
    let answer = server.ask("POST", "/stores/preview").body("application/json", fraction).send().await;
    assert_eq!(answer.fields(), ["options.api.replicas"]);
    // Two requests that differ only in how they write a number are the same one.
    let keyed =
        |body: String| server.ask("POST", "/stores").header("idempotency-key", "k").body("application/json", body);
    let first = keyed(plain.to_owned()).send().await;
    let again = keyed(plain.replace("2}", "2.0}")).send().await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (202, Some("true")));
    assert_eq!(again.json()["id"], first.json()["id"]);
    let twice = r#"{"name": "Shop", "engine": "medusa", "name": "Other", "options": {"a": 1, "a": 2}}"#;
    let answer = server.ask("POST", "/stores").body("application/json", twice.to_owned()).send().await;
    assert_eq!((answer.verdict().0, answer.fields()), (422, ["name", "options.a"].map(str::to_owned).to_vec()));
}

/// No text of a library reaches the caller.
#[tokio::test(start_paused = true)]
async fn mistakes_are_told_in_plain_words() {
    let server = TestServer::new(InMemoryCluster::default());
    let options = json!({"api": {"replicas": "two", "image": 1, "env": []}, "apy": {}, "database": {"mode": "cloud"},
        "storefront": {"locale": "fr", "footerLinks": [{}]}, "networkPolicy": {"enabled": "no"}});
    for (content, expected) in [
        (json!([]), "must be a JSON object, not a list"),
        (json!({"name": "Shop", "engine": "medusa", "id": 7}), "id: must be a string, not a number"),
        (json!({"name": "Shop"}), "engine: is required"),
        (json!({"nam": "Shop"}), "nam: there is no such field; there are name, engine, id, options, owner, labels"),
        (json!({"name": "Shop", "engine": "medusa", "options": options}), "locale: must be en or de, not \"fr\""),
    ] {
        let answer = server.ask("POST", "/stores/preview").json(content).send().await;
        let text = answer.text();
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(expected), "{detail}");
        for library in [
            "unknown variant",
            "unknown field",
            "invalid type",
            "invalid value",
            "invalid length",
            "missing",
            "expected",
            "struct",
            "serde",
        ] {
            assert!(!text.contains(library), "{library}: {text}");
        }
    }
    for broken in ["{", "[1,", "nul", "{\"name\": \"\u{1}\"}", ""] {
        let answer = server.ask("POST", "/stores").body("application/json", broken).send().await;
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        let begins = detail.starts_with("the body is not valid JSON: ");
        assert!(begins && detail.contains("line 1, column") && !detail.contains("EOF"), "{detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_compressed_body_is_refused_with_what_is_accepted() {
    let server = TestServer::new(InMemoryCluster::default());
    let body = json!({"name": "Shop", "engine": "medusa"});
    for encoding in ["gzip", "br, identity", "GZIP"] {
        let answer = server.ask("POST", "/stores").header("content-encoding", encoding).json(body.clone()).send().await;
        assert_eq!(answer.verdict(), (415, "unsupported-encoding".to_owned()), "{encoding}");
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
    }
    // The media type is another matter.
    let text = server.ask("POST", "/stores").body("text/plain", "{}").send().await;
    assert_eq!((text.verdict().1.as_str(), text.header("accept-encoding")), ("unsupported-media-type", None));
    let plain = server.ask("POST", "/stores").header("content-encoding", "identity").json(body).send().await;
    assert_eq!(plain.status, 202);
}

/// A request whose fields are wrong is checked whole without a question to the cluster.
#[tokio::test(start_paused = true)]
async fn a_wrong_request_costs_the_cluster_nothing() {
    let server = TestServer::new(InMemoryCluster::default());
    server.store("first", None).await;
    let before = server.cluster.request_count();
    for wrong in [
        json!({"name": "Shop", "engine": "medusa", "id": "shop", "owner": "ann"}),
        json!({"name": "Shop", "engine": "medusa", "id": "shop", "foo": 1}),
        json!({"engine": "medusa", "id": "shop"}),
    ] {
        for path in ["/stores", "/stores/preview"] {
            assert_eq!(server.ask("POST", path).json(wrong.clone()).send().await.verdict().0, 422, "{wrong}");
        }
    }
    assert_eq!(server.cluster.request_count(), before);
}

/// Labels are kept, shown, and select stores.
#[tokio::test(start_paused = true)]
async fn labels_are_kept_and_select_stores() {
    let server = TestServer::new(InMemoryCluster::default());
    for (id, labels) in [("a", json!({"team": "web", "env": "prod"})), ("b", json!({"team": "web"})), ("c", json!({}))]
    {
        let body = json!({"name": "Shop", "engine": "medusa", "id": id, "labels": labels});
        let created = create(&server, body).await;
        assert_eq!(created.status, 202, "{created:?}");
        assert_eq!(created.json().get("labels").cloned().unwrap_or_else(|| json!({})), labels);
    }
    for (selector, expected) in [
        ("team=web", &["a", "b"][..]),
        ("team=web,env!=prod", &["b"]),
        ("!team", &["c"]),
        ("env%20in%20(prod,dev)", &["a"]),
    ] {
        let listed = server.ask("GET", &format!("/stores?labelSelector={selector}")).send().await.ids();
        assert_eq!(listed, expected, "{selector}");
    }
    let wrong = server.ask("GET", "/stores?labelSelector=team%3D%3D%3D&limit=0").send().await;
    assert_eq!((wrong.verdict().0, wrong.fields()), (400, ["limit", "labelSelector"].map(str::to_owned).to_vec()));
    let reserved = create(&server, json!({"name": "Shop", "engine": "medusa", "labels": {"k8s.io/a": "b"}})).await;
    assert_eq!((reserved.verdict().0, reserved.fields()), (422, vec!["labels.k8s.io/a".to_owned()]));
}
