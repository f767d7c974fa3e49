//! Kills `urumi create` after each of its writes in turn. `urumi monitor` must complete the store.

use std::process::Stdio;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use tokio::process::Command;
use urumi_testing::{Killer, Moment};

use crate::support::{MONITORS, Run, kubeconfig, urumi};

/// Runs `urumi create`, and kills it after the response to its n-th write.
async fn create_and_kill(killer: &Killer, id: &str, kill_after: usize) {
    let mut create = Command::new(env!("CARGO_BIN_EXE_urumi"));
    create.args(["create", "Cut short", "--id", id, "--kubeconfig", &killer.kubeconfig()]);
    create.stdout(Stdio::null()).stderr(Stdio::null());
    killer.start_and_kill(id, kill_after, Moment::After, || create.spawn().unwrap()).await;
    killer.done(Duration::from_secs(60)).await;
}

async fn password(client: &kube::Client, id: &str) -> Option<Secret> {
    Api::namespaced(client.clone(), &format!("store-{id}")).get_opt("postgres-credentials").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_killed_after_any_of_its_writes_is_finished_by_a_monitor() {
    let Some(path) = kubeconfig() else { return };
    let _alone = MONITORS.lock().await;
    let client = urumi_testing::client(&path).await;
    let killer = Killer::start(client.clone()).await;
    let run = std::process::id();
    // One write for each object.
    let writes = urumi().run(&["render", "Cut short", "-o", "json"]).json()["items"].as_array().unwrap().len();
    let ids: Vec<String> = (1..=writes).map(|n| format!("crash-{run}-{n}")).collect();
    let mut passwords = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        create_and_kill(&killer, id, index + 1).await;
        passwords.push(password(&client, id).await);
    }

    let mut monitor = Command::new(env!("CARGO_BIN_EXE_urumi"))
        .args(["monitor", "--kubeconfig", &path])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let waits = ids.iter().map(|id| {
        Command::new(env!("CARGO_BIN_EXE_urumi"))
            .args(["wait", id, "--for", "ready", "--timeout", "2m", "--kubeconfig", &path])
            .output()
    });
    for (id, waited) in ids.iter().zip(join_all(waits).await) {
        let waited = waited.unwrap();
        assert!(waited.status.success(), "{id}: {}", String::from_utf8_lossy(&waited.stderr));
    }
    monitor.kill().await.unwrap();

    for (index, id) in ids.iter().enumerate() {
        let after = password(&client, id).await;
        assert!(after.is_some());
        if let Some(before) = passwords.get(index).cloned().flatten() {
            assert_eq!(Some(before), after, "a second password, after a kill at write {}", index + 1);
        }
        let diff = urumi().run(&["diff", id, "-o", "json", "--kubeconfig", &path]).json();
        assert_eq!(diff["differences"], serde_json::json!([]), "{id}");
    }
    let listed = urumi().run(&["list", "-o", "json", "--kubeconfig", &path]).json();
    let named =
        listed.as_array().unwrap().iter().filter(|s| s["id"].as_str().unwrap().starts_with(&format!("crash-{run}-")));
    assert_eq!(named.count(), writes, "one store for each creation");
    for id in &ids {
        urumi().run(&["delete", id, "--yes", "--kubeconfig", &path]).ok();
    }
    for id in &ids {
        urumi().run(&["wait", id, "--for", "deleted", "--timeout", "2m", "--kubeconfig", &path]).ok();
    }
}
