//! What several test suites of urumi share.

mod killer;

pub use self::killer::{Killer, Moment};

/// The text of a kubeconfig with which the user of another acts as an administrator called `name`, whom the audit log then
/// tells from others.
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
