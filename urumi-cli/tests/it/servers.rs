//! Working, unreachable and broken servers, and servers with a private CA.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{ServerSetup, TestServer, answering};
use crate::support::{Run, urumi};

#[test]
fn a_store_from_its_creation_to_its_end() {
    let server = TestServer::start();
    let run = |args: &[&str]| server.urumi().run(args);
    let created = run(&["create", "My \"Shop\" 🛍", "--id", "shop"]);
    assert!(created.stderr.contains("is being set up by the server; `urumi wait shop`"), "{}", created.stderr);
    created.ok();
    let ready = run(&["wait", "My \"Shop\" 🛍", "-o", "json"]).json();
    assert_eq!((ready["id"].as_str(), ready["status"].as_str()), (Some("shop"), Some("ready")));
    for which in ["shop", "sh", "My \"Shop\" 🛍"] {
        assert_eq!(run(&["get", which, "-o", "name"]).ok(), "shop\n");
    }
    assert!(run(&["get", "shop"]).ok().contains("Owner       user:local\n"));
    assert_eq!(run(&["list", "--status", "ready", "-o", "name"]).ok(), "shop\n");
    assert_eq!(run(&["list", "--status", "failed", "-o", "json"]).json(), json!([]));
    assert_eq!(run(&["diff", "shop", "-o", "json"]).json(), json!({"id": "shop", "differences": []}));

    // An existing store is a conflict, as on a cluster.
    for more in [&[][..], &["--dry-run"], &["--wait"]] {
        let again = server.urumi().args(["create", "x", "--id", "shop"]).run(more);
        assert_eq!((again.code, again.stdout.as_str()), (4, ""), "{}", again.stderr);
    }
    for more in [&[][..], &["--wait"]] {
        let retried = server.urumi().args(["retry", "shop"]).run(more);
        assert_eq!(retried.code, 4, "{}", retried.stderr);
        assert!(retried.stderr.contains("it is ready; only a failed or provisioning store"), "{}", retried.stderr);
    }

    let restarted = run(&["restart", "shop", "-c", "storefront"]);
    assert!(restarted.stderr.contains("is being restarted by the server"), "{}", restarted.stderr);
    let unknown = run(&["restart", "shop", "-c", "till"]);
    assert_eq!(unknown.code, 2, "{}", unknown.stderr);
    assert!(unknown.stderr.contains("choose one of database, api, storefront"), "{}", unknown.stderr);

    // A watch begins with the current state, and ends when its store is deleted.
    let mut watch = server.urumi().args(["watch", "shop", "-o", "json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut events = BufReader::new(watch.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&events.next().unwrap().unwrap()).unwrap();
    assert_eq!((&first["type"], &first["stores"][0]["id"]), (&json!("listed"), &json!("shop")));
    let deleted = run(&["delete", "shop", "--yes", "--wait", "-o", "json"]);
    assert!(deleted.stderr.contains("store shop is deleted"), "{}", deleted.stderr);
    assert_eq!(deleted.json()["status"], "deleting");
    let last = events.map_while(Result::ok).last().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&last).unwrap(), json!({"type": "gone", "id": "shop"}));
    assert_eq!(watch.wait().unwrap().code(), Some(0));
    assert_eq!(run(&["get", "shop"]).code, 3);
    assert_eq!(run(&["wait", "shop", "--for", "deleted"]).ok(), "");
}

#[test]
fn a_command_that_is_repeated_with_its_key_makes_one_store() {
    let server = TestServer::start();
    let create = ["create", "Shop", "--idempotency-key", "order 66", "-o", "name"];
    let first = server.urumi().run(&create).ok();
    assert_eq!(server.urumi().run(&create).ok(), first);
    assert_eq!(server.urumi().args(create).run(&["--wait"]).ok(), first);
    assert_eq!(server.urumi().run(&["list", "-o", "name"]).ok(), first);
}

#[test]
fn a_key_for_something_else_and_a_changed_store_have_codes_of_their_own() {
    let server = TestServer::start();
    let run = |args: &[&str]| server.urumi().run(args);
    let id = run(&["create", "Shop", "--idempotency-key", "k", "--wait", "-o", "name"]).ok();
    let other = run(&["create", "Another", "--idempotency-key", "k"]);
    assert_eq!(other.code, 2, "{}", other.stderr);
    let changed = run(&["delete", id.trim_end(), "--yes", "--if-version", "1"]);
    assert_eq!(changed.code, 4, "{}", changed.stderr);
    let store = run(&["get", id.trim_end(), "-o", "json"]).json();
    run(&["delete", id.trim_end(), "--yes", "--if-version", store["resourceVersion"].as_str().unwrap()]).ok();
}

#[test]
fn a_limit_for_a_cluster_is_no_limit_of_a_server() {
    let server = TestServer::start();
    for (flag, variable) in [
        ("--max-stores-per-owner", "URUMI_MAX_STORES_PER_OWNER"),
        ("--max-provisioning-per-owner", "URUMI_MAX_PROVISIONING_PER_OWNER"),
    ] {
        let ran = server.urumi().run(&["create", "x", flag, "1"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("a server has its own limits"), "{}", ran.stderr);
        // The variable is for all commands, also on clusters.
        server.urumi().env(variable, "0").run(&["create", "x"]).ok();
    }
    assert_eq!(server.urumi().run(&["list", "-o", "name"]).ok().lines().count(), 2);
}

#[test]
fn a_server_on_this_machine_is_asked_without_a_proxy() {
    let server = TestServer::start();
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        server.urumi().env(variable, "http://127.0.0.1:1").run(&["list"]).ok();
    }
}

