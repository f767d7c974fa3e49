//! Who is answered how: every route, every caller, every owner, written out.
//!
//! A foreign store is one that does not exist; a role that is too low is said to be so about one's own stores only.

use std::collections::BTreeSet;

use serde_json::json;
use urumi_core::cluster::InMemoryCluster;

use crate::test_server::{Ask, TestServer};

/// Whose the store is that the request is about: its caller's (or their team's), somebody else's, or nobody's.
const OWNERS: [(&str, Option<&str>); 4] =
    [("own", Some("user:ann")), ("team", Some("team:shop")), ("foreign", Some("user:bob")), ("nobody", None)];

/// The callers, in the order of the table's columns. Viewer and operator are the same person.
const CALLERS: [&str; 4] = ["", "ann-viewer", "ann-operator", "root"];

/// `{id}` is the store of the second column; a creation is for that owner, or for none in particular (`-`).
#[rustfmt::skip]
const TABLE: &[(&str, &str, [u16; 4])] = &[
    // request                        store       none viewer operator admin
    ("GET /healthz",                  "-",       [200, 200, 200, 200]),
    ("GET /readyz",                   "-",       [200, 200, 200, 200]),
    ("GET /version",                  "-",       [200, 200, 200, 200]),
    ("GET /authentication",           "-",       [200, 200, 200, 200]),
    ("GET /openapi.json",             "-",       [200, 200, 200, 200]),
    ("GET /openapi.yaml",             "-",       [200, 200, 200, 200]),
    ("GET /docs/",                    "-",       [200, 200, 200, 200]),

    ("GET /whoami",                   "-",       [401, 200, 200, 200]),
    ("GET /engines",                  "-",       [401, 200, 200, 200]),
    ("GET /engines/{name}",           "-",       [401, 200, 200, 200]),
    ("GET /stores",                   "-",       [401, 200, 200, 200]),
    ("GET /watch",                    "-",       [401, 200, 200, 200]),

    ("POST /stores",                  "-",       [401, 403, 202, 202]),
    ("POST /stores",                  "own",     [401, 403, 202, 202]),
    ("POST /stores",                  "team",    [401, 403, 202, 202]),
    ("POST /stores",                  "foreign", [401, 403, 403, 202]),
    ("POST /stores/preview",          "-",       [401, 403, 200, 200]),
    ("POST /stores/preview",          "own",     [401, 403, 200, 200]),
    ("POST /stores/preview",          "team",    [401, 403, 200, 200]),
    ("POST /stores/preview",          "foreign", [401, 403, 403, 200]),

    ("GET /stores/{id}",              "own",     [401, 200, 200, 200]),
    ("GET /stores/{id}",              "team",    [401, 200, 200, 200]),
    ("GET /stores/{id}",              "foreign", [401, 404, 404, 200]),
    ("GET /stores/{id}",              "nobody",  [401, 404, 404, 200]),

    ("GET /stores/{id}/events",       "own",     [401, 200, 200, 200]),
    ("GET /stores/{id}/events",       "team",    [401, 200, 200, 200]),
    ("GET /stores/{id}/events",       "foreign", [401, 404, 404, 200]),
    ("GET /stores/{id}/events",       "nobody",  [401, 404, 404, 200]),

    ("GET /stores/{id}/manifests",    "own",     [401, 200, 200, 200]),
    ("GET /stores/{id}/manifests",    "team",    [401, 200, 200, 200]),
    ("GET /stores/{id}/manifests",    "foreign", [401, 404, 404, 200]),
    ("GET /stores/{id}/manifests",    "nobody",  [401, 404, 404, 200]),

    ("GET /stores/{id}/options",      "own",     [401, 200, 200, 200]),
    ("GET /stores/{id}/options",      "team",    [401, 200, 200, 200]),
    ("GET /stores/{id}/options",      "foreign", [401, 404, 404, 200]),
    ("GET /stores/{id}/options",      "nobody",  [401, 404, 404, 200]),

    ("GET /stores/{id}/diff",         "own",     [401, 200, 200, 200]),
    ("GET /stores/{id}/diff",         "team",    [401, 200, 200, 200]),
    ("GET /stores/{id}/diff",         "foreign", [401, 404, 404, 200]),
    ("GET /stores/{id}/diff",         "nobody",  [401, 404, 404, 200]),

    ("GET /stores/{id}/logs",         "own",     [401, 403, 200, 200]),
    ("GET /stores/{id}/logs",         "team",    [401, 403, 200, 200]),
    ("GET /stores/{id}/logs",         "foreign", [401, 404, 404, 200]),
    ("GET /stores/{id}/logs",         "nobody",  [401, 404, 404, 200]),

    ("GET /stores/{id}/credentials",  "own",     [401, 403, 200, 200]),
    ("GET /stores/{id}/credentials",  "team",    [401, 403, 200, 200]),
    ("GET /stores/{id}/credentials",  "foreign", [401, 404, 404, 200]),
    ("GET /stores/{id}/credentials",  "nobody",  [401, 404, 404, 200]),

    // Allowed, but no monitor has called it ready.
    ("POST /stores/{id}/smoke",       "own",     [401, 403, 409, 409]),
    ("POST /stores/{id}/smoke",       "team",    [401, 403, 409, 409]),
    ("POST /stores/{id}/smoke",       "foreign", [401, 404, 404, 409]),
    ("POST /stores/{id}/smoke",       "nobody",  [401, 404, 404, 409]),

    ("POST /stores/{id}/retry",       "own",     [401, 403, 202, 202]),
    ("POST /stores/{id}/retry",       "team",    [401, 403, 202, 202]),
    ("POST /stores/{id}/retry",       "foreign", [401, 404, 404, 202]),
    ("POST /stores/{id}/retry",       "nobody",  [401, 404, 404, 202]),

    // As for a test order.
    ("POST /stores/{id}/restart",     "own",     [401, 403, 409, 409]),
    ("POST /stores/{id}/restart",     "team",    [401, 403, 409, 409]),
    ("POST /stores/{id}/restart",     "foreign", [401, 404, 404, 409]),
    ("POST /stores/{id}/restart",     "nobody",  [401, 404, 404, 409]),

    ("GET /stores/{id}/revisions",     "own",     [401, 200, 200, 200]),
    ("GET /stores/{id}/revisions",     "team",    [401, 200, 200, 200]),
    ("GET /stores/{id}/revisions",     "foreign", [401, 404, 404, 200]),
    ("GET /stores/{id}/revisions",     "nobody",  [401, 404, 404, 200]),

    ("PATCH /stores/{id}",             "own",     [401, 403, 202, 202]),
    ("PATCH /stores/{id}",             "team",    [401, 403, 202, 202]),
    ("PATCH /stores/{id}",             "foreign", [401, 404, 404, 202]),
    ("PATCH /stores/{id}",             "nobody",  [401, 404, 404, 202]),

    // Allowed, but there is no earlier revision.
    ("POST /stores/{id}/rollback",     "own",     [401, 403, 422, 422]),
    ("POST /stores/{id}/rollback",     "team",    [401, 403, 422, 422]),
    ("POST /stores/{id}/rollback",     "foreign", [401, 404, 404, 422]),
    ("POST /stores/{id}/rollback",     "nobody",  [401, 404, 404, 422]),

    ("DELETE /stores/{id}",           "own",     [401, 403, 202, 202]),
    ("DELETE /stores/{id}",           "team",    [401, 403, 202, 202]),
    ("DELETE /stores/{id}",           "foreign", [401, 404, 404, 202]),
    ("DELETE /stores/{id}",           "nobody",  [401, 404, 404, 202]),
];

