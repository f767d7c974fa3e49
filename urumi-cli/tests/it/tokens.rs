//! Authentication on a server. No output may contain a token.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use urumi_core::secret::SecretString;
use urumi_http::auth::{AuthError, Authentication, Authenticator, Principal, Role};

use crate::server::{ServerSetup, TestServer};
use crate::support::{CommandOutput, Run, on_memory};

/// An authenticator with two tokens.
struct Tokens;

const ADMIN: &str = "t0ken-of-an-Admin";
const VIEWER: &str = "t0ken-of-a-Viewer";
const NO_TOKEN: &str = "contains no valid token";

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, token: &SecretString) -> Result<Option<Principal>, AuthError> {
        Ok(match token.reveal() {
            ADMIN => Some(Principal::new("ann", Role::Admin).teams(["shop", "press"])),
            VIEWER => Some(Principal::new("vic", Role::Viewer)),
            _ => None,
        })
    }
}

fn server() -> TestServer {
    let authentication = Authentication::chain(vec![Arc::new(Tokens)]);
    TestServer::with(ServerSetup { authentication, ..ServerSetup::default() })
}

/// Runs the command with maximum verbosity, and asserts that the output contains no token.
fn run(server: &TestServer, variables: &[(&str, &str)], args: &[&str]) -> CommandOutput {
    let ran = server.urumi().envs(variables.iter().copied()).arg("-vvv").run(args);
    assert!(!format!("{ran:?}").contains("t0ken"), "{ran:?}");
    ran
}

#[test]
fn a_token_comes_from_the_environment_or_from_a_file() {
    let server = server();
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (admin, viewer) = (file("admin", &format!("{ADMIN}\n")), file("viewer", VIEWER));
    let whoami = |variables: &[(&str, &str)], args: &[&str]| {
        run(&server, variables, &[&["whoami", "-o", "name"], args].concat()).ok()
    };
    assert_eq!(whoami(&[("URUMI_TOKEN", ADMIN)], &[]), "ann\n");
    assert_eq!(whoami(&[("URUMI_TOKEN_FILE", &viewer)], &[]), "vic\n");
    assert_eq!(whoami(&[], &["--token-file", &admin]), "ann\n");
    assert_eq!(whoami(&[("URUMI_TOKEN_FILE", &viewer)], &["--token-file", &admin]), "ann\n");
    assert_eq!(whoami(&[("URUMI_TOKEN", VIEWER)], &["--token-file", &admin]), "vic\n");
    assert_eq!(whoami(&[("URUMI_TOKEN", "")], &["--token-file", &admin]), "ann\n");
    // A saved context contains its token's file. The token is not sent to other servers.
    let home = dir.path().to_str().unwrap();
    let at_home = ("XDG_CONFIG_HOME", home);
    let set = ["context", "set", "a", "--server", &server.address, "--token-file", &admin];
    run(&server, &[at_home], &set).ok();
    run(&server, &[at_home], &["context", "use", "a"]).ok();
    let saved = |args: &[&str]| server.urumi().env_remove("URUMI_SERVER").env("XDG_CONFIG_HOME", home).run(args);
    assert_eq!(saved(&["whoami", "-o", "name"]).ok(), "ann\n");
    assert_eq!(saved(&["whoami", "--server", &server.address]).code, 7);

    for (text, said) in [("", NO_TOKEN), ("two words", NO_TOKEN), ("t0ken\nt0ken", NO_TOKEN)] {
        let ran = run(&server, &[], &["whoami", "--token-file", &file("bad", text)]);
        assert_eq!((ran.code, ran.stderr.contains(said)), (2, true), "{}", ran.stderr);
    }
    let ran = run(&server, &[("URUMI_TOKEN", "t0ken ü")], &["whoami"]);
    assert_eq!((ran.code, ran.stderr.contains("URUMI_TOKEN contains no valid token")), (2, true), "{}", ran.stderr);
}

#[test]
fn whoami_says_what_the_server_knows() {
    let server = server();
    let identity = run(&server, &[("URUMI_TOKEN", ADMIN)], &["whoami", "-o", "json"]).json();
    assert_eq!(
        identity,
        json!({
            "server": format!("{}/", server.address), "subject": "ann", "teams": ["shop", "press"], "role": "admin",
            "how": "embedded",
        })
    );
    let text = run(&server, &[("URUMI_TOKEN", ADMIN)], &["whoami"]).ok();
    for line in ["Subject         ann", "Teams           shop, press", "Role            admin"] {
        assert!(text.contains(line), "{text}");
    }
    let ran = on_memory().run(&["whoami"]);
    assert!(ran.stderr.contains("this is no real cluster"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "Cluster             memory\nKubeconfig context  -\n");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kubeconfig");
    std::fs::write(&file, "current-context: dev\n").unwrap();
    let args = ["whoami", "-o", "json", "--cluster", "kube", "--kubeconfig", file.to_str().unwrap()];
    assert_eq!(on_memory().run(&args).json(), json!({"cluster": "kube", "kubeContext": "dev"}));
    assert_eq!(on_memory().args(args).run(&["--kube-context", "other"]).json()["kubeContext"], "other");
}

#[test]
fn who_is_not_let_in_or_may_not_do_it_is_told_what_to_do() {
    let server = server();
    for variables in [&[][..], &[("URUMI_TOKEN", "t0ken-of-nobody")]] {
        let ran = run(&server, variables, &["list"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (7, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("$URUMI_TOKEN"), "{}", ran.stderr);
    }
    for args in [&["create", "x"][..], &["create", "x", "--dry-run"], &["render", "x"]] {
        let ran = run(&server, &[("URUMI_TOKEN", VIEWER)], args);
        assert_eq!((ran.code, ran.stdout.as_str()), (7, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("needs the role operator, but your role is viewer"), "{}", ran.stderr);
        assert!(ran.stderr.contains("`urumi whoami` shows your role"), "{}", ran.stderr);
    }
    // Another owner's store is reported as not found.
    let owned = ["create", "x", "--id", "shop", "--owner", "team:shop", "-o", "json"];
    assert_eq!(run(&server, &[("URUMI_TOKEN", ADMIN)], &owned).json()["owner"], "team:shop");
    assert_eq!(run(&server, &[("URUMI_TOKEN", VIEWER)], &["get", "shop"]).code, 3);
    assert_eq!(run(&server, &[("URUMI_TOKEN", VIEWER)], &["list", "-o", "json"]).json(), json!([]));
    let ran = run(&server, &[("URUMI_TOKEN", VIEWER)], &["doctor"]);
    assert!(ran.ok().contains("ask the administrator of this server for the role operator"));
    let ran = run(&server, &[], &["doctor"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("fail  your identity is unknown"), "{}", ran.stdout);
}

#[test]
fn a_token_that_others_can_read_on_its_way_is_warned_of() {
    let to = |address: &str| {
        let server = ["version", "--server", address];
        let ran = crate::support::urumi().env("URUMI_TOKEN", ADMIN).run(&server);
        assert!(!format!("{ran:?}").contains("t0ken"), "{ran:?}");
        ran.stderr.contains("is sent to http://")
    };
    // Names under `.invalid` never resolve, so nothing is sent.
    assert!(to("http://urumi.invalid"));
    assert!(!to("https://urumi.invalid"));
    assert!(!to("http://127.0.0.1:1"));
    assert!(!to("http://localhost:1"));
}
