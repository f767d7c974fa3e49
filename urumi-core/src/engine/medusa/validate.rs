//! What must hold of typed options: every mistake is found, not only the first, up to a number.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::contract::{self, admin, api, credentials, storefront};
use super::options::{
    Autoscaling, Database, DatabaseMode, DatabaseServer, MedusaOptions, ResourceList, Resources, SslMode,
};
use super::theme;
use crate::error::FieldError;
use crate::kubernetes::syntax::{self, Quantity};
use crate::store::{HANDED_SECRET, StoreId};

/// The longest value of an environment variable.
const MAX_ENV_VALUE: usize = 32 * 1024;
/// The longest list of authorities, which every store's record has a copy of.
const MAX_CA: usize = 16 * 1024;

/// The most entries of a map of variables, and of any other map or list.
const MAX_ENV: usize = 256;
const MAX_ENTRIES: usize = 64;

/// After so many errors, more are no help.
pub(super) const MAX_ERRORS: usize = 100;

/// Names that Kubernetes knows for quotas; others must have a prefix, such as `count/` or a storage class.
const QUOTAS: [&str; 17] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "requests.storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "services",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.loadbalancers",
    "services.nodeports",
];

/// Checks merged options that are to become a store's.
pub(super) fn all(options: &MedusaOptions, id: &StoreId) -> Vec<FieldError> {
    let mut checks = Checks(fields(options));
    match &options.domain {
        Some(domain) if syntax::domain(domain).is_ok() => {
            let host = contract::storefront_host(id, domain);
            let long = |why| format!("makes the host {host}, which {why}");
            checks.that("domain", syntax::domain(&host).map_err(long));
        }
        _ => {}
    }
    if options.database.mode == DatabaseMode::External
        && options.database.secret.as_ref().is_none_or(|secret| secret.name.is_empty())
    {
        checks.wrong(
            "database.secret.name",
            "is required with database.mode external: the Secret in the store's namespace that holds the connection URL",
        );
    }
    if options.database.mode == DatabaseMode::Managed && options.database.server.is_none() {
        checks.wrong(
            "database.mode",
            "must not be managed: this installation names no server for it (database.server in its defaults)",
        );
    }
    let shared = options.api.sets(api::REDIS_URL);
    if options.api.most_replicas().get() > 1 && options.redis.enabled == Some(false) && !shared {
        checks.wrong(
            "redis.enabled",
            "must not be false if the API may have more than one replica, unless api.env.REDIS_URL names another Redis: \
             with locks in memory, a cart could be completed twice",
        );
    }
    if options.redis.enabled == Some(true) && shared {
        checks.wrong("redis.enabled", "must not be true while api.env.REDIS_URL names another Redis; choose one");
    }
    quota(&mut checks, options);
    checks.0
}

