//! Commands without a cluster, on the in-memory cluster, and through a server.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::server::{ServerSetup, TestServer};
use crate::support::{CommandOutput, Run, TestTarget, on_memory, urumi};

#[test]
fn a_store_is_created_and_waited_for() {
    for target in TestTarget::both() {
        let ran = target.urumi().run(&["create", "My \"Shop\" 🛍", "--id", "shop", "--wait", "--timeout", "30s"]);
        let stderr = ran.stderr.clone();
        let stdout = ran.ok();
        let lines: Vec<&str> = stdout.lines().collect();
        assert!(lines[0].starts_with("ID ") && lines[0].ends_with("STOREFRONT"), "{stdout}");
        assert!(lines[1].starts_with("shop  My \"Shop\" 🛍") && lines[1].contains("  ready  "), "{stdout}");
        assert!(lines[1].ends_with("http://store-shop.localtest.me"), "{stdout}");
        let ready = "store shop is ready: storefront http://store-shop.localtest.me, API http://api-shop.localtest.me";
        assert_eq!(stderr.lines().last(), Some(ready));
        for component in ["Database: ready", "API: ready", "Storefront: ready"] {
            assert!(stderr.contains(component), "{stderr}");
        }
    }
}

#[test]
fn a_store_as_json_has_this_shape() {
    for target in TestTarget::both() {
        let mut store = target.urumi().run(&["create", "Shop", "--id", "shop", "--wait", "-o", "json"]).json();
        assert_eq!(store["conditions"][0]["type"], "Ready");
        assert!(store["conditions"].as_array().is_some_and(|c| c.iter().all(|c| c["status"] == "True")), "{store}");
        store["conditions"] = json!([]);
        for moment in ["createdAt", "readyAt"] {
            let moment = store[moment].take();
            assert!(moment.as_str().is_some_and(|m| m.ends_with('Z')), "{moment}");
        }
        let version = store["resourceVersion"].take();
        assert!(version.as_str().is_some_and(|v| !v.is_empty()), "{version}");
        let mut expected = json!({
            "id": "shop", "name": "Shop", "engine": "medusa", "status": "ready", "namespace": "store-shop",
            "urls": {"storefront": "http://store-shop.localtest.me", "api": "http://api-shop.localtest.me"},
            "createdAt": null, "readyAt": null, "conditions": [], "revision": 1, "observedRevision": 1, "resourceVersion": null,
        });
        if target.is_server() {
            // A server knows who asks.
            expected["owner"] = json!("user:local");
        }
        assert_eq!(store, expected);
    }
}

#[test]
fn whose_a_store_is_may_be_said_and_a_key_makes_its_id() {
    for target in TestTarget::both() {
        let args = ["create", "Shop", "--owner", "team:web", "--idempotency-key", "k", "--wait", "-o", "json"];
        let store = target.urumi().run(&args).json();
        assert_eq!((&store["owner"], &store["status"]), (&json!("team:web"), &json!("ready")));
        assert_eq!(target.urumi().run(&args).json()["id"], store["id"], "the same key makes another id");
    }
}

