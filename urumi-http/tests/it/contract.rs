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
        for text in ["summary", "description"] {
            assert!(operation[text].as_str().is_some_and(|text| !text.is_empty()), "{route} has no {text}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(!parameter["schema"].to_string().contains("null"), "{route}: nobody can send {parameter}");
        }
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{route} has not one tag");
        let public = matches!(route.as_str(), "GET /authentication" | "GET /healthz" | "GET /readyz" | "GET /version");
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
            let own = response["description"].as_str();
            let response = resolved(&document, response);
            let described = own.or(response["description"].as_str()).unwrap_or_default();
            assert!(!described.is_empty(), "{route} {status}");
            assert!(response["headers"].get("X-Request-Id").is_some(), "{route} {status} has no X-Request-Id");
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

/// What a reference refers to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

/// Generated clients accept values and types that are added later.
#[test]
fn no_answer_has_a_closed_enumeration() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut open = 0;
    for (name, schema) in schemas {
        assert!(!schema.to_string().contains("\"enum\""), "{name} is closed: {schema}");
        open += usize::from(schema.get("x-extensible-enum").is_some());
    }
    assert!(open >= 6, "{open} enumerations");
}

/// Clients learn the headers that they depend on.
#[test]
fn the_headers_of_answers_are_described() {
    let document = document();
    let errors = &document["components"]["responses"];
    for (name, header) in [
        ("Problem", "X-Request-Id"),
        ("Unauthorized", "WWW-Authenticate"),
        ("TooManyRequests", "Retry-After"),
        ("ServiceUnavailable", "Retry-After"),
        ("GatewayTimeout", "Retry-After"),
        ("UnsupportedMediaType", "Accept-Encoding"),
    ] {
        assert!(errors[name]["headers"].get(header).is_some(), "{name} has no {header}");
    }
    for (name, status) in [("BadRequest", 400), ("UnprocessableEntity", 422), ("NotFound", 404)] {
        let example = &errors[name]["content"]["application/problem+json"]["example"];
        assert_eq!(example["status"], status, "{name}");
    }
    let list = &document["paths"]["/stores"]["get"];
    for header in ["ETag", "Link", "RateLimit", "X-Request-Id"] {
        assert!(list["responses"]["200"]["headers"].get(header).is_some(), "lists have no {header}");
    }
    assert!(list["parameters"].as_array().unwrap().iter().any(|parameter| parameter["name"] == "If-None-Match"));
    let created = &document["paths"]["/stores"]["post"]["responses"];
    assert!(created["202"]["headers"].get("Warning").is_some() && created.get("200").is_none());
    assert!(document["servers"].as_array().is_some_and(|servers| !servers.is_empty()));
}

/// Only the logs have more than one media type.
#[test]
fn only_what_can_be_unacceptable_says_so() {
    let document = document();
    let refusing =
        operations(&document).into_iter().filter(|(_, operation)| operation["responses"].get("406").is_some());
    let refusing: Vec<String> = refusing.map(|(route, _)| route).collect();
    assert_eq!(refusing, ["GET /stores/{id}/logs"]);
}

#[test]
fn requests_and_answers_have_examples() {
    let document = document();
    for (route, operation) in operations(&document) {
        if let Some(body) = operation.get("requestBody") {
            let mut types = body["content"].as_object().unwrap().values();
            assert!(types.all(|content| content.get("example").is_some()), "{route}: no example of the request");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            if let (true, Some(content)) = (status.starts_with('2'), response["content"].as_object()) {
                let has_example = content.values().any(|content| content.get("example").is_some());
                assert!(has_example, "{route}: no example of the answer");
            }
        }
    }
}

/// The words of the description are those of the answers.
#[test]
fn every_code_and_every_owner_is_described() {
    let document = document();
    let codes = document["components"]["schemas"]["Code"]["x-extensible-enum"].as_array().unwrap();
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
    let yaml = server.ask("GET", "/openapi.yaml").anonymously().send().await;
    assert_eq!(yaml.header("content-type"), Some("application/yaml"));
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml.text()).unwrap(), document());
    assert!(yaml.text().starts_with("openapi:"), "{:.100}", yaml.text());
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
