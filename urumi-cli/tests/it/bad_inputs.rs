//! Invalid command lines: each gets a precise error and the right exit code, and prints nothing to stdout.

use crate::server::TestServer;
use crate::support::{CommandOutput, Run, on_memory, urumi};

/// Exit codes and the arguments that must cause them.
fn table() -> Vec<(i32, Vec<String>)> {
    let long_name = "n".repeat(10 * 1024);
    let long_id = "i".repeat(64);
    let set = |set: &str| vec!["create".to_owned(), "x".into(), "--set".into(), set.into()];
    let args = |args: &[&str]| args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>();
    let mut table = vec![
        // Missing arguments, unknown commands and options.
        (2, args(&["frobnicate"])),
        (2, args(&["create"])),
        (2, args(&["get"])),
        (2, args(&["delete"])),
        (2, args(&["wait"])),
        (2, args(&["retry"])),
        (2, args(&["restart"])),
        (2, args(&["render"])),
        (2, args(&["diff"])),
        (2, args(&["completions"])),
        (2, args(&["completions", "tcsh"])),
        (2, args(&["list", "extra"])),
        (2, args(&["create", "x", "y"])),
        (2, args(&["create", "x", "--colour"])),
        // Names.
        (2, args(&["create", ""])),
        (2, args(&["create", " "])),
        (2, args(&["create", " x"])),
        (2, args(&["create", "a\nb"])),
        (2, args(&["create", "a\tb"])),
        (2, args(&["create", "a\u{1b}[31mb"])),
        (2, args(&["create", "a\u{202e}b"])),
        (2, args(&["create", "a\u{200b}b"])),
        (2, args(&["create", &long_name])),
        (2, args(&["create", &"🛍".repeat(101)])),
        (2, args(&["render", ""])),
        // Ids.
        (2, args(&["create", "x", "--id", ""])),
        (2, args(&["create", "x", "--id", "a..b"])),
        (2, args(&["create", "x", "--id", "../x"])),
        (2, args(&["create", "x", "--id", "Shop"])),
        (2, args(&["create", "x", "--id", "a_b"])),
        (2, args(&["create", "x", "--id", "a b"])),
        (2, args(&["create", "x", "--id", "ü"])),
        (2, args(&["create", "x", "--id=-a"])),
        (2, args(&["create", "x", "--id", "-a"])),
        (2, args(&["create", "x", "--id", "a-"])),
        (2, args(&["create", "x", "--id", &long_id])),
        (2, args(&["create", "x", "--id", "a\nb"])),
        // Engines and the notation of options.
        (2, args(&["create", "x", "--engine", "shopware"])),
        (2, args(&["create", "x", "--engine", ""])),
        (2, args(&["engines", "shopware"])),
        (2, set("")),
        (2, set("api.replicas")),
        (2, set("=1")),
        (2, set("api..replicas=1")),
        (2, set("\"api=1")),
        (2, set("api.replica=1")),
        (2, set("replicas=1")),
        (2, set("nothing.at.all=1")),
        (2, set("api.image.tag=1")),
        (2, set("api=1")),
        // Values with the wrong type.
        (2, set("api.replicas=two")),
        (2, set("api.replicas=1.5")),
        (2, set("api.replicas=")),
        (2, set("networkPolicy.enabled=yes")),
        (2, set("ingress.controllerNamespaces=[\"a\"")),
        // Values that the engine rejects.
        (2, set("api.replicas=-1")),
        (2, set("storefront.replicas=4294967296")),
        (2, set("api.image=")),
        (2, set("api.image=UPPER CASE")),
        (2, set("database.storage.size=0")),
        (2, set("database.storage.size=-5Gi")),
        (2, set("database.storage.size=5GiB")),
        (2, set("api.resources.requests.memory=lots")),
        (2, set("api.resources.limits.cpu=-1")),
        (2, set("domain=*.example.com")),
        (2, set("domain=Example.com")),
        (2, set("domain=https://example.com")),
        (2, set("domain=a..b")),
        (2, set("ingress.annotations.\"not a key\"=x")),
        (2, set("api.env.\"NOT A NAME\"=x")),
        (2, set("database.mode=sqlite")),
        (2, set("quota.pods=many")),
        (2, args(&["create", "x", "--values", "/nonexistent.yaml"])),
        // Several errors at once are all reported.
        (
            2,
            args(&[
                "create",
                "",
                "--id",
                "A",
                "--set",
                "api.replicas=x",
                "--set",
                "api.x=1",
                "--set",
                "database.mode=no",
            ]),
        ),
        // Durations.
        (2, args(&["create", "x", "--wait", "--timeout", "10"])),
        (2, args(&["create", "x", "--wait", "--timeout", "-5m"])),
        (2, args(&["create", "x", "--wait", "--timeout", "0s"])),
        (2, args(&["create", "x", "--wait", "--timeout", "soon"])),
        (2, args(&["wait", "x", "--timeout", "100d"])),
        (2, args(&["monitor", "--resync", "x"])),
        (2, args(&["monitor", "--deadline", "0s"])),
        // Formats and other choices.
        (2, args(&["list", "-o", "xml"])),
        (2, args(&["list", "-o", ""])),
        (2, args(&["list", "--status", "happy"])),
        (2, args(&["list", "--color", "blue"])),
        (2, args(&["list", "-v", "-q"])),
        (2, args(&["list", "--cluster", "docker"])),
        (2, args(&["list", "--domain", "*.example.com"])),
        (2, args(&["list", "--domain", "http://example.com"])),
        (2, args(&["list", "--domain", ""])),
        (2, args(&["wait", "x", "--for", "coffee"])),
        (2, args(&["create", "x", "--wait", "--dry-run"])),
        // Deletion without a terminal or --yes.
        (2, args(&["delete", "x"])),
        // Stores that do not exist.
        (3, args(&["get", "nope"])),
        (3, args(&["get", ""])),
        (3, args(&["get", "../x"])),
        (3, args(&["get", "a\nb"])),
        (3, args(&["delete", "nope", "--yes"])),
        (3, args(&["wait", "nope"])),
        (3, args(&["watch", "nope"])),
        (3, args(&["retry", "nope", "--wait"])),
        (3, args(&["restart", "nope", "-c", "api"])),
        (3, args(&["diff", "nope"])),
        (3, args(&["monitor", "--only", "nope"])),
        // Clusters that do not exist.
        (8, args(&["list", "--cluster", "kube"])),
        (8, args(&["list", "--cluster", "kube", "--kubeconfig", "/nonexistent"])),
        (8, args(&["create", "x", "--cluster", "kube"])),
    ];
    // Servers and their options. Nothing listens on port 1.
    let away = "http://127.0.0.1:1";
    for (code, line) in [
        (2, vec!["list", "--server", ""]),
        (2, vec!["list", "--server", "urumi.example.com"]),
        (2, vec!["list", "--server", "ftp://urumi.example.com"]),
        (2, vec!["list", "--server", "https://ann:pass@urumi.example.com"]),
        (2, vec!["list", "--server", "https://urumi.example.com?x=y"]),
        (2, vec!["list", "--server", "localhost:8080"]),
        (2, vec!["list", "--server", "ann:pass@urumi.example.com"]),
        (2, vec!["list", "--server", away, "--cluster", "memory"]),
        (2, vec!["list", "--server", away, "--kubeconfig", "x"]),
        (2, vec!["list", "--server", away, "--context", "x"]),
        (2, vec!["list", "--server", away, "--kube-context", "x"]),
        (2, vec!["list", "--context", "x", "--cluster", "memory"]),
        (2, vec!["list", "--context", "x"]),
        (2, vec!["list", "--sort", "size"]),
        (2, vec!["list", "--sort", "age"]),
        (2, vec!["list", "--limit", "0"]),
        (2, vec!["list", "--limit", "x"]),
        (2, vec!["list", "--owner", ""]),
        (2, vec!["list", "-A"]),
        (2, vec!["list", "--json", "id"]),
        (2, vec!["install", "x"]),
        (2, vec!["store", "list"]),
        (2, vec!["auth", "login"]),
        (2, vec!["create", "x", "--set", "api.env=FOO"]),
        (2, vec!["list", "--selector", ""]),
        (2, vec!["list", "--selector", "a b"]),
        (2, vec!["list", "--watch", "--limit", "1"]),
        (2, vec!["list", "-o", "jsonpath={.id"]),
        (2, vec!["list", "-o", "custom-columns=ID"]),
        (2, vec!["create", "My", "Shop"]),
        (2, vec!["create", "x", "--label", "team"]),
        (2, vec!["create", "-f", "/nonexistent.yaml"]),
        (2, vec!["update", "x"]),
        (2, vec!["delete", "x", "--status", "failed", "--yes"]),
        (2, vec!["delete", "x", "y", "--yes", "--if-version", "1"]),
        (2, vec!["logs", "x", "--previous", "--follow"]),
        (2, vec!["logs", "x", "--since", "soon"]),
        (2, vec!["engines", "medusa", "api.replica"]),
        (3, vec!["describe", "nope"]),
        (3, vec!["open", "nope"]),
        (3, vec!["credentials", "nope", "--reveal"]),
        (3, vec!["smoke", "nope"]),
        (3, vec!["wait", "nope", "none"]),
        (3, vec!["delete", "nope", "none", "--yes"]),
        (3, vec!["delete", "nope", "nope", "--yes"]),
        (2, vec!["delete", "nope", "--yes", "--if-version", "abc"]),
        (2, vec!["list", "--server", away, "--domain", "stores.example.com"]),
        (2, vec!["list", "--server", away, "--engine-defaults", "x"]),
        (2, vec!["list", "--server", away, "--memory-ready-after", "1s"]),
        (2, vec!["create", "x", "--server", away, "--max-stores-per-owner", "1"]),
        (2, vec!["create", "x", "--server", away, "--max-provisioning-per-owner", "1"]),
        (2, vec!["list", "--server", away, "--token-file", "/nonexistent"]),
        (2, vec!["list", "--server", away, "--ca-file", "/nonexistent"]),
        (2, vec!["list", "--server", away, "--token", "x"]),
        (2, vec!["list", "--token-file", "x"]),
        (2, vec!["list", "--ca-file", "x"]),
        (2, vec!["list", "--engine-defaults", "/nonexistent"]),
        (2, vec!["doctor", "--engine-defaults", "/dev/zero"]),
        (2, vec!["monitor", "--server", away]),
        (2, vec!["demo", "--server", away]),
        (2, vec!["demo", "--engine-defaults", "x"]),
        (8, vec!["list", "--server", away]),
        (8, vec!["create", "x", "--set", "api.replicas=2", "--server", away]),
        // Saved servers.
        (2, vec!["context", "frobnicate"]),
        (2, vec!["context", "set", "a"]),
        (2, vec!["context", "set", "a/b", "--server", away]),
        (2, vec!["context", "set", "", "--server", away]),
        (2, vec!["context", "set", "a", "--server", "urumi"]),
        (2, vec!["context", "use", "a"]),
        (2, vec!["context", "delete", "a"]),
        (1, vec!["context", "set", "a", "--server", away]),
        // Logs, events, owners, keys, versions.
        (2, vec!["logs"]),
        (2, vec!["logs", "x", "--tail", "10001"]),
        (2, vec!["logs", "x", "--tail", "-1"]),
        (2, vec!["logs", "x", "--tail", "all"]),
        (3, vec!["logs", "nope"]),
        (3, vec!["logs", "nope", "--follow"]),
        (2, vec!["events"]),
        (3, vec!["events", "nope"]),
        (2, vec!["whoami", "x"]),
        (2, vec!["create", "x", "--owner", ""]),
        (2, vec!["create", "x", "--owner", "a\nb"]),
        (2, vec!["create", "x", "--idempotency-key", ""]),
        (2, vec!["create", "x", "--idempotency-key", " a"]),
        (2, vec!["create", "x", "--idempotency-key", "ü"]),
        (2, vec!["create", "x", "--idempotency-key", "a\nb"]),
        (3, vec!["delete", "nope", "--yes", "--if-version", "1"]),
    ] {
        table.push((code, args(&line)));
    }
    // A dry run rejects the same input.
    table.push((2, args(&["create", "x", "--id", "A", "--dry-run"])));
    table
}

