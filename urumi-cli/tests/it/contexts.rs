//! The choice of the target: flags, the environment, saved contexts.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::server::TestServer;
use crate::support::{Run, urumi};

fn at(home: &Path) -> Command {
    let mut command = urumi();
    command.env("XDG_CONFIG_HOME", home);
    command
}

#[test]
fn contexts_are_kept_chosen_and_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| at(home.path()).run(args);
    assert_eq!(run(&["context", "list", "-o", "json"]).json(), json!([]));
    let ran = run(&["context", "list"]);
    assert!(ran.stderr.contains("no contexts are saved"), "{}", ran.stderr);

    let set = ["context", "set", "prod", "--server", "https://urumi.example.com/", "--token-file", "token"];
    let ran = at(home.path()).current_dir(home.path()).run(&set);
    assert!(ran.stderr.contains("warning: cannot read /") && ran.stderr.contains("/token: "), "{}", ran.stderr);
    // The first context becomes the default.
    assert!(ran.stderr.contains("commands now use the server https://urumi.example.com"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "");
    assert_eq!(run(&["context", "current"]).ok(), "prod\n");
    assert_eq!(run(&["context", "current", "-o", "json"]).json()["server"], "https://urumi.example.com");
    let ran = run(&["context", "set", "lab", "--server", "http://10.0.0.5:8080/urumi", "--ca-file", "/lab.pem"]);
    assert!(ran.stderr.contains("`urumi context use lab`"), "{}", ran.stderr);
    ran.ok();
    assert_eq!(run(&["context", "current"]).ok(), "prod\n");
    assert_eq!(run(&["context", "current", "--context", "lab"]).ok(), "lab\n");
    run(&["context", "set", "other", "--server", "https://x", "--use"]).ok();
    assert_eq!(run(&["context", "current"]).ok(), "other\n");
    run(&["context", "delete", "other"]).ok();
    let ran = run(&["context", "current"]);
    assert_eq!((ran.code, ran.stderr.contains("there is no default context")), (1, true), "{}", ran.stderr);
    run(&["context", "use", "lab"]).ok();
    let token = std::fs::canonicalize(home.path()).unwrap().join("token");
    let listed = run(&["context", "ls", "-o", "json"]).json();
    assert_eq!(
        listed,
        json!([
            {"name": "lab", "current": true, "server": "http://10.0.0.5:8080/urumi", "caFile": "/lab.pem"},
            {"name": "prod", "current": false, "server": "https://urumi.example.com", "tokenFile": token},
        ])
    );
    let table = run(&["context", "list"]).ok();
    assert!(table.lines().any(|line| line.starts_with("*        lab   http://10.0.0.5:8080/urumi")), "{table}");
    assert_eq!(run(&["context", "list", "-o", "name"]).ok(), "lab\nprod\n");

    let ran = run(&["context", "rm", "lab"]);
    assert!(ran.stderr.contains("it was the default"), "{}", ran.stderr);
    let listed = run(&["context", "list", "-o", "json"]).json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["current"]), (1, &json!(false)));
    run(&["context", "use", "prod"]).ok();
    run(&["context", "unset"]).ok();
    assert_eq!(run(&["context", "list", "-o", "json"]).json()[0]["current"], false);
}