/// Checks each field for itself: what holds of a request and of an installation's defaults alike.
pub(super) fn fields(options: &MedusaOptions) -> Vec<FieldError> {
    let mut checks = Checks(Vec::new());
    if let Some(domain) = &options.domain {
        checks.that("domain", syntax::domain(domain));
    }
    database(&mut checks, &options.database);

    checks.that("api.image", syntax::image_reference(&options.api.image));
    resources(&mut checks, "api.resources", &options.api.resources);
    env(&mut checks, "api.env", &options.api.env, &api::RESERVED);
    for name in options.api.secret_env.keys() {
        let path = format!("api.secretEnv.{name}");
        env_name(&mut checks, &path, name, &api::RESERVED);
        if options.api.env.contains_key(name) {
            checks.wrong(&path, format!("must not be set together with api.env.{name}; choose one"));
        }
    }
    checks.that("api.readinessPath", syntax::probe_path(&options.api.readiness_path));
    checks.that("api.livenessPath", syntax::probe_path(&options.api.liveness_path));
    unique(&mut checks, "api.envSecrets", &options.api.env_secrets, syntax::dns_subdomain);
    checks.that("storefront.image", syntax::image_reference(&options.storefront.image));
    checks.that("storefront.readinessPath", syntax::probe_path(&options.storefront.readiness_path));
    checks.that("storefront.livenessPath", syntax::probe_path(&options.storefront.liveness_path));
    resources(&mut checks, "storefront.resources", &options.storefront.resources);
    env(&mut checks, "storefront.env", &options.storefront.env, &storefront::RESERVED);
    theme::check(&options.storefront).into_iter().for_each(|error| checks.add(error));
    if options.storefront.stripe_publishable_key.is_some()
        && options.storefront.env.contains_key(storefront::STRIPE_KEY)
    {
        let message = format!("must not be set together with storefront.env.{}; choose one", storefront::STRIPE_KEY);
        checks.wrong("storefront.stripePublishableKey", message);
    }

    for (part, autoscaling) in [("api", &options.api.autoscaling), ("storefront", &options.storefront.autoscaling)] {
        if let Some(autoscaling) = autoscaling {
            scaling(&mut checks, part, autoscaling);
        }
    }
    checks.that("redis.image", syntax::image_reference(&options.redis.image));
    resources(&mut checks, "redis.resources", &options.redis.resources);
    checks.that("proofOfLife.image", syntax::image_reference(&options.proof_of_life.image));
    resources(&mut checks, "proofOfLife.resources", &options.proof_of_life.resources);
    if let Some(schedule) = &options.smoke.schedule {
        checks.that("smoke.schedule", syntax::cron(schedule));
    }
    if !(10..=3600).contains(&options.smoke.deadline_seconds) {
        let message = format!("must be 10 to 3600, not {}", options.smoke.deadline_seconds);
        checks.wrong("smoke.deadlineSeconds", message);
    }
    if let Some(email) = &options.admin.email {
        checks.that("admin.email", syntax::email(email));
    }

    ingress(&mut checks, options);
    dns(&mut checks, options);
    tls(&mut checks, options);

    for (name, amount) in checks.few("quota", &options.quota, MAX_ENTRIES) {
        let path = format!("quota.{name}");
        checks.that(&path, syntax::label_key(name));
        if !name.contains('/') && !QUOTAS.contains(&name.as_str()) {
            checks.wrong(
                &path,
                format!("is not known to Kubernetes; there is {}, or count/<resource>", QUOTAS.join(", ")),
            );
        }
        let counted = !name.contains("cpu") && amount.whole().is_none();
        if counted {
            checks.wrong(&path, format!("must be a whole number, not {amount}"));
        }
    }
    if let Some(limits) = &options.limits {
        range(&mut checks, "limits", ("defaultRequest", &limits.default_request), ("default", &limits.default));
    }
    unique(&mut checks, "imagePullSecrets", &options.image_pull_secrets, syntax::dns_subdomain);
    others_secrets(&mut checks, options);
    checks.0
}

/// Secrets that urumi or the installation made are not for a store's containers: its own, which it gets in other ways, the
/// certificates' keys and the database server's administrator.
fn others_secrets(checks: &mut Checks, options: &MedusaOptions) {
    let own = [credentials::WITH_DATABASE, credentials::WITHOUT_DATABASE, admin::SECRET, HANDED_SECRET];
    let tls = options.tls.secret_name.as_deref();
    let server = options.database.server.as_ref().map(|server| server.secret_name.as_str());
    let mut check = |path: String, name: &str| {
        if own.contains(&name) || name.ends_with("-tls") || Some(name) == tls || Some(name) == server {
            checks.wrong(&path, format!("must not be {name:?}: that Secret is not for a store's containers"));
        }
    };
    if let Some(secret) = &options.database.secret {
        check("database.secret.name".to_owned(), &secret.name);
    }
    for (field, names) in
        [("api.envSecrets", &options.api.env_secrets), ("imagePullSecrets", &options.image_pull_secrets)]
    {
        for (index, name) in names.iter().enumerate() {
            check(format!("{field}[{index}]"), name);
        }
    }
}

struct Checks(Vec<FieldError>);

impl Checks {
    fn that(&mut self, field: &str, result: Result<(), String>) {
        if let Err(message) = result {
            self.wrong(field, message);
        }
    }

    fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.add(FieldError::new(field, message));
    }

    fn add(&mut self, error: FieldError) {
        if self.0.len() < MAX_ERRORS {
            self.0.push(error);
        }
    }

    /// The entries of a map or list; none if there are too many, which is one error.
    fn few<I: IntoIterator>(&mut self, field: &str, entries: I, most: usize) -> impl Iterator<Item = I::Item> + use<I>
    where
        I::IntoIter: ExactSizeIterator,
    {
        let entries = entries.into_iter();
        let length = entries.len();
        if length > most {
            self.wrong(field, format!("has {length} entries, at most {most} are allowed"));
        }
        entries.take(if length > most { 0 } else { most })
    }
}

