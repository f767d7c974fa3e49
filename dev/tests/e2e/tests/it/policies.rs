//! NetworkPolicies, judged by simulation: nothing enforces them where these tests run.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Every port that anything here listens at, and some at which nothing of a store's should be reached.
const PORTS: [&str; 13] = [
    "22/TCP",
    "53/TCP",
    "53/UDP",
    "80/TCP",
    "443/TCP",
    "443/UDP",
    "5432/TCP",
    "6379/TCP",
    "6443/TCP",
    "8000/TCP",
    "8089/TCP",
    "9000/TCP",
    "10250/TCP",
];

/// Decides which traffic NetworkPolicies allow: the program that `dev/tests/policies/build` builds.
pub(crate) struct Judge {
    program: PathBuf,
}

impl Judge {
    /// The judge. Without one, the calling test is skipped: it says so, or fails in CI.
    pub(crate) fn find() -> Option<Judge> {
        if let Some(program) = std::env::var_os("URUMI_POLICY_JUDGE") {
            return Some(Judge { program: program.into() });
        }
        urumi_testing::skip("URUMI_POLICY_JUDGE, the path that dev/tests/policies/build prints");
        None
    }

    /// All traffic that stores may have with each other and with the world, one flow a line.
    pub(crate) fn allowed(&self, objects: &[Value], addresses: &Value) -> BTreeSet<String> {
        let input = json!({"items": objects, "addresses": addresses, "ports": PORTS});
        let mut judge = Command::new(&self.program);
        let mut judge = judge.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the judge is there");
        judge.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
        let output = judge.wait_with_output().unwrap();
        assert!(output.status.success(), "the judge failed");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

/// Places that are no pods: a node and the Kubernetes API as clusters number them, and the internet.
pub(crate) fn addresses() -> Value {
    json!({
        "node": "172.31.7.7",
        "Kubernetes API": "10.96.0.1",
        "metadata service": "169.254.169.254",
        "metadata service over IPv6": "fd00:ec2::254",
        "internet": "203.0.113.7",
        "internet over IPv6": "2001:db8::7",
    })
}

/// Pods outside of all stores: two ingress controllers, one of them in the namespace of the cluster's DNS, that DNS, and
/// one with no business in a store. And in each store's namespace one that the store knows nothing of.
pub(crate) fn world(stores: &[&str]) -> Vec<Value> {
    let namespace = |name: &str| json!({"kind": "Namespace", "metadata": {"name": name}});
    let pod = |namespace: &str, name: &str| {
        let labels = json!({"app.kubernetes.io/name": name});
        json!({"kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels}})
    };
    let mut world: Vec<Value> = ["traefik", "kube-system", "elsewhere"].map(namespace).to_vec();
    world.extend([pod("traefik", "controller"), pod("kube-system", "traefik"), pod("kube-system", "dns")]);
    world.push(pod("elsewhere", "stranger"));
    // And one that is there only while a smoke order is placed.
    world.extend(stores.iter().flat_map(|store| [pod(store, "unknown"), pod(store, "smoke")]));
    world
}

/// All that a store's parts may do.
pub(crate) fn expected(store: &str, redis: bool) -> BTreeSet<String> {
    let mut flows = vec![
        // Customers, through an ingress controller. K3s has its own in kube-system.
        "traefik/controller -> STORE/medusa-storefront 8000/TCP",
        "traefik/controller -> STORE/medusa-api 9000/TCP",
        "kube-system/traefik -> STORE/medusa-storefront 8000/TCP",
        "kube-system/traefik -> STORE/medusa-api 9000/TCP",
        // The parts among themselves.
        "STORE/medusa-storefront -> STORE/medusa-api 9000/TCP",
        "STORE/medusa-api -> STORE/postgres 5432/TCP",
        "STORE/proof-of-life -> STORE/medusa-storefront 8000/TCP",
        "STORE/proof-of-life -> STORE/medusa-api 9000/TCP",
        "STORE/smoke -> STORE/medusa-storefront 8000/TCP",
        "STORE/smoke -> STORE/medusa-api 9000/TCP",
        // Providers of payment.
        "STORE/medusa-api -> internet 443/TCP",
        "STORE/medusa-api -> internet over IPv6 443/TCP",
    ];
    if redis {
        flows.push("STORE/medusa-api -> STORE/redis 6379/TCP");
    }
    // Names: the port of DNS is open in all of its namespace.
    let names = ["medusa-storefront", "medusa-api", "smoke", "proof-of-life"].into_iter().flat_map(|part| {
        let to = move |pod: &str| ["TCP", "UDP"].map(|port| format!("{store}/{part} -> kube-system/{pod} 53/{port}"));
        ["dns", "traefik"].into_iter().flat_map(to)
    });
    flows.into_iter().map(|flow| flow.replace("STORE", store)).chain(names).collect()
}

/// Fails with what is allowed and should not be, and the other way round.
#[track_caller]
pub(crate) fn assert_same(allowed: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let too_much: Vec<_> = allowed.difference(expected).collect();
    let too_little: Vec<_> = expected.difference(allowed).collect();
    assert!(too_much.is_empty() && too_little.is_empty(), "too much: {too_much:#?}, too little: {too_little:#?}");
}
