//! The permissions that docs/PERMISSIONS.md asks for are enough, and no more than urumi asks about.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{CommandOutput, Run, kubeconfig, urumi};

/// The ClusterRole in the document, under a name of its own.
fn cluster_role(name: &str) -> String {
    let document = include_str!("../../../docs/PERMISSIONS.md");
    let yaml = document.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(yaml.contains("name: store-orchestrator"));
    yaml.replace("name: store-orchestrator", &format!("name: {name}"))
}

fn kubectl(kubeconfig: &str, args: &[&str], input: &str) -> CommandOutput {
    let mut kubectl = Command::new("kubectl");
    kubectl
        .env("KUBECONFIG", kubeconfig)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = kubectl.spawn().unwrap();
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    running.wait_with_output().unwrap().into()
}

#[test]
fn the_documented_permissions_are_enough_for_a_whole_life() {
    let Some(admin) = kubeconfig() else { return };
    let name = format!("urumi-test-{}", std::process::id());
    kubectl(&admin, &["apply", "-f", "-"], &cluster_role(&name)).ok();
    kubectl(&admin, &["create", "serviceaccount", &name, "-n", "default"], "").ok();
    let (role, account) = (format!("--clusterrole={name}"), format!("--serviceaccount=default:{name}"));
    kubectl(&admin, &["create", "clusterrolebinding", &name, &role, &account], "").ok();
    let token = kubectl(&admin, &["create", "token", &name, "-n", "default"], "").ok();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::copy(&admin, &path).unwrap();
    let limited = path.to_str().unwrap();
    let user = ["config", "set-credentials", "limited", "--token", token.trim()];
    kubectl(limited, &user, "").ok();
    kubectl(limited, &["config", "set-context", "--current", "--user", "limited"], "").ok();

    let urumi = |args: &[&str]| urumi().env("KUBECONFIG", limited).run(args);
    let id = format!("least-{}", std::process::id());
    assert_eq!(kubectl(limited, &["get", "secrets", "-A"], "").code, 1, "nobody needs to list secrets");
    let found = urumi(&["doctor", "--domain", "localhost"]).ok();
    assert!(!found.contains("may not"), "{found}");
    urumi(&["create", "Least privilege", "--id", &id, "--wait", "--timeout", "2m"]).ok();
    assert!(urumi(&["list", "-o", "name"]).ok().contains(&id));
    let namespace = format!("store-{id}");
    assert_eq!(urumi(&["credentials", &id, "--reveal", "-o", "jsonpath={.password}"]).ok().trim().len(), 20);
    let secret = |name: &str| kubectl(limited, &["-n", &namespace, "get", "secret", name], "");
    assert!(secret("postgres-credentials").stderr.contains("forbidden"), "the database's password is nobody's");
    let pod = kubectl(limited, &["-n", &namespace, "get", "pods", "-o", "jsonpath={.items[0].metadata.name}"], "").ok();
    kubectl(limited, &["get", "--raw", &format!("/api/v1/namespaces/{namespace}/pods/{pod}/log")], "").ok();
    kubectl(&admin, &["-n", &namespace, "delete", "service", "medusa-api"], "").ok();
    assert!(urumi(&["diff", &id]).ok().contains("create Service"));
    urumi(&["delete", &id, "--yes", "--wait", "--timeout", "2m"]).ok();

    for kind in ["clusterrolebinding", "clusterrole", "serviceaccount"] {
        kubectl(&admin, &["delete", kind, &name, "-n", "default"], "").ok();
    }
}
