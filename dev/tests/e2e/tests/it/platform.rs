//! The platform itself in the cluster, installed with its chart as on a laptop.

use std::net::SocketAddr;

use crate::kubectl::{explain, helm, kubectl, kubectl_with};
use crate::node::Node;
use crate::programs::Server;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../helm/store-platform");
const RELEASE: &str = "urumi-platform";

/// The installed platform, which goes when this is dropped; if the test fails, what explains it is printed before.
pub(crate) struct Platform {
    pub(crate) ingress: SocketAddr,
    /// The administrator's, as it was drawn.
    pub(crate) token: String,
    kubeconfig: String,
}

impl Drop for Platform {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", explain(&self.kubeconfig, Self::NAMESPACE));
        }
        helm(&self.kubeconfig, &["uninstall", RELEASE, "--namespace", Self::NAMESPACE, "--wait", "--timeout", "8m"]);
        kubectl(&self.kubeconfig, &["delete", "namespace", Self::NAMESPACE, "--ignore-not-found", "--timeout=8m"]);
    }
}

impl Platform {
    pub(crate) const NAMESPACE: &str = "urumi";
    pub(crate) const DASHBOARD: &str = "http://dashboard.localtest.me";
    pub(crate) const API: &str = "http://api.localtest.me";

    /// Installs it with values-local.yaml and these settings, and waits until it serves.
    pub(crate) fn install(node: &Node, settings: &[&str]) -> Platform {
        let mut platform =
            Platform { ingress: node.ingress, token: String::new(), kubeconfig: node.kubeconfig.clone() };
        let namespace = serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": Self::NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        });
        kubectl_with(&node.kubeconfig, &["apply", "-f", "-"], &namespace.to_string()).ok();
        platform.apply(settings);
        let drawn = ["-n", Self::NAMESPACE, "get", "secret", "admin-token"];
        let value = ["-o", "go-template={{.data.token | base64decode}}"];
        platform.token = kubectl(&node.kubeconfig, &[&drawn[..], &value].concat()).ok();
        platform
    }

    /// Installs or upgrades it, one replica after the other, and waits until all serve.
    pub(crate) fn apply(&self, settings: &[&str]) {
        let values = format!("{CHART}/values-local.yaml");
        let mut args =
            vec!["upgrade", "--install", RELEASE, CHART, "--namespace", Self::NAMESPACE, "--values", &values];
        args.extend(["--wait", "--timeout", "8m"]);
        args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        helm(&self.kubeconfig, &args).ok();
    }

    /// Has the chart's own test create a store and delete it again.
    pub(crate) fn test(&self) {
        helm(&self.kubeconfig, &["test", RELEASE, "--namespace", Self::NAMESPACE, "--timeout", "5m"]).ok();
    }

    /// Its API, through the Ingress.
    pub(crate) fn server(&self) -> Server {
        Server::behind(self.ingress, Self::API, &self.token)
    }
}
