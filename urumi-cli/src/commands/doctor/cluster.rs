//! Checks of a cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt as _, future, stream};
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;
use urumi_core::cluster::ClusterBackend;
use urumi_core::engine::medusa::MedusaEngine;
use urumi_core::kubernetes::Kind;
use urumi_core::kubernetes::{Access, Query};
use urumi_core::orchestrator::local::LOCAL_DOMAIN;

use super::{Finding, fail, ok, skip, stores, warn};
use crate::choice::Choice;
use crate::cli::GlobalArgs;
use crate::exit::Via;
use crate::output::Out;
use crate::target;

/// The timeout of a DNS lookup.
const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum number of concurrent access reviews.
const CONCURRENT_REVIEWS: usize = 16;

/// Of objects that go with their namespace only.
const STAYS: &[&str] = &["create", "get", "list", "watch", "patch"];
/// Of objects that a change of a store may remove.
const WRITES: &[&str] = &["create", "get", "list", "watch", "patch", "delete"];

/// The permissions that urumi needs: API group, resource, verbs.
const NEEDED: &[(&str, &str, &[&str])] = &[
    ("", "namespaces", &["create", "get", "list", "watch", "patch", "delete"]),
    ("", "secrets", &["create"]),
    ("", "services", WRITES),
    ("", "configmaps", WRITES),
    ("", "persistentvolumeclaims", &["get", "list", "watch"]),
    ("", "pods", &["list", "watch", "patch"]),
    ("", "pods/log", &["get"]),
    ("", "events", &["list"]),
    ("apps", "statefulsets", STAYS),
    ("apps", "deployments", WRITES),
    ("apps", "controllerrevisions", &["create", "list", "delete"]),
    ("batch", "jobs", &["create", "get", "list", "watch", "delete"]),
    ("batch", "cronjobs", WRITES),
    ("networking.k8s.io", "ingresses", STAYS),
    ("networking.k8s.io", "networkpolicies", WRITES),
    ("networking.k8s.io", "ingressclasses", &["list", "watch"]),
    ("storage.k8s.io", "storageclasses", &["list", "watch"]),
];

/// Checks the cluster and the domain of new stores.
pub(super) async fn check(choice: &Choice, global: &GlobalArgs, out: &Out) -> Vec<Finding> {
    let (mut findings, domain) = future::join(check_cluster(choice, global, out), domain(&global.domain)).await;
    findings.push(domain.of("domain"));
    findings
}

async fn check_cluster(choice: &Choice, global: &GlobalArgs, out: &Out) -> Vec<Finding> {
    let unchecked = || {
        warn("permissions, classes and stores were not checked", "fix the connection to the cluster first")
            .of("unchecked")
    };
    let target = match target::connect_to(choice, global, out).await {
        Ok(target) => target,
        Err(failure) => {
            let what = failure.errors.iter().chain(&failure.causes).cloned().collect::<Vec<_>>().join(": ");
            return vec![fail(what, "or try urumi with `--cluster memory`").of("connection"), unchecked()];
        }
    };
    let Some(orchestrator) = target.as_cluster() else { return Vec::new() };
    let cluster = orchestrator.cluster();
    match cluster.version().await {
        Ok(version) => {
            let connection = match target.via() {
                Via::Memory => ok("this is no real cluster: it exists only in this command's memory"),
                _ => ok(format!("the cluster responds; its version is {version}")),
            };
            let mut findings = vec![connection.of("connection")];
            let (permissions, (records, credentials), storage, ingress, stores) = future::join5(
                permissions(cluster),
                future::join(records(cluster), credentials(cluster)),
                storage(cluster),
                ingress(cluster),
                stores(orchestrator),
            )
            .await;
            findings.extend(permissions);
            findings.extend([
                records.of("permissions.records"),
                credentials.of("permissions.credentials"),
                storage.of("storage-class"),
                ingress.of("ingress-class"),
                stores.of("stores"),
            ]);
            findings.extend(network(target.via()));
            findings
        }
        Err(error) => {
            vec![
                fail(error.to_string(), "check the kubeconfig's server address, the network and your credentials")
                    .of("connection"),
                unchecked(),
            ]
        }
    }
}

async fn permissions(cluster: &impl ClusterBackend) -> Vec<Finding> {
    let questions =
        NEEDED.iter().flat_map(|(group, resource, verbs)| verbs.iter().map(move |v| (*group, *resource, *v)));
    let answers: Vec<_> = stream::iter(questions)
        .map(|(group, resource, verb)| async move {
            (resource, verb, cluster.may(&Access::new(verb, group, resource)).await)
        })
        .buffered(CONCURRENT_REVIEWS)
        .collect()
        .await;
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (resource, verb, answer) in answers {
        match answer {
            Ok(true) => {}
            Ok(false) => missing.entry(resource).or_default().push(verb),
            Err(error) => {
                return vec![warn(error.to_string(), "permissions were not checked; try again").of("permissions")];
            }
        }
    }
    NEEDED
        .iter()
        .map(|(group, resource, verbs)| {
            let place = if group.is_empty() { String::new() } else { format!(".{group}") };
            let finding = match missing.get(resource) {
                None => ok(format!("{resource}{place}: may {}", verbs.join(", "))),
                Some(verbs) => fail(
                    format!("{resource}{place}: may not {}", verbs.join(", ")),
                    "ask an administrator to grant the permission; docs/PERMISSIONS.md contains a ClusterRole",
                ),
            };
            finding.of(format!("permissions.{resource}{place}"))
        })
        .collect()
}

/// Checks the permission that the chart's admission policy demands of everybody who writes records, except of the backend.
async fn records(cluster: &impl ClusterBackend) -> Finding {
    let access = Access::new("write", "store.urumi.ai", "records");
    let need = "where the chart is installed, creating stores needs this permission";
    permission(cluster, &access, "records.store.urumi.ai", need).await
}

