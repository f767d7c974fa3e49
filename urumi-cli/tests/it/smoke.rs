//! `urumi smoke`: testing a store with an order.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use serde_json::Value;
use urumi_core::cluster::{Fault, FaultTarget};
use urumi_core::kubernetes::{Kind, Object, ObjectRef};

use crate::server::{ServerSetup, TestServer};
use crate::support::Run;

#[test]
fn an_order_is_told_of_step_by_step() {
    let server = TestServer::start();
    server.urumi().run(&["create", "Shop", "--id", "shop", "--wait"]).ok();
    let table = server.urumi().run(&["smoke", "shop"]).ok();
    assert!(table.starts_with("STEP") && table.contains("add to cart"), "{table}");
    assert_eq!(server.urumi().run(&["smoke", "shop", "-o", "name"]).ok(), "order_MEMORY\n");
    let report: Value = serde_json::from_str(&server.urumi().run(&["smoke", "shop", "-o", "json"]).ok()).unwrap();
    assert_eq!((&report["order"], report["steps"][1]["milliseconds"].as_u64()), (&"order_MEMORY".into(), Some(80)));
    assert_eq!(server.urumi().run(&["smoke", "nothing"]).code, 3);
}

#[test]
fn an_order_that_fails_has_a_code_of_its_own() {
    let server = TestServer::start();
    server.urumi().run(&["create", "Shop", "--id", "shop", "--wait"]).ok();
    server.cluster.inject_fault(FaultTarget::any(), Fault::SmokeFails);
    let ran = server.urumi().run(&["smoke", "shop"]);
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(ran.stdout.contains("answers 503"), "{}", ran.stdout);
    assert!(ran.stderr.contains("the test order in store shop failed: add to cart: answers 503"), "{}", ran.stderr);
}

#[test]
fn a_failed_store_must_be_retried_before_an_order() {
    let server = TestServer::with(ServerSetup { delay: Duration::from_secs(3600), ..ServerSetup::default() });
    server.urumi().run(&["create", "Shop", "--id", "shop"]).ok();
    let waiting = server.urumi().run(&["smoke", "shop"]);
    assert_eq!((waiting.code, waiting.stderr.contains("wait until it is ready")), (4, true), "{}", waiting.stderr);
    let record = ObjectRef::cluster(Kind::of::<Namespace>(), "store-shop");
    let fail = |record: &mut Object| {
        record.as_value_mut()["metadata"]["annotations"]["store.urumi.ai/status"] = "failed".into();
    };
    server.cluster.modify(&record, fail).unwrap();
    assert_eq!(server.urumi().run(&["wait", "shop"]).code, 6);
    let ran = server.urumi().run(&["smoke", "shop"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("it is failed; retry it"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`urumi retry shop --wait`"), "{}", ran.stderr);
}
