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
    /// The node, or none where there is none: said aloud, and an error in CI.
    pub(crate) async fn take() -> Option<Node> {
        let (Ok(kubeconfig), Ok(ingress)) =
            (std::env::var("URUMI_TEST_KUBECONFIG"), std::env::var("URUMI_TEST_INGRESS"))
        else {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            let why = format!("skipped: {test} needs a node with real pods; run it with make e2e\n");
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
            // Past the harness, which hides what a passing test prints.
            std::io::Write::write_all(&mut std::io::stderr(), why.as_bytes()).unwrap();
            return None;
        };
        let ingress: IpAddr = ingress.parse().expect("URUMI_TEST_INGRESS is an address");
        Some(Node { kubeconfig, ingress: SocketAddr::new(ingress, 80), _alone: ALONE.lock().await })
    }
}
