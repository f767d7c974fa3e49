//! The library leaves the process' cryptography for TLS to the program.

use std::process::Command;

use urumi_core::HttpOrchestrator;
use urumi_core::cluster::{ConnectError, ConnectOptions, KubeCluster};
use urumi_core::http_client::ServerOptions;

/// Set in the process that runs this test alone.
const ALONE: &str = "URUMI_TEST_ALONE";

const KUBECONFIG: &str = "
current-context: c
contexts:
- {name: c, context: {cluster: c, user: u}}
clusters:
- {name: c, cluster: {server: 'https://127.0.0.1:1'}}
users:
- {name: u, user: {token: t}}
";

/// Other tests install a provider, so this one needs a process of its own.
#[test]
fn the_library_installs_no_crypto_provider() {
    if std::env::var_os(ALONE).is_some() {
        return alone();
    }
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "crypto_provider::the_library_installs_no_crypto_provider"]).env(ALONE, "1");
    let output = test.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn alone() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    HttpOrchestrator::connect("https://127.0.0.1:1", &ServerOptions::default()).unwrap();
    let kubeconfig = std::env::temp_dir().join(format!("urumi-test-{}.yaml", uuid::Uuid::new_v4()));
    std::fs::write(&kubeconfig, KUBECONFIG).unwrap();
    let options = || ConnectOptions::default().kubeconfig(&kubeconfig);
    let refused = runtime.block_on(KubeCluster::connect(options())).unwrap_err();
    assert!(matches!(refused, ConnectError::NoCryptoProvider), "{refused}");
    KubeCluster::install_crypto_provider();
    runtime.block_on(KubeCluster::connect(options())).unwrap();
    std::fs::remove_file(&kubeconfig).unwrap();
}