fn shown(arg: &str) -> String {
    if arg.len() > 120 { format!("({} bytes)", arg.len()) } else { format!("{arg:?}").trim_matches('"').to_owned() }
}

#[test]
fn every_bad_input_is_answered_precisely() {
    let table = table();
    assert!(table.len() >= 60);
    let mut said = String::new();
    for (code, args) in table {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran: CommandOutput = on_memory().run(&args);
        let line = args.iter().map(|a| shown(a)).collect::<Vec<_>>().join(" ");
        assert_eq!(ran.code, code, "urumi {line}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "urumi {line} prints data");
        assert!(ran.stderr.contains("error: "), "urumi {line} prints no error: {}", ran.stderr);
        assert!(ran.stderr.len() < 4096, "urumi {line} prints too much");
        assert!(!ran.stderr.contains('\u{1b}'), "urumi {line} sends control characters to the terminal");
        said.push_str(&format!("$ urumi {line}\n"));
        for line in ran.stderr.lines().filter(|l| !l.is_empty() && !l.starts_with("note: this in-memory")) {
            said.push_str(&format!("    {line}\n"));
        }
    }
    insta::assert_snapshot!(said);
}

/// Options that choose the target, and commands that have only one kind of target.
const TARGETED: [&str; 12] = [
    "--cluster",
    "--server",
    "--token-file",
    "--ca-file",
    "--domain",
    "--engine-defaults",
    "--kubeconfig",
    "--context",
    "--kube-context",
    "monitor",
    "context",
    // A server accepts fewer owners than a cluster, and has its own messages.
    "--owner",
];

#[test]
fn a_server_answers_bad_inputs_as_a_cluster_does() {
    let server = TestServer::start();
    let errors = |ran: &CommandOutput| -> Vec<String> {
        ran.stderr.lines().filter(|line| line.starts_with("error: ")).map(str::to_owned).collect()
    };
    let mut compared = 0;
    for (code, args) in table() {
        if args.iter().any(|arg| TARGETED.contains(&arg.as_str())) {
            continue;
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (there, here) = (server.urumi().run(&args), on_memory().run(&args));
        let line = args.iter().map(|a| shown(a)).collect::<Vec<_>>().join(" ");
        assert_eq!((there.code, there.stdout.as_str()), (code, ""), "urumi {line}: {}", there.stderr);
        assert_eq!(errors(&there), errors(&here), "urumi {line}");
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
    for owner in ["", "ann", "user:", "a\nb"] {
        assert_eq!(server.urumi().run(&["create", "x", "--owner", owner]).code, 2, "{owner:?}");
    }
    assert_eq!(server.urumi().run(&["list", "-o", "name"]).ok(), "");
}

#[test]
fn nothing_at_all_shows_the_help() {
    // Also with variables that set options.
    for mut command in [urumi(), on_memory()] {
        let help = command.run(&[]).ok();
        assert!(help.contains("Usage: urumi [OPTIONS] <COMMAND>") && help.contains("\n  create "), "{help}");
    }
    for mut command in [urumi(), on_memory()] {
        let help = command.run(&["context"]).ok();
        assert!(help.contains("Usage: urumi context <COMMAND>") && help.contains("\n  current "), "{help}");
    }
    // Options ask for something: the command is missing. The error lists no hidden aliases.
    let ran = on_memory().run(&["-q"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("requires a subcommand") && !ran.stderr.contains("destroy"), "{}", ran.stderr);
    let ran = on_memory().run(&["--help"]);
    assert!(ran.ok().contains("Exit codes:"));
}
