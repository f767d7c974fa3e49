//! What is promised in writing is what the code does: the API's description, the list of problems, `/docs`.

use std::path::{Path, PathBuf};

use axum::Router;
use http::StatusCode;
use serde_json::Value;
use urumi_core::cluster::InMemoryCluster;
use urumi_http::problem::Code;

use crate::test_server::{Ask, TestServer};

/// Compares a committed document with what the code says; with `UPDATE_DOCS` set, writes it.
fn is_up_to_date(name: &str, reference: &str) {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, reference).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == reference, "docs/{name} is out of date: UPDATE_DOCS=1 cargo test -p urumi-http contract");
}

#[test]
fn the_api_description_is_up_to_date() {
    is_up_to_date("openapi.json", &(urumi_http::document().to_pretty_json().unwrap() + "\n"));
}

#[test]
fn the_list_of_problems_is_up_to_date() {
    is_up_to_date("PROBLEMS.md", &urumi_http::problem::reference());
}

fn document() -> Value {
    serde_json::to_value(urumi_http::document()).unwrap()
}

/// Every operation, with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'static str)| format!("{} {path}", item.to_uppercase());
    let mut operations = Vec::new();
    for (path, item) in paths {
        for method in ["get", "put", "post", "delete", "patch"] {
            if let Some(operation) = item.get(method) {
                operations.push((of_path((path, method)), operation));
            }
        }
    }
    operations
}

#[test]
fn every_operation_is_named_summed_up_and_guarded() {
    let document = document();
    let operations = operations(&document);
    assert!(operations.len() >= 14, "{} operations", operations.len());
    let mut ids: Vec<&str> = Vec::new();
    for (route, operation) in &operations {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{route} has no operationId"));
        assert!(!ids.contains(&id), "{id} is there twice");
        ids.push(id);
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{route} has no summary");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(!parameter["schema"].to_string().contains("null"), "{route}: nobody can send {parameter}");
        }
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{route} has not one tag");
        let public = matches!(route.as_str(), "GET /healthz" | "GET /readyz");
        // An operation without its own says what the document says: a bearer token.
        match operation.get("security") {
            None => assert!(!public, "{route} asks for a token"),
            Some(security) => assert!(public && *security == serde_json::json!([{}]), "{route}: {security}"),
        }
    }
    assert_eq!(document["security"], serde_json::json!([{"bearer": []}]));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn every_error_is_a_problem() {
    let document = document();
    for (route, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('4')), "{route} has no 4xx");
        for (status, response) in responses {
            assert!(!response["description"].as_str().unwrap_or_default().is_empty(), "{route} {status}");
            // Probes are told what is wrong, part by part.
            if status.as_str() < "400" || (route == "GET /readyz" && status == "503") {
                continue;
            }
            let content = response["content"].as_object().unwrap_or_else(|| panic!("{route} {status} has no content"));
            let types: Vec<&String> = content.keys().collect();
            assert_eq!(types, ["application/problem+json"], "{route} {status}");
            let schema = &content["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{route} {status}");
        }
    }
}

/// The words of the description are those of the answers.
#[test]
fn every_code_and_every_owner_is_described() {
    let document = document();
    let codes = document["components"]["schemas"]["Code"]["enum"].as_array().unwrap();
    let words: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes, &words);
    let owner = &document["components"]["schemas"]["CreateStore"]["properties"]["owner"];
    assert!(owner["pattern"].as_str().is_some_and(|pattern| pattern.starts_with("^(user|team):")), "{owner}");
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                fields.values().for_each(|value| check(document, value));
            }
            Value::Array(values) => values.iter().for_each(|value| check(document, value)),
            _ => {}
        }
    }
    let document = document();
    check(&document, &document);
}

/// What the server serves is what is committed.
#[tokio::test]
async fn the_description_is_served() {
    let server = TestServer::new(InMemoryCluster::default());
    assert_eq!(server.ask("GET", "/openapi.json").anonymously().send().await.json(), document());
}

/// The page and everything that it loads, from here only.
#[tokio::test]
async fn the_documentation_loads_without_third_parties() {
    let app: Router = TestServer::new(InMemoryCluster::default()).app;
    let page = load(&app, "/docs/").await;
    let mut loaded = 0;
    for attribute in ["src=\"", "href=\""] {
        for rest in page.split(attribute).skip(1) {
            let address = rest.split('"').next().unwrap();
            assert!(!address.contains("//"), "the page loads {address}");
            let file = load(&app, &format!("/docs/{}", address.trim_start_matches("./"))).await;
            if address.ends_with(".css") {
                let elsewhere =
                    file.split("url(").skip(1).find(|url| !url.trim_start_matches(['"', '\'']).starts_with("data:"));
                assert!(elsewhere.is_none(), "{address} loads {elsewhere:.80?}");
                assert!(!file.contains("@import"), "{address} loads another sheet");
            }
            loaded += 1;
        }
    }
    assert!(loaded >= 5, "the page loads {loaded} files");
    let settings = load(&app, "/docs/swagger-initializer.js").await;
    assert!(settings.contains("/openapi.json") && !settings.contains("http"), "{settings}");
    // Unless it is told not to, the page has a validator elsewhere look at the description.
    assert!(settings.contains("\"validatorUrl\": \"none\""), "{settings}");
}

async fn load(app: &Router, path: &str) -> String {
    let answer = Ask::new(app.clone(), "GET", path).anonymously().send().await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    answer.text()
}