fn ask(server: &TestServer, request: &str, id: &str, caller: &str, owner: Option<&str>) -> Ask {
    let (method, path) = request.split_once(' ').unwrap();
    let ask = server.ask(method, &path.replace("{id}", id).replace("{name}", "medusa"));
    let ask = if caller.is_empty() { ask.anonymously() } else { ask.as_(caller) };
    if method == "PATCH" {
        return ask.json(json!({"name": "Other"}));
    }
    if !request.starts_with("POST /stores") || path.contains("{id}") {
        return ask;
    }
    let mut body = json!({"name": "Shop", "engine": "medusa"});
    if let Some(owner) = owner {
        body["owner"] = json!(owner);
    }
    ask.json(body)
}

#[tokio::test(start_paused = true)]
async fn every_caller_is_answered_as_the_table_says() {
    let server = TestServer::new(InMemoryCluster::default());
    // Ready from here on.
    server.store("first", None).await;
    let mut wrong = Vec::new();
    for (row, (request, whose, expected)) in TABLE.iter().enumerate() {
        let owner = OWNERS.iter().find(|(name, _)| name == whose).map(|(_, owner)| *owner);
        assert!(owner.is_some() || *whose == "-", "{whose}");
        for (caller, status) in CALLERS.iter().zip(expected) {
            // A store of its own for each cell, since some requests change it.
            let id = format!("{row}-{}", if caller.is_empty() { "none" } else { caller });
            if request.contains("{id}") {
                server.store(&id, owner.unwrap()).await;
            }
            let (got, headers, _) = ask(&server, request, &id, caller, owner.flatten()).open().await;
            if got != *status {
                wrong.push(format!("{request} of {whose} by {caller:?}: {got}, not {status}"));
            }
            let challenged = headers.contains_key("www-authenticate");
            assert_eq!(challenged, got == 401, "{request}");
            if *status == 401 {
                let other = ask(&server, request, &id, "stranger", owner.flatten()).open().await.0;
                assert_eq!(other, 401, "{request} with a token that nobody knows");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_route_is_in_the_table() {
    let document = serde_json::to_value(urumi_http::document()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete", "options", "head", "patch", "trace"] {
            if item.get(method).is_some() {
                routes.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let without_query = |request: &str| request.split('?').next().unwrap().to_owned();
    let mut table: BTreeSet<String> = TABLE.iter().map(|(request, ..)| without_query(request)).collect();
    for undocumented in ["GET /openapi.json", "GET /openapi.yaml", "GET /docs/"] {
        assert!(table.remove(undocumented));
    }
    assert_eq!(table, routes);
    // Every route of a store is there for every owner.
    for route in routes.iter().filter(|route| route.contains("{id}")) {
        let owners: Vec<&str> = TABLE.iter().filter(|(request, ..)| request == route).map(|row| row.1).collect();
        assert_eq!(owners, ["own", "team", "foreign", "nobody"], "{route}");
    }
}

/// Not a letter tells a store that one may not see from one that there is not.
#[tokio::test(start_paused = true)]
async fn a_foreign_store_is_answered_as_a_missing_one() {
    let server = TestServer::new(InMemoryCluster::default());
    server.store("foreign", Some("user:bob")).await;
    for (request, ..) in TABLE.iter().filter(|(request, whose, _)| request.contains("{id}") && *whose == "foreign") {
        let foreign = ask(&server, request, "foreign", "ann-operator", None).send().await;
        let missing = ask(&server, request, "missing", "ann-operator", None).send().await;
        let text = |answer: &crate::test_server::Answer| String::from_utf8(answer.body.to_vec()).unwrap();
        assert_eq!(text(&foreign).replace("foreign", "missing"), text(&missing), "{request}");
        assert_eq!((foreign.status, foreign.headers.len()), (missing.status, missing.headers.len()), "{request}");
    }
}

#[tokio::test(start_paused = true)]
async fn lists_show_ones_own_stores_only() {
    let server = TestServer::new(InMemoryCluster::default());
    for (id, (_, owner)) in ["a-own", "b-team", "c-foreign", "d-nobody"].iter().zip(OWNERS) {
        server.store(id, owner).await;
    }
    for (caller, expected) in [
        ("ann-viewer", &["a-own", "b-team"][..]),
        ("ann-operator", &["a-own", "b-team"]),
        ("bob", &["c-foreign"]),
        ("root", &["a-own", "b-team", "c-foreign", "d-nobody"]),
    ] {
        let mut listed = server.ask("GET", "/stores").as_(caller).send().await.ids();
        listed.sort();
        assert_eq!(listed, expected, "{caller}");
        for uri in ["/watch", "/watch?id=c-foreign"] {
            let first = server.ask("GET", uri).as_(caller).watch().await.next().await;
            let mut watched = crate::test_server::ids(&first.data);
            watched.sort();
            let one = |id: &&str| !uri.contains("id=") || *id == "c-foreign";
            assert_eq!(watched, expected.iter().copied().filter(one).collect::<Vec<_>>(), "{caller}: {uri}");
        }
    }
}
