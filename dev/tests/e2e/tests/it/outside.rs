//! A PostgreSQL server outside of all stores.

use crate::kubectl::{kubectl, kubectl_with};
use crate::node::Node;

/// A PostgreSQL that no store owns, in a namespace of its own.
pub(crate) struct Outside<'a> {
    node: &'a Node,
    namespace: &'static str,
}

impl Outside<'_> {
    /// The password of its administrator, `postgres`.
    pub(crate) const PASSWORD: &'static str = "outside-password";

    /// Starts one in a namespace of its own.
    pub(crate) fn start<'a>(node: &'a Node, namespace: &'static str) -> Outside<'a> {
        let manifests = format!(
            r#"
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}}}
---
apiVersion: v1
kind: Service
metadata: {{name: postgres, namespace: {namespace}}}
spec: {{selector: {{app: postgres}}, ports: [{{port: 5432}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: postgres, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: postgres}}}}
  template:
    metadata: {{labels: {{app: postgres}}}}
    spec:
      terminationGracePeriodSeconds: 0
      securityContext: {{runAsUser: 70, runAsGroup: 70, fsGroup: 70}}
      volumes: [{{name: data, emptyDir: {{}}}}]
      containers:
        - name: postgres
          image: postgres:15-alpine
          env: [{{name: POSTGRES_PASSWORD, value: {password}}}, {{name: PGDATA, value: /data/pgdata}}]
          readinessProbe: {{exec: {{command: [pg_isready, -h, 127.0.0.1]}}, periodSeconds: 1}}
          volumeMounts: [{{name: data, mountPath: /data}}]
"#,
            password = Self::PASSWORD
        );
        let outside = Outside { node, namespace };
        kubectl_with(&node.kubeconfig, &["apply", "-f", "-"], &manifests).ok();
        kubectl(&node.kubeconfig, &["-n", namespace, "rollout", "status", "deployment/postgres", "--timeout=8m"]).ok();
        outside
    }

    /// The name by which stores reach it.
    pub(crate) fn host(&self) -> String {
        format!("postgres.{}", self.namespace)
    }

    /// What it answers to its administrator.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, statement: &str) -> String {
        let psql = ["exec", "deployment/postgres", "--", "psql", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-tA"];
        let args = [&["-n", self.namespace][..], &psql, &["-d", database, "-c", statement]].concat();
        kubectl(&self.node.kubeconfig, &args).ok().trim().to_owned()
    }

    /// The address of a database on it.
    pub(crate) fn url(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@{}:5432/{database}?sslmode=disable", self.host())
    }
}

impl Drop for Outside<'_> {
    fn drop(&mut self) {
        kubectl(&self.node.kubeconfig, &["delete", "namespace", self.namespace, "--wait=false"]);
    }
}
