//! What goes wrong while a store is made: the reason that its owner reads, how soon, and that it mends.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::kubectl::{kubectl, kubectl_with};
use crate::node::Node;
use crate::outside::Outside;
use crate::programs::Server;
use crate::shop::Shop;

/// How soon a new store must have failed once its trouble can be seen. Until then images are unpacked, volumes made and
/// databases started, all on one small node.
const SOON: Duration = Duration::from_secs(30);

/// Waits until the store has failed, and checks that the reason is one of these words (`A|B`) and tells what an owner can
/// use.
#[track_caller]
fn fails(server: &Server, shop: &Shop, reason: &str, told: &[&str]) {
    let began = Instant::now();
    let (code, _, stderr) = server.urumi_may_fail(&["wait", &shop.id, "--timeout", "8m"]);
    let state = shop.state(server);
    assert_eq!((code, state.status.as_str()), (6, "failed"), "{}: {state:?}: {stderr}", shop.id);
    println!("{}: failed {:.0} s after the last one: {}", shop.id, began.elapsed().as_secs_f64(), state.reason);
    let known = reason.split('|').any(|reason| state.reason.starts_with(reason));
    assert!(known, "{}: {}", shop.id, state.reason);
    for words in told {
        assert!(state.reason.contains(words), "{}: {:?} is not in {}", shop.id, words, state.reason);
    }
}

#[track_caller]
fn is_cured(server: &Server, shop: &Shop) {
    let began = Instant::now();
    // It may have mended by itself already, which is as good.
    let (_, _, said) = server.urumi_may_fail(&["retry", &shop.id]);
    server.urumi(&["wait", &shop.id, "--timeout", "8m"]);
    println!("{}: ready {:.0} s after its cause was gone {said}", shop.id, began.elapsed().as_secs_f64());
    shop.closes(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trouble_is_told_and_ends_with_its_cause() {
    let Some(node) = Node::take().await else { return };
    let server = Server::start(&node, &[]).await;
    let outside = Outside::start(&node, "outside");
    outside.sql("postgres", "CREATE ROLE shop LOGIN PASSWORD 'right'");
    outside.sql("postgres", "CREATE DATABASE shop OWNER shop");
    outside.sql("postgres", "CREATE ROLE reader LOGIN PASSWORD 'right'");
    outside.sql("postgres", "CREATE DATABASE reader");

    let image = Shop::begin(&node, &server, "no-image", &["api.image=urumi.test/missing:1"]);
    let class = Shop::begin(&node, &server, "no-class", &["database.storage.className=missing"]);
    let external = ["database.mode=external", "database.secret.name=db"];
    let password = Shop::begin(&node, &server, "password", &external);
    password.secret("db", "DATABASE_URL", &outside.url("shop", "wrong", "shop"));
    let migration = Shop::begin(&node, &server, "migration", &external);
    migration.secret("db", "DATABASE_URL", &outside.url("reader", "right", "reader"));
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
    // Which limit is reached first, Node's or the container's, is a matter of milliseconds.
    fails(&server, &memory, "OutOfMemory|OOMKilled", &["medusa-api: container medusa-api exits with code 13"]);
    drop(memory);

    let ctr = concat!(env!("CARGO_MANIFEST_DIR"), "/../../clusters/kubernetes/ctr");
    let tag = ["images", "tag", "ghcr.io/urumi/medusa-api:0.1.0", "urumi.test/missing:1"];
    let tagged = Command::new(ctr).env("KUBECONFIG", &node.kubeconfig).args(tag).output().unwrap();
    assert!(tagged.status.success(), "{tagged:?}");
    is_cured(&server, &image);
    let missing = r#"{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "missing"},
        "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer"}"#;
    kubectl_with(&node.kubeconfig, &["apply", "-f", "-"], missing).ok();
    is_cured(&server, &class);
    kubectl(&node.kubeconfig, &["delete", "storageclass", "missing"]).ok();
    password.secret("db", "DATABASE_URL", &outside.url("shop", "right", "shop"));
    is_cured(&server, &password);
    secret.secret("later", "ANY", "thing");
    is_cured(&server, &secret);
    outside.sql("reader", "ALTER DATABASE reader OWNER TO reader");
    is_cured(&server, &migration);
    crash.secret("extra", "HOST", "0.0.0.0");
    is_cured(&server, &crash);
}
