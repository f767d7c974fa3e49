//! What goes wrong while a store is made: the reason that its owner reads, how soon, and that it mends.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::kubectl::{kubectl, kubectl_with};
use crate::node::Node;
use crate::programs::Server;
use crate::shop::Shop;

/// How soon a new store must have failed once its trouble can be seen. Until then images are unpacked, volumes made and
/// databases started, all on one small node.
const SOON: Duration = Duration::from_secs(30);

/// A PostgreSQL that no store owns, in a namespace of its own.
struct Outside<'a> {
    node: &'a Node,
}

impl Outside<'_> {
    const NAMESPACE: &'static str = "outside";
    const HOST: &'static str = "postgres.outside";
    const PASSWORD: &'static str = "outside-password";

    fn start(node: &Node) -> Outside<'_> {
        let manifests = format!(
            r#"
apiVersion: v1
kind: Namespace
metadata: {{name: outside}}
---
apiVersion: v1
kind: Service
metadata: {{name: postgres, namespace: outside}}
spec: {{selector: {{app: postgres}}, ports: [{{port: 5432}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: postgres, namespace: outside}}
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
          env: [{{name: POSTGRES_PASSWORD, value: {}}}, {{name: PGDATA, value: /data/pgdata}}]
          readinessProbe: {{exec: {{command: [pg_isready, -h, 127.0.0.1]}}, periodSeconds: 1}}
          volumeMounts: [{{name: data, mountPath: /data}}]
"#,
            Self::PASSWORD
        );
        let outside = Outside { node };
        kubectl_with(&node.kubeconfig, &["apply", "-f", "-"], &manifests).ok();
        kubectl(&node.kubeconfig, &["-n", "outside", "rollout", "status", "deployment/postgres", "--timeout=2m"]).ok();
        outside
    }

    #[track_caller]
    fn sql(&self, database: &str, statement: &str) {
        let psql = ["exec", "deployment/postgres", "--", "psql", "-U", "postgres", "-v", "ON_ERROR_STOP=1"];
        let args = [&["-n", Self::NAMESPACE][..], &psql, &["-d", database, "-c", statement]].concat();
        kubectl(&self.node.kubeconfig, &args).ok();
    }

    fn url(user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@{}:5432/{database}?sslmode=disable", Self::HOST)
    }
}

impl Drop for Outside<'_> {
    fn drop(&mut self) {
        kubectl(&self.node.kubeconfig, &["delete", "namespace", Self::NAMESPACE, "--wait=false"]);
    }
}

/// Waits until the store has failed, and checks that the reason is one of these words and tells what an owner can use.
#[track_caller]
fn fails(server: &Server, shop: &Shop, reason: &str, told: &[&str]) {
    let began = Instant::now();
    let (code, _, stderr) = server.urumi_may_fail(&["wait", &shop.id, "--timeout", "2m"]);
    let state = shop.state(server);
    assert_eq!((code, state.status.as_str()), (6, "failed"), "{}: {state:?}: {stderr}", shop.id);
    println!("{}: failed {:.0} s after the last one: {}", shop.id, began.elapsed().as_secs_f64(), state.reason);
    assert!(state.reason.contains(reason), "{}: {}", shop.id, state.reason);
    for words in told {
        assert!(state.reason.contains(words), "{}: {:?} is not in {}", shop.id, words, state.reason);
    }
}

#[track_caller]
fn is_cured(server: &Server, shop: &Shop) {
    let began = Instant::now();
    // It may have mended by itself already, which is as good.
    let (_, _, said) = server.urumi_may_fail(&["retry", &shop.id]);
    server.urumi(&["wait", &shop.id, "--timeout", "3m"]);
    println!("{}: ready {:.0} s after its cause was gone {said}", shop.id, began.elapsed().as_secs_f64());
    shop.closes(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trouble_is_told_and_ends_with_its_cause() {
    let Some(node) = Node::take().await else { return };
    let server = Server::start(&node, &[]).await;
    let outside = Outside::start(&node);
    outside.sql("postgres", "CREATE ROLE shop LOGIN PASSWORD 'right'");
    outside.sql("postgres", "CREATE DATABASE shop OWNER shop");
    outside.sql("postgres", "CREATE ROLE reader LOGIN PASSWORD 'right'");
    outside.sql("postgres", "CREATE DATABASE reader");

    let image = Shop::begin(&node, &server, "no-image", &["api.image=urumi.test/missing:1"]);
    let class = Shop::begin(&node, &server, "no-class", &["database.storage.className=missing"]);
    let external = ["database.mode=external", "database.secret.name=db"];
    let password = Shop::begin(&node, &server, "password", &external);
    password.secret("db", "DATABASE_URL", &Outside::url("shop", "wrong", "shop"));
    let migration = Shop::begin(&node, &server, "migration", &external);
    migration.secret("db", "DATABASE_URL", &Outside::url("reader", "right", "reader"));
    let crash = Shop::begin(&node, &server, "crash", &["api.envSecrets=extra"]);
    crash.secret("extra", "HOST", "256.0.0.1");
    let memory = ["api.resources.requests.memory=64Mi", "api.resources.limits.memory=128Mi"];
    let memory = Shop::begin(&node, &server, "memory", &memory);
    let secret = Shop::begin(&node, &server, "secret", &["api.envSecrets=later"]);

    let began = Instant::now();
    fails(&server, &image, "ImagePullBackOff", &["the image urumi.test/missing:1 cannot be pulled"]);
    fails(&server, &class, "StorageClassNotFound", &["wants StorageClass \"missing\", which does not exist"]);
    fails(
        &server,
        &password,
        "CrashLoopBackOff",
        &["the database at postgres.outside:5432 refuses the password of user shop"],
    );
    fails(&server, &secret, "CreateContainerConfigError", &["secret \"later\" not found"]);
    assert!(began.elapsed() < 2 * SOON, "the first four took {:?}", began.elapsed());
    fails(
        &server,
        &migration,
        "CrashLoopBackOff",
        &["user reader lacks a right in database reader at postgres.outside:5432: permission denied"],
    );
    fails(&server, &crash, "CrashLoopBackOff", &["medusa-api"]);
    fails(&server, &memory, "OutOfMemory", &["medusa-api", "JavaScript heap out of memory"]);
    drop(memory);

    let ctr = concat!(env!("CARGO_MANIFEST_DIR"), "/../cluster/ctr");
    let tag = ["images", "tag", "docker.io/urumi/medusa-api:0.1.0", "urumi.test/missing:1"];
    let tagged = Command::new(ctr).env("KUBECONFIG", &node.kubeconfig).args(tag).output().unwrap();
    assert!(tagged.status.success(), "{tagged:?}");
    is_cured(&server, &image);
    let missing = r#"{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "missing"},
        "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer"}"#;
    kubectl_with(&node.kubeconfig, &["apply", "-f", "-"], missing).ok();
    is_cured(&server, &class);
    kubectl(&node.kubeconfig, &["delete", "storageclass", "missing"]).ok();
    password.secret("db", "DATABASE_URL", &Outside::url("shop", "right", "shop"));
    is_cured(&server, &password);
    secret.secret("later", "ANY", "thing");
    is_cured(&server, &secret);
    outside.sql("reader", "ALTER DATABASE reader OWNER TO reader");
    is_cured(&server, &migration);
    crash.secret("extra", "HOST", "0.0.0.0");
    is_cured(&server, &crash);
}
