//! What loses or reveals something needs a whole id or an exact, unique name.

use serde_json::json;

use crate::server::TestServer;
use crate::support::Run;

/// A server with these stores: ids and names.
fn with_stores(stores: &[(&str, &str)]) -> TestServer {
    let server = TestServer::start();
    for (id, name) in stores {
        server.urumi().run(&["create", name, "--id", id, "--wait", "-q"]).ok();
    }
    server
}

fn ids(server: &TestServer) -> Vec<String> {
    let mut ids: Vec<String> = server.urumi().run(&["list", "-o", "name"]).ok().lines().map(str::to_owned).collect();
    ids.sort();
    ids
}

/// A script that is run twice, e.g. again after a failure, or by two machines. Every name that it uses is also the beginning of
/// another id, or the name of another store.
#[test]
fn a_clean_up_that_runs_twice_deletes_exactly_what_it_names() {
    let stores = [
        ("shop", "Shop"),
        ("shop2", "shop"),
        ("shop-eu", "Shop"),
        ("shop-eu-2", "shop-eu"),
        ("tea-1", "Tea Shop"),
        ("tea-2", "Tea Shop 2"),
        ("z", "zzz"),
        ("zzz", "z"),
    ];
    let server = with_stores(&stores);
    let mut left = ids(&server);
    assert_eq!(left.len(), stores.len());
    for (named, gone) in [("shop", "shop"), ("shop-eu", "shop-eu"), ("Tea Shop", "tea-1"), ("zzz", "zzz")] {
        for command in [&["delete", named, "--yes", "--wait", "-q"][..], &["wait", named, "--for", "deleted"]] {
            server.urumi().run(command).ok();
        }
        left.retain(|id| id != gone);
        assert_eq!(ids(&server), left, "urumi delete {named}");
        let again = server.urumi().run(&["delete", named, "--yes", "--wait", "-q"]);
        assert_eq!(again.code, 3, "{}", again.stderr);
        for command in [&["delete", named, "--yes", "--ignore-not-found"][..], &["wait", named, "--for", "deleted"]] {
            server.urumi().run(command).ok();
        }
        for command in [
            &["retry", named][..],
            &["restart", named],
            &["smoke", named],
            &["credentials", named, "--reveal"],
            &["wait", named],
        ] {
            assert_eq!(server.urumi().run(command).code, 3, "{command:?}");
        }
        assert_eq!(ids(&server), left, "urumi delete {named} again");
    }
    assert_eq!(left, ["shop-eu-2", "shop2", "tea-2", "z"]);
}

#[test]
fn a_prefix_is_not_enough_without_a_terminal() {
    let server = with_stores(&[("shop2", "Tea"), ("other", "Tea")]);
    for line in [
        &["delete", "shop", "--yes"][..],
        &["delete", "shop", "--yes", "--wait"],
        &["retry", "shop"],
        &["restart", "shop"],
        &["smoke", "shop"],
        &["wait", "shop"],
        &["credentials", "shop", "--reveal"],
    ] {
        let ran = server.urumi().run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{line:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("needs the whole id; similar ids: shop2"), "{line:?}: {}", ran.stderr);
    }
    // A store whose id only begins with the text is not the deleted one.
    assert_eq!(server.urumi().run(&["wait", "shop", "--for", "deleted"]).ok(), "");
    assert_eq!(server.urumi().run(&["delete", "shop", "--yes", "--ignore-not-found"]).ok(), "");
    let ran = server.urumi().run(&["delete", "Tea", "--yes"]);
    assert_eq!((ran.code, ran.stderr.contains("fits more than one store")), (2, true), "{}", ran.stderr);
    // Commands that only read accept it.
    assert_eq!(server.urumi().run(&["get", "shop", "-o", "name"]).ok(), "shop2\n");
    assert!(!server.urumi().run(&["credentials", "shop"]).ok().contains("REDACTED"));
    assert_eq!(ids(&server), ["other", "shop2"]);
}