fn database(checks: &mut Checks, database: &Database) {
    if let Some(image) = &database.image {
        checks.that("database.image", syntax::image_reference(image));
    }
    if let Some(storage) = &database.storage {
        let least = Quantity::of(100 * 1024 * 1024);
        if storage.size < least {
            let message =
                format!("must be at least 100Mi, not {}; PostgreSQL needs that before it holds anything", storage.size);
            checks.wrong("database.storage.size", message);
        } else if storage.size.whole().is_none() {
            checks.wrong("database.storage.size", format!("must be whole bytes, not {}", storage.size));
        }
        if let Some(class) = &storage.class_name {
            checks.that("database.storage.className", syntax::dns_subdomain(class));
        }
    }
    if let Some(given) = &database.resources {
        resources(checks, "database.resources", given);
    }
    if let Some(secret) = &database.secret {
        if !secret.name.is_empty() {
            checks.that("database.secret.name", syntax::dns_subdomain(&secret.name));
        }
        checks.that("database.secret.key", syntax::secret_key(&secret.key));
    }
    if let Some(given) = &database.server {
        server(checks, "database.server", given);
    }
    for (index, former) in database.former_servers.iter().enumerate() {
        let path = format!("database.formerServers[{index}]");
        server(checks, &path, former);
        // urumi has permissions in one such namespace.
        if database.server.as_ref().is_none_or(|server| server.namespace != former.namespace) {
            checks.wrong(&format!("{path}.namespace"), "must be database.server.namespace");
        }
    }
    // The store's traffic is allowed to this port, which must not become a way to mail servers and the like.
    if let Some(port @ ..1024) = database.port {
        checks.wrong("database.port", format!("must be 1024 to 65535, not {port}"));
    }
}

fn server(checks: &mut Checks, path: &str, server: &DatabaseServer) {
    let at = |field: &str| format!("{path}.{field}");
    if server.host.parse::<Ipv4Addr>().is_err() {
        checks.that(&at("host"), syntax::dns_subdomain(&server.host));
    }
    if server.port < 1024 {
        checks.wrong(&at("port"), format!("must be 1024 to 65535, not {}", server.port));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !(1..=63).contains(&server.database.len()) || !server.database.chars().all(plain) {
        checks.wrong(&at("database"), "must be 1 to 63 letters, digits, _ and -");
    }
    checks.that(&at("namespace"), syntax::dns_label(&server.namespace));
    if StoreId::from_namespace(&server.namespace).is_some() {
        checks.wrong(&at("namespace"), "must not be the namespace of a store");
    }
    checks.that(&at("secretName"), syntax::dns_subdomain(&server.secret_name));
    checks.that(&at("image"), syntax::image_reference(&server.image));
    if !(1..=10_000).contains(&server.connections) {
        checks.wrong(&at("connections"), format!("must be 1 to 10000, not {}", server.connections));
    }
    if let Some(given) = &server.resources {
        resources(checks, &at("resources"), given);
    }
    match (server.ssl_mode, &server.ca) {
        (SslMode::VerifyFull, None) => {
            checks.wrong(&at("ca"), "is required with sslMode verifyFull: the certificate of the server's authority");
        }
        (SslMode::VerifyFull, Some(ca)) => checks.that(&at("ca"), certificates(ca)),
        (_, Some(_)) => checks.wrong(&at("ca"), "is only for sslMode verifyFull"),
        (_, None) => {}
    }
}

/// Checks that a text has certificates in PEM and nothing else that is in PEM, such as a private key. What they say is
/// checked by whoever connects.
fn certificates(text: &str) -> Result<(), String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    if text.len() > MAX_CA {
        return Err(format!(
            "has {} bytes, at most {MAX_CA} are allowed; leave out what the server does not need",
            text.len()
        ));
    }
    let base64 = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "+/=".contains(c);
    let mut blocks = text.split(BEGIN);
    let before = blocks.next().unwrap_or_default();
    let mut blocks = blocks.peekable();
    let whole = |block: &str| {
        block.split_once(END).is_some_and(|(body, after)| {
            !body.trim().is_empty() && body.chars().all(base64) && !after.contains("-----")
        })
    };
    if blocks.peek().is_none() || before.contains("-----") || !blocks.all(whole) {
        return Err(format!("must be certificates in PEM: {BEGIN} … {END}"));
    }
    Ok(())
}

fn resources(checks: &mut Checks, path: &str, resources: &Resources) {
    range(checks, path, ("requests", &resources.requests), ("limits", &resources.limits));
}