#[test]
fn a_store_that_is_not_ready_in_time_goes_on() {
    let server = TestServer::with(ServerSetup { delay: Duration::from_secs(3600), ..ServerSetup::default() });
    let ran = server.urumi().run(&["create", "x", "--id", "shop", "--wait", "--timeout", "1s"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("`urumi events shop` shows the store's history"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("monitor"), "{}", ran.stderr);
}

#[test]
fn a_server_that_is_away_or_none_is_told_apart() {
    for args in [&["list"][..], &["create", "x"], &["render", "x"], &["engines"], &["whoami"], &["logs", "x"]] {
        let ran = urumi().args(["--server", "http://127.0.0.1:1"]).run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (8, ""), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("the server gave no answer: Connection refused"), "{}", ran.stderr);
        assert!(ran.stderr.contains("`urumi doctor`") && !ran.stderr.contains("kubeconfig"), "{}", ran.stderr);
    }
    for (response, said) in [
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>welcome</html>", "is none of a urumi server"),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\": 1}", "is none of a urumi server"),
        ("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nnothing here", "answered 404, not as a urumi server does"),
        ("HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "answered 301"),
    ] {
        let address = answering(response);
        // A response of another server does not mean that the store is deleted.
        for args in [&["list"][..], &["get", "shop"], &["wait", "shop", "--for", "deleted"], &["delete", "x", "-y"]] {
            let ran = urumi().args(["--server", &address]).run(args);
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{args:?}: {}", ran.stderr);
            assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
        }
        let ran = urumi().args(["--server", &address]).run(&["doctor"]);
        assert_eq!(ran.code, 1);
        assert!(ran.stdout.contains("this is not a urumi server: it answers"), "{}", ran.stdout);
    }
    // A wrong path of a urumi server says nothing about stores either.
    let server = TestServer::start();
    let address = format!("{}/stores", server.address);
    for args in [&["list"][..], &["engines"], &["watch"]] {
        let ran = urumi().args(["--server", &address]).run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("check the path of the server's address"), "{args:?}: {}", ran.stderr);
    }
    let ran = urumi().args(["--server", &answering("rubbish\r\n\r\n")]).run(&["list"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (8, ""), "{}", ran.stderr);
}

#[test]
fn a_private_ca_is_trusted_by_its_file_only() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    let server = TestServer::with(ServerSetup { tls: Some(file.clone()), ..ServerSetup::default() });
    let ran = server.urumi().run(&["list"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (8, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("certificate") && ran.stderr.contains("--ca-file FILE"), "{}", ran.stderr);
    let ran = server.urumi().run(&["doctor"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("if a private CA signed the certificate, pass the CA's certificate"), "{}", ran.stdout);
    let trusted = ["--ca-file", file.to_str().unwrap()];
    server.urumi().args(trusted).run(&["create", "x", "--id", "shop", "--wait"]).ok();
    let checked = server.urumi().args(trusted).run(&["doctor"]).ok();
    assert!(checked.contains("the connection is encrypted, and the certificate is trusted"), "{checked}");
    // A server without TLS, reached by https.
    let plain = TestServer::start();
    let ran = urumi().args(["--server", &plain.address.replace("http:", "https:")]).run(&["doctor"]);
    assert!(ran.stdout.contains("is the address http:// rather than https://?"), "{}", ran.stdout);
    let ran = urumi().args(["--server", &plain.address.replace("http:", "https:")]).run(&["list"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (8, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("is the address http:// rather than https://?"), "{}", ran.stderr);
    let other = dir.path().join("other.pem");
    std::fs::write(&other, "no certificate").unwrap();
    let ran = server.urumi().run(&["list", "--ca-file", other.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stderr.contains("there is none in PEM")), (2, true), "{}", ran.stderr);
}

#[test]
fn the_doctor_finds_a_good_server_well() {
    let server = TestServer::start();
    server.urumi().run(&["create", "x"]).ok();
    let findings = server.urumi().run(&["doctor", "-o", "json"]).json();
    let findings = findings.as_array().unwrap();
    assert!(findings.iter().all(|f| f["result"] == "ok"), "{findings:?}");
    for said in [
        "on this machine",
        "the server is ready",
        "clock",
        "are urumi",
        "you are local, with the role admin",
        "available engines: medusa",
        "1 store; its record is readable",
    ] {
        assert!(findings.iter().any(|f| f["what"].as_str().unwrap().contains(said)), "{said}: {findings:?}");
    }
}

#[test]
fn the_server_says_its_version() {
    let server = TestServer::start();
    let own = env!("CARGO_PKG_VERSION");
    let text = server.urumi().run(&["version"]).ok();
    assert_eq!(text, format!("urumi {own}\nserver {own} at {}/\n", server.address));
    let version = server.urumi().run(&["version", "-o", "json"]).json();
    assert_eq!((&version["version"], &version["server"]["version"]), (&json!(own), &json!(own)));
    assert_eq!(version["server"]["cluster"], "kubernetes");
    // A server that is not for real stores says so.
    let setup = ServerSetup { notices: vec!["These stores are simulated.".into()], ..ServerSetup::default() };
    let simulated = TestServer::with(setup);
    for command in ["version", "whoami"] {
        let ran = simulated.urumi().run(&[command]);
        assert!(ran.stderr.contains("note: These stores are simulated."), "{command}: {}", ran.stderr);
    }
    assert!(simulated.urumi().run(&["doctor"]).ok().contains("warn  These stores are simulated."));
    // The command's own version is printed without the server.
    let ran = urumi().args(["--server", "http://127.0.0.1:1"]).run(&["version", "-o", "json"]);
    assert!(ran.stderr.contains("warning: the server's version is unknown"), "{}", ran.stderr);
    assert_eq!(ran.json()["server"]["version"], Value::Null);
}
