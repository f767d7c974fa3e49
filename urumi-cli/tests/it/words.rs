//! What people type who know other tools.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::server::TestServer;
use crate::support::{Run, on_memory, urumi};

#[test]
fn help_is_a_command() {
    let help = urumi().run(&["help"]).ok();
    assert!(help.contains("Usage: urumi") && help.contains("--kubeconfig"), "{help}");
    assert_eq!(urumi().run(&["help", "create"]).ok(), urumi().run(&["create", "--help"]).ok());
    assert!(urumi().run(&["help", "context", "set"]).ok().contains("--use"));
    let list = urumi().run(&["list", "--help"]).ok();
    assert!(!list.contains("--kubeconfig") && list.contains("see `urumi options`"), "{list}");
    let options = urumi().run(&["options"]).ok();
    assert!(options.contains("--kubeconfig") && options.contains("--context"), "{options}");
    // Hidden options are accepted.
    assert_eq!(urumi().run(&["list", "--cluster", "memory", "-o", "json"]).json(), json!([]));
}

#[test]
fn words_of_other_tools_are_understood() {
    let server = TestServer::start();
    server.urumi().run(&["new", "Shop", "--id", "shop", "--wait"]).ok();
    for word in ["show", "info", "status", "get"] {
        assert!(server.urumi().run(&[word, "shop"]).ok().starts_with("Id          shop"), "{word}");
    }
    assert_eq!(server.urumi().run(&["stores", "-o", "name"]).ok(), "shop\n");
    assert_eq!(server.urumi().run(&["destroy", "shop", "--yes", "--wait", "-o", "name"]).ok(), "shop\n");
    assert_eq!(server.urumi().run(&["remove", "shop", "--yes", "--ignore-not-found"]).ok(), "");
}

#[test]
fn a_store_is_opened_or_its_url_printed() {
    let server = TestServer::start();
    server.urumi().run(&["create", "Shop", "--id", "shop", "--wait"]).ok();
    // Without a display, too.
    for args in [&["open", "shop"][..], &["open", "shop", "--print"]] {
        assert_eq!(server.urumi().run(args).ok(), "http://store-shop.localtest.me\n");
    }
    let admin = server.urumi().run(&["open", "shop", "--admin", "-o", "json"]).json();
    assert!(admin["url"].as_str().is_some_and(|url| url.starts_with("http://api-shop.localtest.me")), "{admin}");
}