/// Two lists of amounts of which the first must not be above the second.
fn range(checks: &mut Checks, path: &str, (low, least): (&str, &ResourceList), (high, most): (&str, &ResourceList)) {
    for (name, list) in [(low, least), (high, most)] {
        let cpu = format!("{path}.{name}.cpu");
        if list.cpu.is_zero() {
            checks.wrong(&cpu, "must be more than 0, e.g. 250m");
        } else if !list.cpu.is_whole_millis() {
            checks.wrong(&cpu, format!("must be in steps of a thousandth (1m), not {}", list.cpu));
        }
        let memory = format!("{path}.{name}.memory");
        if list.memory < Quantity::of(16 * 1024 * 1024) {
            checks.wrong(&memory, format!("must be at least 16Mi, not {}; write e.g. 256Mi or 1Gi", list.memory));
        } else if list.memory.whole().is_none() {
            checks.wrong(&memory, format!("must be whole bytes, not {}", list.memory));
        }
    }
    for (name, least, most) in [("cpu", &least.cpu, &most.cpu), ("memory", &least.memory, &most.memory)] {
        if least > most {
            checks.wrong(
                &format!("{path}.{low}.{name}"),
                format!("must not be above {path}.{high}.{name}: {least} is more than {most}"),
            );
        }
    }
}

fn env(checks: &mut Checks, path: &str, env: &BTreeMap<String, String>, reserved: &[&str]) {
    for (name, value) in checks.few(path, env, MAX_ENV) {
        let path = format!("{path}.{name}");
        env_name(checks, &path, name, reserved);
        if value.contains('\0') {
            checks.wrong(&path, "must not contain a NUL character");
        }
        if value.len() > MAX_ENV_VALUE {
            checks.wrong(&path, format!("has {} bytes, at most {MAX_ENV_VALUE} are allowed", value.len()));
        }
    }
}

fn env_name(checks: &mut Checks, path: &str, name: &str, reserved: &[&str]) {
    checks.that(path, syntax::env_name(name));
    if reserved.contains(&name) {
        checks.wrong(path, format!("is set by urumi itself; the names it sets are {}", reserved.join(", ")));
    }
}

fn ingress(checks: &mut Checks, options: &MedusaOptions) {
    let ingress = &options.ingress;
    if let Some(class) = &ingress.class_name {
        checks.that("ingress.className", syntax::dns_subdomain(class));
    }
    for (key, value) in checks.few("ingress.annotations", &ingress.annotations, MAX_ENTRIES) {
        let path = format!("ingress.annotations.{key}");
        checks.that(&path, syntax::annotation_key(key));
        let instead = match key.as_str() {
            "kubernetes.io/ingress.class" => Some("use ingress.className instead"),
            "cert-manager.io/issuer" => Some("use tls.issuer instead"),
            "cert-manager.io/cluster-issuer" => Some("use tls.clusterIssuer instead"),
            "kubectl.kubernetes.io/last-applied-configuration" => Some("it belongs to kubectl"),
            key if key.starts_with("store.urumi.ai/") => Some("it belongs to urumi"),
            // They put text into the configuration of a controller that serves, and reads the secrets of, all stores.
            key if key.ends_with("-snippet") || key.ends_with("-snippets") => {
                Some("snippets reach into other stores' traffic")
            }
            _ => None,
        };
        if let Some(instead) = instead {
            checks.wrong(&path, format!("must not be set; {instead}"));
        }
        if value.contains('\0') {
            checks.wrong(&path, "must not contain a NUL character");
        }
    }
    if ingress.controller_namespaces.is_empty() && ingress.controller_cidrs.is_empty() {
        checks.wrong(
            "ingress.controllerNamespaces",
            "must not be empty without ingress.controllerCidrs: name the namespaces of your ingress controllers, e.g. \
             [\"traefik\"], or the networks of your load balancers there",
        );
    }
    unique(checks, "ingress.controllerNamespaces", &ingress.controller_namespaces, |place| {
        let (namespace, app) = place.split_once('/').unwrap_or((place, "any"));
        if app.is_empty() {
            return Err("must name the pods behind the '/', e.g. kube-system/traefik".to_owned());
        }
        syntax::dns_label(namespace).and_then(|()| syntax::label_value(app))
    });
    unique(checks, "ingress.controllerCidrs", &ingress.controller_cidrs, syntax::cidr);
}

