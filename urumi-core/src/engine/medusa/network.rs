//! Which traffic a store's pods may have: nothing, but for what makes a shop work.
//!
//! A store's images are not urumi's to trust. Its pods reach the cluster's DNS, each other along
//! storefront → API → database and Redis, and, from the API only, the public internet over HTTPS for payment providers. Private
//! networks are left out of that, and with them the Kubernetes API, the cloud's metadata service and other stores.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::contract::{api, database, redis, storefront};
use super::options::{ClusterDns, DATABASE_PORT, DatabaseServer};
use super::parts;
use super::resolved::{DatabasePlan, ResolvedStore, TlsPlan};
use super::workload::{Part, number, selector};
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;

/// What is not the public internet, of IPv4 and IPv6: private, shared, link-local, benchmark and reserved ranges, all of
/// which clusters use for nodes, pods or Services.
const NOT_PUBLIC: [&[&str]; 2] = [
    &[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
    ],
    // The first is translated to IPv4 addresses, private ones among them.
    &["64:ff9b::/96", "fc00::/7", "fe80::/10"],
];
/// Where clouds have their metadata services.
const LINK_LOCAL_V4: &[&str] = &["169.254.0.0/16"];
const LINK_LOCAL_V6: &[&str] = &["fe80::/10"];
const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// The label that Kubernetes puts on every namespace, and that cannot be forged.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";
/// Where cert-manager's pods that answer HTTP-01 challenges listen, and the label they carry.
const SOLVER_PORT: u16 = 8089;
const SOLVER_LABEL: &str = "acme.cert-manager.io/http01-solver";

/// The store's NetworkPolicies; none where they are switched off.
pub(super) fn manifests(store: &ResolvedStore<'_>) -> Result<Vec<Manifest>, RenderError> {
    if !store.options.network_policy.enabled {
        return Ok(Vec::new());
    }
    let database = store.database()?;
    let controllers = controllers(store);
    let mut policies = vec![policy(&parts::isolation(store), "default-deny", LabelSelector::default(), None, None)];

    let mut api_egress = vec![dns(store)];
    match database {
        DatabasePlan::Embedded { image, .. } => {
            let part = parts::database(image);
            let from_api = vec![from(vec![pods(api::NAME)], DATABASE_PORT)];
            policies.push(policy(&part, database::NAME, selector(database::NAME), Some(from_api), None));
            api_egress.push(to(vec![pods(database::NAME)], &[("TCP", DATABASE_PORT)]));
        }
        DatabasePlan::Managed(&DatabaseServer { port, .. }) | DatabasePlan::External { port, .. } => {
            // Where a managed database is cannot be known, and it is often on a private network. PostgreSQL's own
            // port opens no other store's database: that one's policy lets in nobody else. Any other port might be
            // the Kubernetes API's or that of something unprotected, so it is opened to public addresses only.
            let except = if port == DATABASE_PORT { [LINK_LOCAL_V4, LINK_LOCAL_V6] } else { NOT_PUBLIC };
            api_egress.push(everywhere_but(except, port));
        }
    }
    if let Some(own) = store.options.redis() {
        let from_api = vec![from(vec![pods(api::NAME)], redis::PORT)];
        policies.push(policy(&parts::redis(own), redis::NAME, selector(redis::NAME), Some(from_api), None));
        api_egress.push(to(vec![pods(redis::NAME)], &[("TCP", redis::PORT)]));
    }
    api_egress.push(everywhere_but(NOT_PUBLIC, 443));

    let mut storefront_sources = controllers.clone();
    let mut api_sources = vec![pods(storefront::NAME)];
    let routes = vec![
        dns(store),
        to(vec![pods(storefront::NAME)], &[("TCP", storefront::PORT)]),
        to(vec![pods(api::NAME)], &[("TCP", api::PORT)]),
    ];
    let mut customers = vec![parts::smoke(store)];
    customers.extend(store.options.proof_of_life.enabled.then(|| parts::proof_of_life(store)));
    for customer in customers {
        policies.push(policy(&customer, customer.name, selector(customer.name), None, Some(routes.clone())));
        storefront_sources.push(pods(customer.name));
        api_sources.push(pods(customer.name));
    }
    api_sources.extend(controllers.iter().cloned());
    policies.push(policy(
        &parts::api(store),
        api::NAME,
        selector(api::NAME),
        Some(vec![from(api_sources, api::PORT)]),
        Some(api_egress),
    ));
    policies.push(policy(
        &parts::storefront(store),
        storefront::NAME,
        selector(storefront::NAME),
        Some(vec![from(storefront_sources, storefront::PORT)]),
        Some(vec![dns(store), to(vec![pods(api::NAME)], &[("TCP", api::PORT)])]),
    ));
    if let TlsPlan::Issuer { .. } = store.tls() {
        // Without it, a certificate that is proven over HTTP would never be issued.
        let solvers = labelled(SOLVER_LABEL, "true");
        let rules = vec![from(controllers, SOLVER_PORT)];
        policies.push(policy(&parts::isolation(store), "acme-solver", solvers, Some(rules), None));
    }
    policies.iter().map(|p| Ok(Manifest::managed(Object::from_typed(p)?))).collect()
}