#[test]
fn without_waiting_a_monitor_is_mentioned_and_the_id_is_random() {
    let ran = on_memory().run(&["create", "Shop", "-o", "name"]);
    assert!(ran.stderr.contains("the store is lost: the in-memory cluster ends with this command"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("`urumi wait"), "{}", ran.stderr);
    let stdout = ran.ok();
    assert_eq!(stdout.trim_end().len(), 12, "{stdout}");
    let quiet = on_memory().run(&["create", "Shop", "-q", "-o", "yaml"]);
    assert_eq!(quiet.stderr, "");
    assert!(quiet.ok().contains("\nstatus: provisioning\n"));
}

#[test]
fn time_that_is_up_has_a_code_of_its_own() {
    let delay = std::time::Duration::from_secs(3600);
    let server = TestServer::with(ServerSetup { delay, ..ServerSetup::default() });
    for mut command in [on_memory(), server.urumi()] {
        command.env("URUMI_MEMORY_READY_AFTER", "1h");
        let ran = command.run(&["create", "Shop", "--id", "shop", "--wait", "--timeout", "1s"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
        let said = "error: store shop did not become ready within 1s: it is provisioning";
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
}

#[test]
fn the_domain_and_the_options_are_used() {
    let args = ["create", "x", "--id", "x", "--dry-run", "-o", "json", "--domain", "stores.example.com"];
    let dry = on_memory().run(&args).json();
    assert_eq!(dry["urls"]["storefront"], "http://store-x.stores.example.com");
    assert_eq!(dry["dryRun"], true);
    assert_eq!(dry["objects"][0], "Namespace store-x");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("values.yaml");
    std::fs::write(&file, "api: {replicas: 3}\nstorefront: {replicas: 2}\n").unwrap();
    let args =
        ["render", "x", "--id", "x", "-o", "json", "--values", file.to_str().unwrap(), "--set", "api.replicas=4"];
    for target in TestTarget::both() {
        let rendered = target.urumi().run(&args).json();
        let replicas = |name: &str| {
            let items = rendered["items"].as_array().unwrap();
            let found = items.iter().find(|o| o["kind"] == "Deployment" && o["metadata"]["name"] == name);
            found.unwrap()["spec"]["replicas"].clone()
        };
        assert_eq!((replicas("medusa-api"), replicas("medusa-storefront")), (json!(4), json!(2)));
    }
}

#[test]
fn a_dry_run_creates_nothing_and_needs_no_cluster() {
    let [memory, server] = TestTarget::both().map(|target| {
        let ran = target.urumi().run(&["create", "Shop", "--id", "shop", "--dry-run"]);
        assert!(ran.stderr.contains("nothing was created"), "{}", ran.stderr);
        let json = target.urumi().run(&["create", "Shop", "--id", "shop", "--dry-run", "-o", "json"]).json();
        assert_eq!(target.urumi().run(&["list", "-o", "name"]).ok(), "");
        (ran.ok(), json)
    });
    assert_eq!(memory, server);
    insta::assert_snapshot!(memory.0);
    let ran = urumi().run(&["create", "Shop", "--id", "shop", "--dry-run"]);
    assert!(ran.stderr.contains("warning: cannot check whether namespace store-shop exists"), "{}", ran.stderr);
    ran.ok();
}

/// A warning is the same on a cluster and from a server, goes to stderr once, and never has the value.
#[test]
fn a_secret_among_plain_variables_is_warned_of() {
    let warning = "warning: options.api.env.STRIPE_API_KEY looks like a secret, and values of api.env are shown to \
                   everybody who can read the store; put it into api.secretEnv";
    for target in TestTarget::both() {
        for command in [&["create"][..], &["create", "--dry-run"], &["render"]] {
            let run = |option| target.urumi().args(command).args(["Shop", "-o", "name"]).run(&["--set", option]);
            let warned = run("api.env.STRIPE_API_KEY=canary");
            assert_eq!(warned.stderr.matches("warning: options").count(), 1, "{command:?}: {}", warned.stderr);
            assert!(warned.stderr.lines().any(|line| line == warning), "{command:?}: {}", warned.stderr);
            assert!(!warned.stderr.contains("canary"), "{command:?}: {}", warned.stderr);
            warned.ok();
            let fine = run("api.secretEnv.STRIPE_API_KEY=canary");
            assert!(!fine.stderr.contains("warning: options"), "{command:?}: {}", fine.stderr);
            fine.ok();
        }
    }
}

#[test]
fn manifests_are_rendered() {
    let yaml = urumi().run(&["render", "My \"Shop\" 🛍", "--id", "shop"]).ok();
    insta::assert_snapshot!(yaml);
    let json = urumi().run(&["render", "My \"Shop\" 🛍", "--id", "shop", "-o", "json"]).json();
    let documents = yaml.split("---\n").filter(|d| !d.is_empty());
    let documents: Vec<Value> = documents.map(|d| serde_saphyr::from_str(d).unwrap()).collect();
    assert_eq!(json["items"], Value::Array(documents));
    let server = TestServer::start();
    assert_eq!(server.urumi().run(&["render", "My \"Shop\" 🛍", "--id", "shop"]).ok(), yaml);
    let names = urumi().run(&["render", "x", "--id", "shop", "-o", "name"]).ok();
    assert!(names.starts_with("Namespace store-shop\nSecret store-shop/postgres-credentials\n"), "{names}");
}

#[test]
fn secrets_are_never_shown() {
    for target in TestTarget::both() {
        for format in ["json", "yaml"] {
            let rendered = target.urumi().run(&["render", "x", "--id", "x", "-o", format]).ok();
            assert!(rendered.contains("REDACTED"), "{rendered}");
            assert_no_secret(&rendered);
            for args in [["create", "x", "--wait"], ["create", "x", "--dry-run"]] {
                let ran = target.urumi().args(["-vvv", "-o", format]).run(&args);
                assert_no_secret(&ran.stderr);
                assert_no_secret(&ran.ok());
            }
        }
    }
}

/// Every generated secret has at least 20 characters, with digits and letters of both cases.
#[track_caller]
fn assert_no_secret(text: &str) {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let drawn = |w: &&str| {
        w.len() >= 20
            && w.bytes().any(|b| b.is_ascii_digit())
            && w.bytes().any(|b| b.is_ascii_lowercase())
            && w.bytes().any(|b| b.is_ascii_uppercase())
    };
    assert_eq!(words.filter(drawn).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn an_empty_cluster_is_an_empty_list() {
    for target in TestTarget::both() {
        assert_eq!(target.urumi().run(&["list", "-o", "json"]).json(), json!([]));
        let ran = target.urumi().run(&["ls"]);
        assert!(ran.stderr.contains("there are no stores"), "{}", ran.stderr);
        assert_eq!(ran.ok(), "");
        assert_eq!(target.urumi().run(&["wait", "gone", "--for", "deleted"]).ok(), "");
    }
}

#[test]
fn engines_and_their_options_are_described() {
    let engines = urumi().run(&["engines", "-o", "json"]).json();
    assert_eq!(engines[0]["name"], "medusa");
    assert_eq!(engines[0]["options"]["type"], "object");
    let options = urumi().run(&["engines", "medusa"]).ok();
    let block = |options: &str, path: &str| {
        let mut lines = options.lines().skip_while(|line| *line != path);
        assert!(lines.next().is_some(), "no {path}: {options}");
        lines.take_while(|line| line.starts_with(' ')).map(str::trim).collect::<Vec<_>>().join(" ")
    };
    assert!(block(&options, "api.replicas").starts_with("integer, 1 to "), "{options}");
    assert!(block(&options, "api.replicas").contains("; default 1"), "{options}");
    assert!(
        block(&options, "database.mode").starts_with("embedded | managed | external; default embedded"),
        "{options}"
    );
    assert!(block(&options, "ingress.annotations").starts_with("map of string; no default"), "{options}");
    assert_eq!(urumi().run(&["engines", "-o", "name"]).ok(), "medusa\n");
    // One option, or a group.
    let one = urumi().run(&["engines", "medusa", "api.replicas"]).ok();
    assert!(one.starts_with("api.replicas\n    integer"), "{one}");
    assert_eq!(urumi().run(&["engines", "medusa", "api.replicas", "-o", "name"]).ok(), "api.replicas\n");
    assert!(urumi().run(&["engines", "medusa", "database", "-o", "name"]).ok().lines().count() > 5);
    let ran = urumi().run(&["engines", "medusa", "api.replica"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean api.replicas?"), "{}", ran.stderr);
    let wide = urumi().run(&["engines", "medusa", "-o", "wide"]).ok();
    assert!(wide.starts_with("OPTION") && wide.lines().any(|line| line.starts_with("api.replicas ")), "{wide}");
    // A server also says what its policy locks.
    let server = TestServer::start();
    let of_server = server.urumi().run(&["engines", "medusa"]).ok();
    assert!(block(&of_server, "database.server.host").contains("set by the installation"), "{of_server}");
    let of_server = server.urumi().run(&["engines", "-o", "json"]).json();
    assert_eq!(of_server[0]["options"]["properties"]["api"], engines[0]["options"]["properties"]["api"]);
    // Every listed option can be set by its path.
    for path in urumi().run(&["engines", "medusa", "-o", "name"]).ok().lines() {
        let ran = urumi().run(&["render", "x", "--set", &format!("{path}=\u{1}")]);
        assert!(!ran.stderr.contains("no such option"), "{path}: {}", ran.stderr);
    }
}

#[test]
fn new_stores_start_from_an_installations_defaults() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let defaults = file("defaults.yaml", "medusa: {api: {replicas: 3}, database: {storage: {size: 10Gi}}}");
    let with = |args: &[&str]| urumi().args(["--engine-defaults", &defaults]).run(args);
    let options = with(&["engines", "medusa"]).ok();
    let shows = |path: &str, default: &str| {
        let mut lines = options.lines().skip_while(|line| *line != path).skip(1);
        assert!(lines.next().is_some_and(|line| line.contains(&format!("; default {default}"))), "{path}: {options}");
    };
    shows("database.storage.size", "10Gi");
    shows("api.replicas", "3");
    shows("storefront.replicas", "1");
    let rendered = with(&["render", "x", "--set", "api.replicas=2"]).ok();
    assert!(rendered.contains("storage: 10Gi") && rendered.contains("replicas: 2\n"), "{rendered}");
    // With a server, the variable is ignored, like all others for clusters.
    let server = TestServer::start();
    let there = server.urumi().env("URUMI_ENGINE_DEFAULTS", "/nonexistent").run(&["engines", "medusa"]).ok();
    assert_eq!(there, server.urumi().run(&["engines", "medusa"]).ok());

    let wrong = file("wrong.yaml", "medusa: {database: {storage: {size: 5GB}}}\nshopware: {}");
    let ran = on_memory().env("URUMI_ENGINE_DEFAULTS", &wrong).run(&["create", "x"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    for said in ["medusa.database.storage.size: \"5GB\" is not a quantity", "shopware: is no engine; there is medusa"] {
        assert!(ran.stderr.contains(&format!("error: {wrong}: {said}")), "{}", ran.stderr);
    }
    for (name, text) in [("twice", "medusa: {}\nmedusa: {}"), ("list", "- medusa"), ("cut", "medusa: {")] {
        let ran = urumi().run(&["list", "--engine-defaults", &file(name, text)]);
        assert_eq!(ran.code, 2, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("/{name}: ")), "{name}: {}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn defaults_may_come_from_a_pipe() {
    let mut command = on_memory();
    command.args(["create", "x", "--dry-run", "--engine-defaults", "/dev/stdin", "--set", "database.mode=external"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The command builds two orchestrators, but can read a pipe only once.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"medusa: {database: {secret: {name: mine}}}").unwrap();
    drop(stdin);
    CommandOutput::from(child.wait_with_output().unwrap()).ok();
}

#[test]
fn an_engine_that_does_not_exist_has_no_stores() {
    let ran = on_memory().run(&["list", "--engine", "shopify"]);
    assert!(ran.stderr.contains("warning: there is no engine \"shopify\""), "{}", ran.stderr);
    assert_eq!(ran.ok(), "");
    assert!(!on_memory().run(&["list", "--engine", "medusa"]).stderr.contains("warning"));
}

#[test]
fn the_doctor_says_what_is_there() {
    let findings = on_memory().run(&["doctor", "-o", "json", "--domain", "localhost"]).json();
    let findings = findings.as_array().unwrap();
    assert!(findings.iter().all(|f| f["result"] == "ok"), "{findings:?}");
    assert!(findings.iter().any(|f| f["what"].as_str().unwrap().starts_with("namespaces: may create")));
    assert!(findings.iter().any(|f| f["what"].as_str().unwrap().starts_with("this is no real cluster")));
    let checks: Vec<&str> = findings.iter().map(|f| f["check"].as_str().unwrap()).collect();
    assert!(checks.contains(&"domain") && checks.contains(&"permissions.namespaces"), "{checks:?}");
    let ran = urumi().run(&["doctor", "--domain", "localhost"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.starts_with("fail  no cluster is configured"), "{}", ran.stdout);
}

#[test]
fn a_cluster_that_does_not_answer_has_a_code_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
    });
    std::fs::write(&file, config.to_string()).unwrap();
    let ran = urumi().env("KUBECONFIG", &file).run(&["list"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (8, ""), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: cannot list stores\n  cause: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("--cluster memory"), "{}", ran.stderr);
}

#[test]
fn completions_and_version() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = urumi().run(&["completions", shell]).ok();
        assert!(script.contains("urumi") && script.contains("COMPLETE"), "{shell}: {script}");
    }
    assert_eq!(urumi().run(&["version"]).ok(), concat!("urumi ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(urumi().run(&["version", "-o", "json"]).json()["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    // The output must be larger than a pipe's buffer.
    let mut child = urumi()
        .args(["engines", "medusa", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn colours_are_used_only_where_they_are_wanted() {
    let coloured = |args: &[&str]| {
        let mut command = on_memory();
        command.env_remove("NO_COLOR");
        command.args(["create", "x", "--wait"]).run(args).ok().contains('\u{1b}')
    };
    assert!(!coloured(&[]));
    assert!(!coloured(&["--color", "never"]));
    assert!(coloured(&["--color", "always"]));
}

#[test]
fn the_demo_shows_a_stores_life_from_beginning_to_end() {
    let ran = urumi().run(&["demo"]);
    let said = ran.stderr.clone();
    let tree = ran.ok();
    for object in ["StatefulSet            postgres", "PersistentVolumeClaim  postgres-data-postgres-0", "5Gi, Bound"] {
        assert!(tree.contains(object), "{tree}");
    }
    assert!(
        said.contains("is ready: storefront http://store-") && said.contains("and all its objects are deleted"),
        "{said}"
    );
}

#[test]
fn an_owners_limit_holds_on_a_cluster_too() {
    let args = ["create", "Shop", "--owner", "user:ann", "--max-stores-per-owner", "0"];
    for wait in [&[][..], &["--wait"]] {
        let ran = on_memory().run(&[&args[..], wait].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (7, ""), "{ran:?}");
        assert!(ran.stderr.contains("user:ann has 0 of 0 stores"), "{ran:?}");
    }
    let limited = |owner: &str| {
        let mut command = on_memory();
        command.env("URUMI_MAX_PROVISIONING_PER_OWNER", "0");
        command.run(&["create", "Shop", "--owner", owner, "--max-stores-per-owner", "1"])
    };
    assert!(limited("user:ann").stderr.contains("0 stores of user:ann are provisioning, 0 may"));
    on_memory().run(&["create", "Shop", "--max-stores-per-owner", "0"]).ok();
}
