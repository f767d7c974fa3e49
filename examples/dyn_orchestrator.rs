//! The same code on a cluster and through a server: it holds an `Arc<dyn StoreOrchestrator>`.
//!
//! Also implements a custom `WaitCondition`.
#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::store::status::ConditionStatus;
use urumi_core::store::wait::{Verdict, WaitCondition};
use urumi_core::{
    CreateStore, HttpOrchestrator, Orchestrator, ReadinessMonitor, Store, StoreOrchestrator, StoreOrchestratorExt,
};
use urumi_http::ServerState;
use urumi_http::auth::Authentication;

/// Opens stores for customers. Does not know whether it uses a cluster or a server.
struct Onboarding {
    stores: Arc<dyn StoreOrchestrator>,
}

impl Onboarding {
    async fn open(&self, customer: &str) -> anyhow::Result<Store> {
        // The key makes a repeated call return the same store.
        let request = CreateStore::new(format!("{customer}'s shop"), "medusa").idempotency_key(customer);
        let store = self.stores.create(request).await?.into_store();
        let opened = self.stores.wait_until(&store.id, StorefrontReady, Duration::from_secs(30)).await?;
        opened.context("the store was deleted")
    }
}

/// True as soon as customers can see the storefront, even if other components are not ready yet.
struct StorefrontReady;

impl WaitCondition for StorefrontReady {
    fn check(&self, store: Option<&Store>) -> Verdict {
        let Some(store) = store else { return Verdict::Failed };
        let ready = store.conditions.iter().any(|c| c.type_ == "StorefrontReady" && c.status == ConditionStatus::True);
        if ready { Verdict::Met } else { Verdict::Pending }
    }
}

impl fmt::Display for StorefrontReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("visible")
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let urumi = Orchestrator::builder(InMemoryCluster::default()).build();
    let monitor = ReadinessMonitor::new(urumi.clone()).spawn(&tasks, stop.clone());

    // A server for the same cluster, in the same process.
    let state = ServerState::builder(Arc::new(urumi.clone()))
        .authentication(Authentication::Open)
        .monitor(monitor)
        .spawn(&tasks, &stop);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = format!("http://{}", listener.local_addr()?);
    let serving =
        axum::serve(listener, urumi_http::router(state)).with_graceful_shutdown(stop.clone().cancelled_owned());
    let serving = tokio::spawn(serving.into_future());

    let client = HttpOrchestrator::connect(&server, &Default::default())?;
    let targets: [(&str, Arc<dyn StoreOrchestrator>); 2] = [("cluster", Arc::new(urumi)), ("server", Arc::new(client))];
    for (name, stores) in targets {
        let store = Onboarding { stores }.open(name).await?;
        println!("{name}: {} is visible at {}", store.name, store.urls.storefront.unwrap_or_default());
    }

    stop.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(serving.await??)
}
