//! A store of a test's own.

use std::net::SocketAddr;

use serde_json::Value;

use crate::kubectl::{Ran, explain, kubectl, kubectl_with};
use crate::node::Node;
use crate::programs::Server;

/// A store's status and why it has it, as the command line shows them.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) status: String,
    pub(crate) reason: String,
}

/// A store that goes when this is dropped; if the test fails, what explains it is printed before.
pub(crate) struct Shop {
    pub(crate) id: String,
    pub(crate) namespace: String,
    kubeconfig: String,
    ingress: SocketAddr,
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", explain(&self.kubeconfig, &self.namespace));
        }
        kubectl(&self.kubeconfig, &["delete", "namespace", &self.namespace, "--ignore-not-found", "--wait=false"]);
    }
}

impl Shop {
    /// A store that is to be, or is already.
    pub(crate) fn of(node: &Node, id: &str) -> Shop {
        Shop {
            id: id.to_owned(),
            namespace: format!("store-{id}"),
            kubeconfig: node.kubeconfig.clone(),
            ingress: node.ingress,
        }
    }

    /// Asks for a store.
    #[track_caller]
    pub(crate) fn begin(node: &Node, server: &Server, id: &str, options: &[&str]) -> Shop {
        let shop = Shop::of(node, id);
        let name = format!("Shop {id}");
        let mut args = vec!["create", &name, "--id", id];
        args.extend(options.iter().flat_map(|option| ["--set", option]));
        server.urumi(&args);
        shop
    }

    /// Waits until the store is ready.
    #[track_caller]
    pub(crate) fn opens(&self, server: &Server) {
        server.urumi(&["wait", &self.id, "--timeout", "8m"]);
    }

    /// Waits until the store's record says that it has a status.
    #[track_caller]
    pub(crate) fn turns(&self, status: &str) {
        let namespace = format!("namespace/{}", self.namespace);
        let status = format!("--for=jsonpath={{.metadata.annotations.store\\.urumi\\.ai/status}}={status}");
        kubectl(&self.kubeconfig, &["wait", &namespace, &status, "--timeout=8m"]).ok();
    }

    /// Deletes the store, and waits until it is gone.
    #[track_caller]
    pub(crate) fn closes(&self, server: &Server) {
        server.urumi(&["delete", &self.id, "--yes", "--wait", "--timeout", "8m"]);
    }

    /// Status and reason.
    pub(crate) fn state(&self, server: &Server) -> State {
        let shown: Value = serde_json::from_str(&server.urumi(&["get", &self.id, "-o", "json"])).unwrap();
        let text = |field: &str| shown[field].as_str().unwrap_or_default().to_owned();
        State { status: text("status"), reason: text("reason") }
    }

    /// Applies a manifest in the store's namespace.
    #[track_caller]
    pub(crate) fn apply(&self, manifest: &str) {
        kubectl_with(&self.kubeconfig, &["-n", &self.namespace, "apply", "-f", "-"], manifest).ok();
    }

    /// Creates or replaces a Secret of one key in the store's namespace.
    #[track_caller]
    pub(crate) fn secret(&self, name: &str, key: &str, value: &str) {
        let metadata = serde_json::json!({"name": name});
        let secret = serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {key: value},
        });
        self.apply(&secret.to_string());
    }

    /// The publishable key, as any customer's browser knows it: the storefront's container has it.
    pub(crate) fn key(&self) -> String {
        let path = "jsonpath={.spec.template.spec.containers[0].env[?(@.name==\"MEDUSA_PUBLISHABLE_KEY\")].value}";
        self.kubectl(&["get", "deployment", "medusa-storefront", "-o", path])
    }

    /// The password of the store's database, as its administrators can read it.
    pub(crate) fn password(&self) -> String {
        let path = "go-template={{.data.POSTGRES_PASSWORD | base64decode}}";
        self.kubectl(&["get", "secret", "postgres-credentials", "-o", path])
    }

    /// kubectl in the store's namespace.
    #[track_caller]
    pub(crate) fn kubectl(&self, args: &[&str]) -> String {
        kubectl(&self.kubeconfig, &[&["-n", &self.namespace], args].concat()).ok()
    }

    /// Runs a program in a container of one of the store's parts, and returns what became of it.
    pub(crate) fn exec(&self, part: &str, command: &[&str]) -> Ran {
        kubectl(&self.kubeconfig, &[&["-n", &self.namespace, "exec", part, "--"], command].concat())
    }

    /// What the store's own PostgreSQL answers to a query.
    #[track_caller]
    pub(crate) fn sql(&self, query: &str) -> String {
        let psql = ["psql", "-h", "127.0.0.1", "-U", "medusa", "-d", "medusa", "-v", "ON_ERROR_STOP=1", "-tA", "-c"];
        let password = "PGPASSWORD=\"$POSTGRES_PASSWORD\" exec \"$@\"";
        let shell = ["exec", "postgres-0", "--", "sh", "-c", password, "sh"];
        self.kubectl(&[&shell[..], &psql, &[query]].concat()).trim().to_owned()
    }

    /// A browser that reaches the store's hosts through the Ingress.
    pub(crate) fn browser(&self) -> reqwest::Client {
        // Another test may have chosen it already, which is as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .no_proxy()
            .resolve(&self.host("store"), self.ingress)
            .resolve(&self.host("api"), self.ingress)
            .timeout(std::time::Duration::from_secs(60))
            .build()
            .unwrap()
    }

    pub(crate) fn storefront(&self) -> String {
        format!("http://{}", self.host("store"))
    }

    pub(crate) fn api(&self) -> String {
        format!("http://{}", self.host("api"))
    }

    fn host(&self, part: &str) -> String {
        format!("{part}-{}.localtest.me", self.id)
    }

    /// Who signs in first: e-mail address and password.
    pub(crate) fn administrator(&self, server: &Server) -> (String, String) {
        let shown = server.urumi(&["credentials", &self.id, "--reveal", "-o", "json"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        let text = |field: &str| shown[field].as_str().unwrap().to_owned();
        (text("username"), text("password"))
    }
}
