//! The node that the tests run on.

use std::net::{IpAddr, SocketAddr};

use tokio::sync::{Mutex, MutexGuard};

/// A cluster with real pods, for as long as this is held: there is room for one test at a time.
pub(crate) struct Node {
    pub(crate) kubeconfig: String,
    /// Where Ingress hosts are served.
    pub(crate) ingress: SocketAddr,
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::const_new(());

impl Node {
    /// The node. Without one, the calling test is skipped: it says so, or fails in CI.
    pub(crate) async fn take() -> Option<Node> {
        let (Ok(kubeconfig), Ok(ingress)) =
            (std::env::var("URUMI_TEST_KUBECONFIG"), std::env::var("URUMI_TEST_INGRESS"))
        else {
            urumi_testing::skip("a node with real pods; run it with make e2e");
            return None;
        };
        let ingress: IpAddr = ingress.parse().expect("URUMI_TEST_INGRESS is an address");
        Some(Node { kubeconfig, ingress: SocketAddr::new(ingress, 80), _alone: ALONE.lock().await })
    }
}
