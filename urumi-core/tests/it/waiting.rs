//! Waits for stores that are deleted meanwhile.

use std::time::Duration;

use tokio::time::sleep;
use urumi_core::cluster::InMemoryCluster;
use urumi_core::error::{Error, ErrorKind};
use urumi_core::store::wait::Ready;
use urumi_core::{CreateStore, Orchestrator, StoreOrchestrator, StoreOrchestratorExt};

#[tokio::test(start_paused = true)]
async fn a_store_that_is_deleted_meanwhile_has_not_failed() {
    for termination in [Duration::ZERO, Duration::from_secs(30)] {
        let cluster = InMemoryCluster::builder().termination_delay(termination).build();
        let urumi = Orchestrator::builder(cluster).build();
        let id = urumi.create(CreateStore::new("Short-lived", "medusa").id("short")).await.unwrap().into_store().id;
        let waiting = urumi.wait_until(&id, Ready.or_failed(), Duration::from_secs(600));
        let deleting = async {
            sleep(Duration::from_secs(1)).await;
            urumi.delete(&id).await.unwrap();
        };
        let error = tokio::join!(waiting, deleting).0.unwrap_err();
        assert!(matches!(&error, Error::Deleted { id, .. } if id.as_str() == "short"), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "store short was deleted before it became ready");
    }
}