fn dns(checks: &mut Checks, options: &MedusaOptions) {
    let dns = &options.network_policy.dns;
    if dns.namespaces.is_empty() && dns.cidrs.is_empty() {
        checks.wrong("networkPolicy.dns.namespaces", "must not be empty without networkPolicy.dns.cidrs");
    }
    unique(checks, "networkPolicy.dns.namespaces", &dns.namespaces, syntax::dns_label);
    unique(checks, "networkPolicy.dns.cidrs", &dns.cidrs, syntax::cidr);
    if dns.ports.is_empty() {
        checks.wrong("networkPolicy.dns.ports", "must not be empty");
    }
    for (index, port) in checks.few("networkPolicy.dns.ports", &dns.ports, MAX_ENTRIES).enumerate() {
        checks.that(&format!("networkPolicy.dns.ports[{index}]"), syntax::port(*port));
    }
}

fn tls(checks: &mut Checks, options: &MedusaOptions) {
    let tls = &options.tls;
    let choices = [("secretName", &tls.secret_name), ("issuer", &tls.issuer), ("clusterIssuer", &tls.cluster_issuer)];
    let mut first = None;
    for (name, value) in choices {
        let Some(value) = value else { continue };
        let path = format!("tls.{name}");
        checks.that(&path, syntax::dns_subdomain(value));
        match first {
            None => first = Some(name),
            Some(first) => checks.wrong(&path, format!("must not be set together with tls.{first}; choose one")),
        }
    }
}

fn unique(checks: &mut Checks, path: &str, list: &[String], check: impl Fn(&str) -> Result<(), String>) {
    let mut seen = BTreeSet::new();
    for (index, item) in checks.few(path, list, MAX_ENTRIES).enumerate() {
        let path = format!("{path}[{index}]");
        checks.that(&path, check(item));
        if !seen.insert(item) {
            checks.wrong(&path, format!("{item:?} is there already"));
        }
    }
}

fn scaling(checks: &mut Checks, part: &str, Autoscaling { min, max, cpu }: &Autoscaling) {
    if max.get() < min.get() {
        let message = format!("must not be below {part}.autoscaling.min: {} is less than {}", max.get(), min.get());
        checks.wrong(&format!("{part}.autoscaling.max"), message);
    }
    if !(1..=100).contains(cpu) {
        checks.wrong(&format!("{part}.autoscaling.cpu"), format!("must be 1 to 100, not {cpu}"));
    }
}

/// A quota below what the store itself needs would leave it waiting for ever, so it is refused at once. One pod more
/// than the most replicas is counted of each Deployment, because an update starts the new one before it stops the old.
fn quota(checks: &mut Checks, options: &MedusaOptions) {
    let one = |there: bool| u32::from(there);
    let redis = options.redis();
    let storage = options.database.storage.as_ref().filter(|_| options.is_embedded());
    // How many pods there are of each part at most, and what each of them has.
    let mut parts: Vec<(u32, &Resources)> = vec![
        (u32::from(options.api.most_replicas().get()) + 1, &options.api.resources),
        (u32::from(options.storefront.most_replicas().get()) + 1, &options.storefront.resources),
        (one(options.proof_of_life.enabled), &options.proof_of_life.resources),
        (one(options.smoke.schedule.is_some()), &options.proof_of_life.resources),
    ];
    parts.extend(options.database.resources.as_ref().filter(|_| options.is_embedded()).map(|r| (1, r)));
    parts.extend(redis.map(|redis| (1, &redis.resources)));
    let zero = Quantity::of(0);
    let sum = |amount: fn(&Resources) -> &Quantity| {
        parts.iter().fold(zero.clone(), |sum, (pods, resources)| sum.plus(&amount(resources).times(*pods)))
    };
    let own = one(options.is_embedded());
    for (name, hard) in &options.quota {
        let needed = match name.as_str() {
            "cpu" | "requests.cpu" => sum(|r| &r.requests.cpu),
            "memory" | "requests.memory" => sum(|r| &r.requests.memory),
            "limits.cpu" => sum(|r| &r.limits.cpu),
            "limits.memory" => sum(|r| &r.limits.memory),
            "requests.storage" => storage.map_or_else(|| zero.clone(), |s| s.size.clone()),
            "persistentvolumeclaims" => Quantity::of(own),
            "services" => Quantity::of(2 + own + one(redis.is_some())),
            "pods" => Quantity::of(parts.iter().map(|(pods, _)| pods).sum::<u32>()),
            _ => continue,
        };
        if *hard < needed {
            let message = format!(
                "is less than the store needs: at least {needed} (one pod more of each part while it is updated)"
            );
            checks.wrong(&format!("quota.{name}"), message);
        }
    }
}
