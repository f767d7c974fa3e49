//! What several test suites of urumi share.

mod killer;

pub use self::killer::{Killer, Moment};

/// A client for a kubeconfig file.
pub async fn client(kubeconfig: &str) -> kube::Client {
    let file = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    kube::Client::try_from(kube::Config::from_custom_kubeconfig(file, &options).await.unwrap()).unwrap()
}
