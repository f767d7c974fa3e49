//! The commands one after another on a real API server, as people use them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::{MONITORS, Run, kubeconfig, urumi};

#[test]
fn a_store_from_its_creation_to_its_end() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _alone = MONITORS.blocking_lock();
    let id = format!("cli-{}", std::process::id());
    let name = format!("Test \"{id}\" 🛍");
    let urumi = || {
        let mut command: Command = urumi();
        command.env("KUBECONFIG", &kubeconfig);
        command
    };
    let _cleanup = Cleanup { id: &id, kubeconfig: &kubeconfig };

    let created = urumi().run(&["create", &name, "--id", &id, "-o", "json"]).json();
    assert_eq!(created["status"], "provisioning");

    // The same id again is a conflict, also in a dry run.
    for more in [&[][..], &["--dry-run"]] {
        let again = urumi().args(["create", "x", "--id", &id]).run(more);
        assert_eq!((again.code, again.stdout.as_str()), (4, ""), "{}", again.stderr);
    }

    // No monitor runs yet.
    let waited = urumi().run(&["wait", &id, "--timeout", "1s"]);
    assert_eq!((waited.code, waited.stdout.as_str()), (5, ""), "{}", waited.stderr);

    // A monitor completes the store, and prints its status changes.
    let mut monitor = Running(urumi().args(["monitor", "--only", &id]).stderr(Stdio::piped()).spawn().unwrap());
    let ready = urumi().run(&["wait", &name, "--timeout", "2m", "-o", "json"]).json();
    assert_eq!((ready["id"].as_str(), ready["status"].as_str()), (Some(id.as_str()), Some("ready")));
    let transition = format!("store {id} {name:?}: provisioning -> ready");
    let mut said = BufReader::new(monitor.0.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains(&transition)));
    assert!(Command::new("kill").arg(monitor.0.id().to_string()).status().unwrap().success());
    assert_eq!(monitor.0.wait().unwrap().code(), Some(0));

    // By id, by a prefix of the id, by name.
    for which in [id.as_str(), &id[..id.len() - 1], &name] {
        assert_eq!(urumi().run(&["get", which, "-o", "name"]).ok(), format!("{id}\n"), "{which}");
    }
    let listed = urumi().run(&["list", "--status", "ready", "-o", "name"]).ok();
    assert!(listed.lines().any(|line| line == id), "{listed}");
    assert!(!urumi().run(&["list", "--status", "failed", "-o", "name"]).ok().lines().any(|line| line == id));

    // A ready store cannot be retried, and has no differences until somebody changes it.
    assert_eq!(urumi().run(&["retry", &id]).code, 4);
    assert_eq!(urumi().run(&["diff", &id, "-o", "json"]).json(), json!({"id": id, "differences": []}));
    let namespace = format!("store-{id}");
    let scaled = Command::new("kubectl")
        .env("KUBECONFIG", &kubeconfig)
        .args(["-n", &namespace, "scale", "deployment/medusa-api", "--replicas=3"])
        .status();
    assert!(scaled.unwrap().success());
    let differences = urumi().run(&["diff", &id, "-o", "json"]).json();
    assert_eq!(differences["differences"][0]["action"], "repair", "{differences}");
    assert_eq!(differences["differences"][0]["fields"][0]["path"], "spec.replicas", "{differences}");
    let text = urumi().run(&["diff", &id]).ok();
    assert!(text.contains("spec.replicas: 3 should be 1"), "{text}");

    // No output contains the password stored in the API server.
    let secret = Command::new("kubectl")
        .env("KUBECONFIG", &kubeconfig)
        .args(["-n", &namespace, "get", "secret", "postgres-credentials", "-o", "jsonpath={.data.POSTGRES_PASSWORD}"])
        .output();
    let secret = String::from_utf8(secret.unwrap().stdout).unwrap();
    assert!(secret.len() > 20, "a password of 20 characters, in Base64");
    for args in [["get", &id, "-o", "yaml"], ["get", &id, "-o", "json"], ["diff", &id, "-o", "json"]] {
        assert!(!urumi().run(&args).ok().contains(&secret));
    }

    // A watch begins with the current state.
    let mut watch = Running(urumi().args(["watch", &id, "-o", "json"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut events = BufReader::new(watch.0.stdout.take().unwrap()).lines();
    let listed: serde_json::Value = serde_json::from_str(&events.next().unwrap().unwrap()).unwrap();
    assert_eq!((listed["type"].as_str(), listed["stores"][0]["id"].as_str()), (Some("listed"), Some(id.as_str())));

    // The watch ends when the store is deleted.
    let deleted = urumi().run(&["delete", &id, "--yes", "--wait", "--timeout", "2m", "-o", "json"]).json();
    assert_eq!(deleted["status"], "deleting");
    let last = events.map_while(Result::ok).last().unwrap();
    let last: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!(last, json!({"type": "gone", "id": id}));
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
    assert_eq!(urumi().run(&["get", &id]).code, 3);
}

/// A running command, killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Deletes the store when dropped, even if the test failed.
struct Cleanup<'a> {
    id: &'a str,
    kubeconfig: &'a str,
}

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        let _ = urumi().env("KUBECONFIG", self.kubeconfig).args(["delete", self.id, "--yes"]).output();
    }
}