#[test]
fn a_store_is_created_like_another_one() {
    let server = TestServer::start();
    let dir = tempfile::tempdir().unwrap();
    let create = ["create", "Shop", "--id", "shop", "--label", "team=web", "--set", "api.replicas=2", "--wait"];
    server.urumi().run(&create).ok();
    let wide = server.urumi().run(&["get", "shop", "-o", "wide"]).ok();
    assert!(wide.lines().any(|line| line.starts_with("api.replicas ") && line.contains("chosen")), "{wide}");
    let yaml = server.urumi().run(&["get", "shop", "-o", "yaml"]).ok();
    let file = dir.path().join("store.yaml");
    std::fs::write(&file, &yaml).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(server.urumi().run(&["create", "-f", file]).code, 4, "the id exists");
    for target in [server.urumi(), on_memory()] {
        let mut target = target;
        let dry = target.run(&["create", "-f", file, "--id", "copy", "--dry-run", "-o", "json"]).json();
        assert_eq!(
            (&dry["id"], &dry["name"], &dry["options"]["api"]["replicas"]),
            (&json!("copy"), &json!("Shop"), &json!(2))
        );
    }
    server.urumi().run(&["create", "Copy", "-f", file, "--id", "copy", "--set", "api.replicas=1"]).ok();
    let copy = server.urumi().run(&["get", "copy", "-o", "json"]).json();
    assert_eq!((&copy["name"], &copy["labels"]), (&json!("Copy"), &json!({"team": "web"})));
    assert_eq!(
        (&copy["options"]["api"]["replicas"], &copy["effectiveOptions"]["api"]["replicas"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn a_secret_is_not_created_from_its_placeholder() {
    let server = TestServer::start();
    let dir = tempfile::tempdir().unwrap();
    server.urumi().run(&["create", "Shop", "--id", "shop", "--set", "api.secretEnv.KEY=s3cr3t", "--wait"]).ok();
    let yaml = server.urumi().run(&["get", "shop", "-o", "yaml"]).ok();
    assert!(yaml.contains("REDACTED") && !yaml.contains("s3cr3t"), "{yaml}");
    let file = dir.path().join("store.yaml");
    std::fs::write(&file, &yaml).unwrap();
    let file = file.to_str().unwrap();
    let ran = server.urumi().run(&["create", "-f", file, "--id", "copy"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("options.api.secretEnv.KEY: the file does not contain the secret"), "{}", ran.stderr);
    server.urumi().run(&["create", "-f", file, "--id", "copy", "--set", "api.secretEnv.KEY=other"]).ok();
}

#[test]
fn errors_for_programs_are_json() {
    let server = TestServer::start();
    let error = |args: &[&str]| -> Value {
        let ran = server.urumi().run(args);
        let json: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(json["exitCode"], ran.code, "{args:?}");
        json
    };
    let missing = error(&["get", "nope", "-o", "json"]);
    assert_eq!(missing["exitCode"], 3);
    assert!(missing["errors"][0].as_str().unwrap().contains("nope"), "{missing}");
    assert_eq!(missing["hints"].as_array().map(Vec::len), Some(1), "{missing}");
    let unparsed = error(&["create", "My", "Shop", "-o", "json"]);
    assert!(unparsed["errors"][0].as_str().unwrap().contains("unexpected argument 'Shop'"), "{unparsed}");
    assert!(unparsed["hints"][0].as_str().unwrap().starts_with("quote a name"), "{unparsed}");
}

#[test]
fn manual_pages_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("man1");
    urumi().run(&["man", "--out", out.to_str().unwrap()]).ok();
    let page = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert!(page("urumi.1").contains("kubeconfig") && page("urumi-context-set.1").contains("NAME"));
    assert!(!page("urumi-list.1").contains("kubeconfig"));
    assert!(!out.join("urumi-help.1").exists());
}

/// What the shell's script asks for, and what it is answered.
fn completed(command: &mut std::process::Command, words: &[&str]) -> Vec<String> {
    let index = (words.len() - 1).to_string();
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_IFS", "\n");
    let ran = command.arg("--").stdin(Stdio::null()).run(words);
    assert_eq!(ran.stderr, "");
    ran.ok().lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn arguments_are_completed_from_live_data() {
    let server = TestServer::start();
    for id in ["shop", "shop2", "tea"] {
        server.urumi().run(&["create", "x", "--id", id]).ok();
    }
    let complete = |words: &[&str]| completed(&mut server.urumi(), words);
    for command in ["get", "delete", "logs", "open"] {
        assert_eq!(complete(&["urumi", command, "sh"]), ["shop", "shop2"], "{command}");
    }
    assert_eq!(complete(&["urumi", "delete", "shop", "t"]), ["tea"]);
    assert_eq!(complete(&["urumi", "engines", "m"]), ["medusa"]);
    assert_eq!(complete(&["urumi", "engines", "medusa", "api.replic"]), ["api.replicas"]);
    let components = complete(&["urumi", "logs", "shop", "--component", ""]);
    for component in ["api", "database", "proof-of-life", "storefront"] {
        assert!(components.contains(&component.to_owned()), "{component} is missing: {components:?}");
    }
    server.urumi().run(&["wait", "shop"]).ok();
    server.urumi().run(&["smoke", "shop"]).ok();
    // The monitor has yet to see how the order ended.
    let sees_orders = || complete(&["urumi", "logs", "shop", "--component", "s"]).contains(&"smoke".to_owned());
    assert!((0..200).any(|_| sees_orders()), "an order was placed, but its logs are not offered");
    assert!(complete(&["urumi", "list", "--kube"]).contains(&"--kubeconfig".to_owned()));
    // A server that does not answer makes nobody wait, and prints nothing.
    let away = ["urumi", "--server", "http://127.0.0.1:1", "get", ""];
    assert!(!completed(&mut urumi(), &away).iter().any(|candidate| candidate == "shop"));
    let home = tempfile::tempdir().unwrap();
    let at = || {
        let mut command = urumi();
        command.env("XDG_CONFIG_HOME", home.path());
        command
    };
    at().run(&["context", "set", "prod", "--server", "https://x"]).ok();
    assert_eq!(completed(&mut at(), &["urumi", "context", "use", ""])[0], "prod");
    assert_eq!(completed(&mut at(), &["urumi", "list", "--context", "p"]), ["prod"]);
}