#[test]
fn a_variable_that_outranks_the_default_is_named() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = |args: &[&str]| at(home.path()).env("URUMI_SERVER", "http://127.0.0.1:1").run(args);
    for args in [
        &["context", "set", "prod", "--server", "https://x"][..],
        &["context", "set", "lab", "--server", "https://y", "--use"],
        &["context", "use", "prod"],
        &["context", "none"],
        &["context", "use", "lab"],
        &["context", "delete", "lab"],
        &["context", "use", "prod"],
    ] {
        let ran = elsewhere(args);
        assert!(!ran.stderr.contains("commands now use"), "{args:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("warning: commands do not use it: URUMI_SERVER is set"),
            "{args:?}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains("`unset URUMI_SERVER`"), "{args:?}: {}", ran.stderr);
        ran.ok();
    }
    // What the default is does not depend on the variable.
    let ran = at(home.path()).run(&["context", "current"]);
    assert!(ran.stderr.contains("server https://x, the default"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "prod\n");
    let ran = elsewhere(&["context", "current"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    for said in
        ["no context, but the server http://127.0.0.1:1, chosen by URUMI_SERVER", "`unset URUMI_SERVER`", "prod"]
    {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    let ran = at(home.path()).env("URUMI_CLUSTER", "memory").run(&["context", "current"]);
    assert!(ran.stderr.contains("an in-memory cluster, chosen by URUMI_CLUSTER"), "{}", ran.stderr);
    at(home.path()).run(&["context", "set", "lab", "--server", "https://y"]).ok();
    let ran = at(home.path()).env("URUMI_CONTEXT", "lab").run(&["context", "current"]);
    assert!(ran.stderr.contains("server https://y, chosen by URUMI_CONTEXT"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "lab\n");
    let ran = elsewhere(&["context", "current", "--context", "lab"]);
    assert!(ran.stderr.contains("server https://y, chosen by --context"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "lab\n");
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only_and_holds_no_token() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let token = home.path().join("token");
    std::fs::write(&token, "s3cr3t-token\n").unwrap();
    let args = ["context", "set", "a", "--server", "https://x", "--token-file", token.to_str().unwrap()];
    at(home.path()).env("URUMI_TOKEN", "s3cr3t-token-too").run(&args).ok();
    let file = home.path().join("urumi/config.yaml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(home.path().join("urumi")).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("s3cr3t"));
    // Saving restores the permissions of the file.
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    at(home.path()).run(&["context", "use", "a"]).ok();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_is_said_nearest_to_the_command_counts() {
    let home = tempfile::tempdir().unwrap();
    let servers = [TestServer::start(), TestServer::start(), TestServer::start()];
    let [saved, environment, flag] = &servers;
    for (server, id) in [(saved, "saved"), (environment, "environment"), (flag, "flag")] {
        server.urumi().run(&["create", "x", "--id", id]).ok();
    }
    at(home.path()).run(&["context", "set", "a", "--server", &saved.address]).ok();
    at(home.path()).run(&["context", "use", "a"]).ok();
    let list = |variables: &[(&str, &str)], args: &[&str]| {
        at(home.path()).envs(variables.iter().copied()).args(["list", "-o", "name"]).run(args)
    };
    let to_env = ("URUMI_SERVER", environment.address.as_str());
    assert_eq!(list(&[], &[]).ok(), "saved\n");
    assert_eq!(list(&[to_env], &[]).ok(), "environment\n");
    assert_eq!(list(&[to_env], &["--server", &flag.address]).ok(), "flag\n");
    assert_eq!(list(&[("URUMI_CLUSTER", "memory")], &["--server", &flag.address]).ok(), "flag\n");
    assert_eq!(list(&[("URUMI_CLUSTER", "memory")], &[]).ok(), "");
    assert_eq!(list(&[to_env], &["--cluster", "memory"]).ok(), "");
    assert_eq!(list(&[("URUMI_SERVER", "")], &[]).ok(), "saved\n");
    assert_eq!(list(&[("URUMI_DOMAIN", ""), ("URUMI_CONTEXT", ""), ("URUMI_OUTPUT", "")], &[]).ok(), "saved\n");
    // A context can be chosen for one command.
    at(home.path()).run(&["context", "set", "b", "--server", &flag.address]).ok();
    assert_eq!(list(&[], &["--context", "b"]).ok(), "flag\n");
    assert_eq!(list(&[("URUMI_CONTEXT", "b")], &[]).ok(), "flag\n");
    assert_eq!(list(&[("URUMI_CONTEXT", "a"), to_env], &["--context", "b"]).ok(), "flag\n");
    let ran = list(&[], &["--context", "none"]);
    assert_eq!((ran.code, ran.stderr.contains("saved contexts: a, b")), (2, true), "{}", ran.stderr);
    // --kubeconfig and --kube-context choose a cluster.
    for choice in [["--kubeconfig", "/nonexistent"], ["--kube-context", "x"]] {
        let ran = list(&[to_env], &choice);
        assert_eq!(ran.code, 8, "{}", ran.stderr);
        assert!(ran.stderr.contains("kubeconfig"), "{}", ran.stderr);
    }
    let both = list(&[to_env, ("URUMI_CLUSTER", "memory")], &[]);
    assert_eq!(both.code, 2);
    assert!(both.stderr.contains("URUMI_SERVER and URUMI_CLUSTER are both set"), "{}", both.stderr);
    at(home.path()).run(&["context", "none"]).ok();
    assert_eq!(list(&[], &[]).code, 8);
}

#[test]
fn a_context_that_cannot_be_used_is_said_and_can_be_gone_without() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("urumi/config.yaml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    for (text, said) in [
        ("current: gone\n", "the default context \"gone\" does not exist"),
        ("current: [", "cannot read the saved contexts"),
        ("contexts: {a: {server: https://x, token: abc}}", "cannot read the saved contexts"),
    ] {
        std::fs::write(&file, text).unwrap();
        let ran = at(home.path()).run(&["list"]);
        assert_eq!((ran.code, ran.stderr.contains(said)), (2, true), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
        at(home.path()).run(&["list", "--cluster", "memory"]).ok();
    }
}

#[test]
fn the_demo_is_not_disturbed_by_a_saved_context() {
    let home = tempfile::tempdir().unwrap();
    at(home.path()).run(&["context", "set", "a", "--server", "http://127.0.0.1:1"]).ok();
    at(home.path()).run(&["context", "use", "a"]).ok();
    assert!(at(home.path()).run(&["demo"]).ok().starts_with("Namespace store-"));
    let ran = at(home.path()).run(&["monitor"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("a server runs its own monitor"), "{}", ran.stderr);
}