/// Checks the permission to read the Secrets with the passwords of the stores' first administrators.
async fn credentials(cluster: &impl ClusterBackend) -> Finding {
    let name = MedusaEngine::ADMIN_SECRET;
    let access = Access::new("get", "", "secrets").named(name);
    let need = "`urumi credentials --reveal` needs this permission";
    permission(cluster, &access, &format!("secrets named {name}"), need).await
}

/// Checks one permission that not everything needs.
async fn permission(cluster: &impl ClusterBackend, access: &Access, object: &str, need: &str) -> Finding {
    match cluster.may(access).await {
        Ok(true) => ok(format!("{object}: may {}", access.verb)),
        Ok(false) => {
            warn(format!("{object}: may not {}", access.verb), format!("{need}; docs/PERMISSIONS.md contains the rule"))
        }
        Err(error) => warn(error.to_string(), "permissions were not checked; try again"),
    }
}

const WITHOUT_STORAGE: &str = "install one: without database volumes, stores do not become ready";
const WITHOUT_INGRESS: &str = "install an ingress controller: without one, the stores' URLs are unreachable";

async fn storage(cluster: &impl ClusterBackend) -> Finding {
    let kind = Kind::of::<StorageClass>();
    class(cluster, kind, "StorageClass", "storageclass.kubernetes.io/is-default-class", WITHOUT_STORAGE).await
}

async fn ingress(cluster: &impl ClusterBackend) -> Finding {
    let kind = Kind::of::<IngressClass>();
    class(cluster, kind, "IngressClass", "ingressclass.kubernetes.io/is-default-class", WITHOUT_INGRESS).await
}

async fn class(cluster: &impl ClusterBackend, kind: Kind, name: &str, default: &str, without: &str) -> Finding {
    let classes = match cluster.list(&Query::all(kind)).await {
        Ok(classes) => classes,
        Err(error) => return warn(error.to_string(), format!("cannot check whether a {name} exists")),
    };
    let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
    match classes.iter().find(|class| class.annotation(default) == Some("true")) {
        Some(class) => ok(format!("{} is the default {name}", class.name())),
        None if names.is_empty() => warn(format!("there is no {name}"), without),
        None => warn(
            format!("no {name} is marked as default; existing: {}", names.join(", ")),
            format!("annotate one with {default}=true, or set one in each store's options"),
        ),
    }
}

/// What the API does not show: whether the cluster's network enforces NetworkPolicies.
fn network(via: Via) -> Option<Finding> {
    let to_do = "test it from outside a store's namespace; this must time out: `kubectl run probe --rm -i --restart=Never \
                 --image=busybox -- wget -T 5 -O- http://medusa-api.store-ID/health`";
    let finding =
        skip("not checked: whether the cluster's network enforces NetworkPolicies, which isolate stores", to_do);
    (via != Via::Memory).then(|| finding.of("network-policies"))
}

async fn domain(domain: &str) -> Finding {
    if domain == "localhost" || domain.ends_with(".localhost") {
        return ok(format!("*.{domain} points to this machine; browsers resolve it without DNS"));
    }
    let probe = format!("probe.{domain}");
    let local = domain == LOCAL_DOMAIN;
    let to_do = if local {
        "some resolvers block names that point to the local machine; use --domain localhost or 127.0.0.1.nip.io"
            .to_owned()
    } else {
        format!("add a DNS record *.{domain} that points to the cluster's ingress controller")
    };
    match tokio::time::timeout(DNS_TIMEOUT, tokio::net::lookup_host((probe.as_str(), 80))).await {
        Ok(Ok(addresses)) => {
            let mut found: Vec<String> = addresses.map(|a| a.ip().to_string()).collect();
            found.sort();
            found.dedup();
            match found.is_empty() {
                false => ok(format!("{probe} resolves to {}", found.join(", "))),
                true => warn(format!("{probe} has no address"), to_do),
            }
        }
        Ok(Err(_)) => warn(format!("{probe} does not resolve"), to_do),
        Err(_) => warn(format!("{probe} did not resolve within {}s", DNS_TIMEOUT.as_secs()), to_do),
    }
}

#[cfg(test)]
mod tests {
    use urumi_core::cluster::InMemoryCluster;

    use super::super::CheckResult;
    use super::*;

    fn said(findings: &[Finding]) -> String {
        findings.iter().map(|f| format!("{f:?}\n")).collect()
    }

    #[tokio::test]
    async fn classes_that_exist_or_not_are_told_apart() {
        let cluster = InMemoryCluster::default();
        insta::assert_snapshot!(said(&[storage(&cluster).await, ingress(&cluster).await]));
        let cluster = InMemoryCluster::builder().without_storage_class().without_ingress_class().build();
        insta::assert_snapshot!(said(&[storage(&cluster).await, ingress(&cluster).await]));
    }

    #[test]
    fn a_real_network_is_not_checked() {
        assert!(network(Via::Memory).is_none());
        let finding = network(Via::Cluster).unwrap();
        assert_eq!(finding.result, CheckResult::Skip);
        assert!(finding.to_do.unwrap().contains("kubectl run"));
    }

    #[tokio::test]
    async fn a_missing_permission_is_named() {
        let cluster = InMemoryCluster::default();
        assert!(permissions(&cluster).await.iter().all(|f| f.to_do.is_none()));
        for verb in ["create", "watch"] {
            cluster.deny(Access::new(verb, "apps", "deployments"));
        }
        let missing: Vec<Finding> = permissions(&cluster).await.into_iter().filter(|f| f.to_do.is_some()).collect();
        insta::assert_snapshot!(said(&missing));
    }
}
