//! kubectl and Helm, as an administrator of the cluster uses them.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// What it printed and whether it succeeded.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ok: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// What it printed, after a success.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert!(self.ok, "it failed: {}{}", self.stdout, self.stderr);
        self.stdout
    }
}

/// Runs kubectl.
pub(crate) fn kubectl(kubeconfig: &str, args: &[&str]) -> Ran {
    kubectl_with(kubeconfig, args, "")
}

/// Runs kubectl with something to read.
pub(crate) fn kubectl_with(kubeconfig: &str, args: &[&str], input: &str) -> Ran {
    run(Command::new("kubectl").env("KUBECONFIG", kubeconfig).args(args), input)
}

/// Runs Helm.
pub(crate) fn helm(kubeconfig: &str, args: &[&str]) -> Ran {
    let helm = std::env::var_os("HELM").unwrap_or_else(|| "helm".into());
    run(Command::new(helm).env("KUBECONFIG", kubeconfig).args(args), "")
}

fn run(command: &mut Command, input: &str) -> Ran {
    let running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut running = running.unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    Ran {
        ok: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Everything that explains why a store is as it is: objects, events and logs.
pub(crate) fn explain(kubeconfig: &str, namespace: &str) -> String {
    let mut text = String::new();
    let mut show = |args: &[&str]| {
        let ran = kubectl(kubeconfig, args);
        text.push_str(&format!("--- kubectl {}\n{}{}", args.join(" "), ran.stdout, ran.stderr));
    };
    show(&["get", "namespace", namespace, "-o", "jsonpath={.metadata.annotations}{\"\\n\"}"]);
    let kinds = "statefulsets,deployments,jobs,pods,persistentvolumeclaims,services,endpointslices,ingresses";
    show(&["-n", namespace, "get", kinds, "-o", "wide"]);
    show(&["-n", namespace, "get", "events", "--sort-by", ".lastTimestamp"]);
    show(&["-n", namespace, "describe", "pods"]);
    let pods = kubectl(kubeconfig, &["-n", namespace, "get", "pods", "-o", "name"]);
    for pod in pods.stdout.lines() {
        for previous in ["--previous=false", "--previous=true"] {
            show(&["-n", namespace, "logs", pod, "--all-containers", "--tail", "60", "--prefix", previous]);
        }
    }
    text
}