#[test]
fn several_stores_are_deleted_at_once() {
    let server = with_stores(&[("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")]);
    // What exists is deleted, and what does not is an error.
    let ran = server.urumi().run(&["delete", "a", "missing", "b", "a", "--yes", "--wait", "-o", "name"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, "a\nb\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\"missing\""), "{}", ran.stderr);
    assert_eq!(ids(&server), ["c", "d"]);
    // For people, there is no table of what no longer exists.
    let ran = server.urumi().run(&["delete", "c", "--yes", "--wait"]);
    assert!(ran.stderr.contains("store c is deleted"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "");
    assert_eq!(server.urumi().run(&["wait", "c", "d", "--for", "deleted", "--timeout", "1s"]).code, 5);
    assert_eq!(server.urumi().run(&["wait", "d", "d", "-o", "name"]).ok(), "d\n");
}

#[test]
fn stores_are_selected_by_their_properties() {
    let server = TestServer::start();
    for (id, label, owner) in
        [("a", "env=test", "user:ann"), ("b", "env=prod", "user:ann"), ("c", "env=test", "user:bob")]
    {
        server.urumi().run(&["create", id, "--id", id, "--label", label, "--owner", owner, "--wait"]).ok();
    }
    let list = |args: &[&str]| server.urumi().args(["list", "-o", "name"]).run(args).ok();
    assert_eq!(list(&["-l", "env=test"]), "a\nc\n");
    assert_eq!(list(&["--owner", "user:ann", "--selector", "env!=test"]), "b\n");
    assert_eq!(list(&["--sort", "-name", "--limit", "2"]), "c\nb\n");
    assert_eq!(list(&["--name", "B", "--engine", "medusa", "--status", "ready,failed"]), "b\n");
    assert_eq!(list(&["--engine", "other"]), "");
    // Nobody can be the owner.
    for line in
        [&["list", "--owner", "bob"][..], &["watch", "--owner", "user:"], &["delete", "--owner", "bob", "--yes"]]
    {
        let ran = server.urumi().run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("--owner: must be user:<subject> or team:<name>"), "{line:?}: {}", ran.stderr);
    }
    let rows = server.urumi().run(&["list", "--no-headers", "-o", "wide"]).ok();
    assert!(rows.lines().count() == 3 && rows.contains("env=prod") && !rows.contains("LABELS"), "{rows}");
    let columns = server.urumi().run(&["list", "-o", "custom-columns=ID:.id,ENV:.labels.env"]).ok();
    assert_eq!(columns, "ID  ENV\na   test\nb   prod\nc   test\n");
    for (path, ids, note) in [
        ("{[*].id}", "a b c\n", ""),
        ("{.items[*].id}", "", "note: the path .items[*].id selects nothing; a list is an array: write {[*].id}\n"),
    ] {
        let ran = server.urumi().run(&["list", "-o", &format!("jsonpath={path}")]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, ids, note), "{path}");
    }
    let ran = server.urumi().run(&["get", "a", "-o", "jsonpath={.nope}"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "note: the path .nope selects nothing\n"));

    let ran = server.urumi().run(&["delete", "-l", "env=none", "--yes", "-o", "json"]);
    assert!(ran.stderr.contains("no store matches"), "{}", ran.stderr);
    assert_eq!(ran.json(), json!([]));
    let deleted =
        server.urumi().run(&["delete", "-l", "env=test", "--owner", "user:bob", "--yes", "--wait", "-o", "json"]);
    assert_eq!(deleted.json()[0]["id"], "c");
    assert_eq!(ids(&server), ["a", "b"]);
    assert_eq!(server.urumi().run(&["delete", "--status", "ready", "--yes", "--wait", "-o", "name"]).ok(), "a\nb\n");
    assert_eq!(ids(&server), Vec::<String>::new());
}