/// A policy that always speaks of both directions: what is not given is closed.
fn policy(
    part: &Part<'_>,
    name: &str,
    pods: LabelSelector,
    ingress: Option<Vec<NetworkPolicyIngressRule>>,
    egress: Option<Vec<NetworkPolicyEgressRule>>,
) -> NetworkPolicy {
    NetworkPolicy {
        metadata: part.metadata_named(name),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(pods),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress,
            egress,
        }),
    }
}

fn from(peers: Vec<NetworkPolicyPeer>, port: u16) -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule { from: Some(peers), ports: Some(vec![policy_port("TCP", port)]) }
}

fn to(peers: Vec<NetworkPolicyPeer>, ports: &[(&str, u16)]) -> NetworkPolicyEgressRule {
    let ports = ports.iter().map(|(protocol, port)| policy_port(protocol, *port)).collect();
    NetworkPolicyEgressRule { to: Some(peers), ports: Some(ports) }
}

fn policy_port(protocol: &str, port: u16) -> NetworkPolicyPort {
    NetworkPolicyPort { protocol: Some(protocol.to_owned()), port: Some(number(port)), ..Default::default() }
}

/// The cluster's DNS; some peer and some port, which `ResolvedStore::read` makes sure of.
fn dns(store: &ResolvedStore<'_>) -> NetworkPolicyEgressRule {
    let ClusterDns { namespaces, cidrs, ports } = &store.options.network_policy.dns;
    let peers = namespaces.iter().map(|name| namespace(name)).chain(cidrs.iter().map(|cidr| block(cidr, &[])));
    let ports: Vec<_> = ports.iter().flat_map(|port| [("UDP", *port), ("TCP", *port)]).collect();
    to(peers.collect(), &ports)
}

/// All addresses of IPv4 and IPv6 but those of the given ranges.
fn everywhere_but(except: [&[&str]; 2], port: u16) -> NetworkPolicyEgressRule {
    let blocks = EVERYWHERE.iter().zip(except).map(|(cidr, except)| block(cidr, except));
    to(blocks.collect(), &[("TCP", port)])
}

/// The ingress controllers and load balancers; never empty, which `ResolvedStore::read` makes sure of.
fn controllers(store: &ResolvedStore<'_>) -> Vec<NetworkPolicyPeer> {
    let ingress = &store.options.ingress;
    let inside = ingress.controller_namespaces.iter().map(|place| match place.split_once('/') {
        Some((name, app)) => NetworkPolicyPeer { pod_selector: Some(selector(app)), ..namespace(name) },
        None => namespace(place),
    });
    inside.chain(ingress.controller_cidrs.iter().map(|cidr| block(cidr, &[]))).collect()
}

fn pods(name: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer { pod_selector: Some(selector(name)), ..Default::default() }
}

fn namespace(name: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer { namespace_selector: Some(labelled(NAMESPACE_NAME, name)), ..Default::default() }
}

fn block(cidr: &str, except: &[&str]) -> NetworkPolicyPeer {
    let except: Vec<String> = except.iter().map(|e| (*e).to_owned()).collect();
    let except = (!except.is_empty()).then_some(except);
    NetworkPolicyPeer { ip_block: Some(IPBlock { cidr: cidr.to_owned(), except }), ..Default::default() }
}

fn labelled(key: &str, value: &str) -> LabelSelector {
    let labels = BTreeMap::from([(key.to_owned(), value.to_owned())]);
    LabelSelector { match_labels: Some(labels), ..Default::default() }
}
