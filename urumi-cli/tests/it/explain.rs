//! A store's history, logs and differences.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::{ServerSetup, TestServer};
use crate::support::Run;

fn talking() -> TestServer {
    let logs = vec![
        ("api", "GET /health 200"),
        ("database", "ready to \u{1b}[31maccept\u{1b}[0m connections"),
        ("storefront", "!"),
        ("api", "POST /cart 201"),
    ];
    let server = TestServer::with(ServerSetup { logs, ..ServerSetup::default() });
    server.urumi().run(&["create", "Shop", "--id", "shop", "--wait"]).ok();
    server
}

#[test]
fn logs_say_where_they_come_from() {
    let server = talking();
    let ran = server.urumi().run(&["logs", "Shop"]);
    assert!(ran.stderr.contains("warning: "), "a container that cannot be read is not mentioned: {}", ran.stderr);
    assert_eq!(
        ran.ok(),
        "[api api-0] GET /health 200\n[database database-0] ready to accept connections\n[api api-0] POST /cart 201\n"
    );
    let api = server.urumi().run(&["logs", "shop", "-c", "api", "--tail", "1"]);
    assert_eq!(api.ok(), "[api api-0] POST /cart 201\n");
    let bare = server.urumi().run(&["logs", "shop", "-c", "api", "--tail", "1", "--no-prefix"]);
    assert_eq!(bare.ok(), "POST /cart 201\n");
    let texts = server.urumi().run(&["logs", "shop", "-c", "api", "-o", "jsonpath={.text}"]);
    assert_eq!(texts.ok(), "GET /health 200\nPOST /cart 201\n");
    let json = server.urumi().run(&["logs", "shop", "-o", "json"]).ok();
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (lines.len(), &lines[1]),
        (
            3,
            &json!({"component": "database", "pod": "database-0", "container": "database",
                    "text": "ready to \u{1b}[31maccept\u{1b}[0m connections"})
        )
    );
    let coloured = server.urumi().env_remove("NO_COLOR").run(&["logs", "shop", "--color", "always"]).ok();
    let colour_of = |line: &str| line.split('[').nth(1).unwrap_or_default().to_owned();
    let colours: Vec<String> = coloured.lines().map(colour_of).collect();
    assert_eq!((colours[0] == colours[2], colours[0] == colours[1]), (true, false), "{coloured:?}");
}

#[test]
fn logs_that_are_followed_end_with_ctrl_c() {
    let server = talking();
    for signal in ["-INT", "-TERM"] {
        let mut child =
            server.urumi().args(["logs", "shop", "-f"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("POST /cart 201") {
            assert_ne!(stdout.read_line(&mut said).unwrap(), 0, "it ended: {said}");
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert!(!stderr.contains("error: "), "{stderr}");
    }
}

#[test]
fn logs_that_break_off_are_no_success() {
    let mut server = talking();
    let mut child = server
        .urumi()
        .args(["logs", "shop", "--follow", "--component", "database", "--no-prefix"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready to accept connections\n");
    server.stop();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(8), "{said}");
}

#[test]
fn logs_that_are_not_there_are_said() {
    let server = talking();
    let ran = server.urumi().run(&["logs", "shop", "--component", "cache"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("there is no component"), "{}", ran.stderr);
    // The only chosen container cannot be read.
    let ran = server.urumi().run(&["logs", "shop", "--component", "storefront"]);
    assert_ne!(ran.code, 0, "{}", ran.stderr);
    let silent = TestServer::start();
    silent.urumi().run(&["create", "Shop", "--id", "shop"]).ok();
    let ran = silent.urumi().run(&["logs", "shop"]);
    assert!(ran.stderr.contains("the logs of store shop are empty"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "");
}

#[test]
fn events_tell_a_stores_life() {
    let server = talking();
    let events = server.urumi().run(&["events", "shop", "-o", "json"]).json();
    let of = |source: &str| -> Vec<&str> {
        let events = events.as_array().unwrap().iter().filter(|e| e["source"] == source);
        events.map(|e| e["reason"].as_str().unwrap()).collect()
    };
    assert_eq!(of("urumi"), ["Created", "Ready"], "{events}");
    let table = server.urumi().run(&["events", "Shop"]).ok();
    let mut lines = table.lines();
    let head: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["TIME", "SOURCE", "TYPE", "REASON", "OBJECT", "MESSAGE"]);
    assert!(lines.any(|line| line.contains("Created") && line.contains("the store is on record")), "{table}");
    let wide = server.urumi().run(&["events", "shop", "-o", "wide"]).ok();
    assert!(wide.lines().next().unwrap().contains("AGE  COUNT  SOURCE"), "{wide}");
    let warnings = server.urumi().run(&["events", "shop", "--type", "warning", "-o", "json"]).json();
    assert!(warnings.as_array().unwrap().iter().all(|event| event["type"] == "Warning"), "{warnings}");
    assert_eq!(server.urumi().run(&["events", "shop", "--since", "1h", "-o", "json"]).json(), events);
    let yaml = server.urumi().run(&["events", "shop", "-o", "yaml"]).ok();
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), events);
}

#[test]
fn events_that_are_followed_end_with_the_store() {
    let server = talking();
    let mut follow =
        server.urumi().args(["events", "shop", "--follow", "-o", "json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(first["reason"], "Created");
    server.urumi().run(&["delete", "shop", "--yes"]).ok();
    let all: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(all.iter().any(|line| line.contains("\"Ready\"")), "{all:?}");
    assert_eq!(follow.wait().unwrap().code(), Some(0));
}

#[test]
fn everything_about_a_store_is_described() {
    let server = talking();
    let text = server.urumi().run(&["describe", "shop"]).ok();
    for part in ["Id          shop", "DatabaseReady", "api.replicas", "the store is on record"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = server.urumi().run(&["describe", "shop", "-o", "json"]).json();
    assert_eq!((&json["id"], &json["events"][0]["reason"]), (&json!("shop"), &json!("Created")));
    assert_eq!(json["effectiveOptions"]["api"]["replicas"], 1);
}

#[test]
fn differences_are_shown_with_their_fields() {
    use k8s_openapi::api::apps::v1::Deployment;
    use urumi_core::kubernetes::{Kind, ObjectRef};
    let server = talking();
    let api =
        ObjectRef { kind: Kind::of::<Deployment>(), namespace: Some("store-shop".into()), name: "medusa-api".into() };
    server.urumi().run(&["diff", "shop", "--exit-code"]).ok();
    server.cluster.modify(&api, |api| api.as_value_mut()["spec"]["replicas"] = json!(3)).unwrap();
    // If the monitor repairs the store first, there is no difference.
    let text = server.urumi().run(&["diff", "shop"]).ok();
    let ran = server.urumi().run(&["diff", "shop", "--exit-code"]);
    assert_eq!(ran.code, if ran.stdout.is_empty() { 0 } else { 9 }, "{}", ran.stderr);
    assert!(text.is_empty() || text.contains("repair Deployment store-shop/medusa-api\n  spec.replicas: 3"), "{text}");
}
