//! The contract of `StoreOrchestrator` on a real API server.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use urumi_core::kubernetes::Kind;
use urumi_core::kubernetes::{LabelRequirement, Query};
use urumi_core::testing::orchestrator::{self as conformance, Options};
use urumi_core::{Orchestrator, ReadinessMonitor};

use crate::support::{Running, real_views};

#[tokio::test(flavor = "multi_thread")]
async fn the_orchestrator_conforms() {
    let Some((own, cluster)) = real_views().await else { return };
    let urumi = Orchestrator::builder(own).build();
    let monitor = Running::start(ReadinessMonitor::new(urumi.clone()));
    // A deadline short enough for stores to fail would fail those of other tests.
    let options = Options { deadline: Duration::from_secs(300), smoke: false, ..Options::default() };
    let report = conformance::run(Arc::new(urumi), options).await;
    eprintln!("{report}");
    if report.failed().next().is_some() {
        let stores = LabelRequirement::Exists("store.urumi.ai/enabled".to_owned());
        let stores = Query::all(Kind::of::<Namespace>()).labelled(stores);
        for namespace in cluster.list(&stores).await.unwrap_or_default() {
            eprintln!("---\n{}", serde_json::to_string_pretty(&namespace).unwrap_or_default());
        }
    }
    monitor.stop().await;
    report.into_result().unwrap();
}
