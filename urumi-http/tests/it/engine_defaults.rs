//! An installation's defaults for its engines, from the file to the store.

use std::io::Write as _;

use urumi_core::{CreateStore, HttpOrchestrator, StoreOrchestrator as _};

use crate::process::Server;

#[tokio::test(flavor = "multi_thread")]
async fn the_program_creates_stores_from_an_installations_defaults() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"medusa: {database: {storage: {size: 10Gi}}, api: {replicas: 2}}").unwrap();
    let server = Server::start(&["--engine-defaults", file.path().to_str().unwrap(), "--log", "warn"]).await;
    let client = HttpOrchestrator::connect(&server.url, &Default::default()).unwrap();
    let engines = client.engines().await.unwrap();
    let size = engines[0].options.pointer("/properties/database/properties/storage/properties/size").unwrap();
    assert_eq!(size["default"], "10Gi");

    let asked = serde_json::json!({"api": {"replicas": 3}});
    let request = CreateStore::new("Shop", "medusa").options(asked.as_object().cloned().unwrap());
    let store = client.create(request).await.unwrap().into_store();
    let manifests = client.manifests(&store.id).await.unwrap();
    let named =
        |name: &str| manifests.iter().find(|it| it["metadata"]["name"] == name && !it["spec"]["replicas"].is_null());
    let claim = &named("postgres").unwrap()["spec"]["volumeClaimTemplates"][0];
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "10Gi");
    assert_eq!(named("medusa-api").unwrap()["spec"]["replicas"], 3, "what is asked for outranks a default");
}

#[test]
fn the_program_does_not_start_with_defaults_that_are_wrong() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"medusa: {api: {replicas: 0}}").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_urumi-http"));
    // Were they accepted, it would not wait for anybody.
    let output = command.env("URUMI_ENGINE_DEFAULTS", file.path()).arg("--print-config").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with(&format!("error: {}: medusa.api.replicas: ", file.path().display())), "{said}");
}
