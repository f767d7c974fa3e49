//! Code that several test suites of urumi share.

pub mod audit;
mod killer;
mod real_cluster;
mod server;

use std::time::Duration;

pub use self::killer::{Killer, Moment};
pub use self::real_cluster::{kubeconfig, say, skip};
pub use self::server::listening;

/// The deadline of a request in tests that run beside others: the API server of a busy machine needs longer than the default.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// A kubeconfig whose user acts as an administrator called `name`, so that the audit log tells it from others.
pub fn impersonating(kubeconfig: &str, name: &str) -> String {
    let mut file = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    for user in file.auth_infos.iter_mut().filter_map(|user| user.auth_info.as_mut()) {
        user.impersonate = Some(name.to_owned());
        user.impersonate_groups = Some(vec!["system:masters".to_owned()]);
    }
    // JSON is YAML.
    serde_json::to_string(&file).unwrap()
}

/// A client for a kubeconfig file.
pub async fn client(kubeconfig: &str) -> kube::Client {
    let file = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    kube::Client::try_from(kube::Config::from_custom_kubeconfig(file, &options).await.unwrap()).unwrap()
}
