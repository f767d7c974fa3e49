//! The options of a Medusa store: their types, built-in defaults and JSON Schema.

mod autoscaling;
mod handed;
mod replicas;
mod storefront;
mod typed;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

pub use self::autoscaling::Autoscaling;
pub use self::handed::Handed;
pub use self::replicas::Replicas;
pub use self::storefront::{Colors, FooterLink, Locale, ManualPayment, Robots, Storefront, Theme};
use crate::kubernetes::syntax::Quantity;
use crate::store::Options;

/// The default port of PostgreSQL.
pub(super) const DATABASE_PORT: u16 = 5432;
const POSTGRES_IMAGE: &str = "postgres:15-alpine";

/// The options of a Medusa store. A request may leave out any of them, and then the installation's default applies; null
/// removes an optional default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct MedusaOptions {
    /// The domain of the store's addresses: the shop is at `store-ID.DOMAIN`, its API at `api-ID.DOMAIN`. The default
    /// is the installation's domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["shops.example.com"]))]
    pub domain: Option<String>,
    /// The store's database.
    pub database: Database,
    /// The commerce API (Medusa).
    pub api: Api,
    /// The shop that customers see.
    pub storefront: Storefront,
    /// The Redis for several API replicas, with locks, events, workflows and a cache.
    pub redis: Redis,
    /// The store's first administrator.
    #[serde(default)]
    pub admin: Admin,
    /// The check that the store must pass before its status is ready.
    pub proof_of_life: ProofOfLife,
    /// Smoke orders: test orders, placed like a customer's.
    #[serde(default)]
    pub smoke: Smoke,
    /// Access to the store from outside the cluster.
    pub ingress: IngressOptions,
    /// TLS for the store's addresses. If one of the fields is set, TLS is on and the store's URLs begin with https. At
    /// most one may be set.
    #[serde(default, skip_serializing_if = "Tls::is_off")]
    pub tls: Tls,
    /// The ResourceQuota of the store's namespace, e.g. requests.cpu, limits.memory, pods or requests.storage. Empty
    /// means no quota.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"requests.cpu": "4", "limits.memory": "16Gi", "pods": "20"}]))]
    pub quota: BTreeMap<String, Quantity>,
    /// The LimitRange of the store's namespace: the resources of containers that specify none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Names of image pull Secrets in the store's namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["registry"]]))]
    pub image_pull_secrets: Vec<String>,
    /// The NetworkPolicies of the store's pods.
    pub network_policy: NetworkPolicyOptions,
}

/// A store's database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Database {
    /// embedded: the store has its own PostgreSQL in its namespace. managed: urumi creates and removes a database and a
    /// role for the store on the installation's server. external: an existing database.
    pub mode: DatabaseMode,
    /// The PostgreSQL image (embedded only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["registry.example.com/postgres:15.8"]))]
    pub image: Option<String>,
    /// The database's volume (embedded only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// CPU and memory of the database's container (embedded only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The Secret with the database's URL (external only, required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<DatabaseSecret>,
    /// The database's port, to which the API's traffic is allowed (external only; 5432 by default). Other ports than
    /// 5432 can be reached at public addresses only, unless the cluster's operator adds a NetworkPolicy.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "port")]
    #[schemars(range(min = 1024, max = 65535))]
    #[schemars(extend("examples" = [6432]))]
    pub port: Option<u16>,
    /// The installation's server (managed only). Only the installation's defaults can set it, not a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<DatabaseServer>,
    /// Servers on which stores have databases although new stores get theirs on another (managed only). They are part
    /// of the installation's defaults and no request's choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [[{"host": "old.databases.svc", "namespace": "databases", "secretName": "admin"}]]))]
    pub former_servers: Vec<DatabaseServer>,
}

fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let wrong = |number: i64| D::Error::custom(format!("must be 1024 to 65535, not {number}"));
    Option::<i64>::deserialize(deserializer)?.map(|number| u16::try_from(number).map_err(|_| wrong(number))).transpose()
}

/// The kind of a store's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum DatabaseMode {
    /// The store has its own PostgreSQL.
    Embedded,
    /// The store has its own database and role on a shared server.
    Managed,
    /// An existing PostgreSQL elsewhere.
    External,
}

/// The volume of an embedded database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Storage {
    /// The size of the volume.
    #[schemars(extend("examples" = ["20Gi"]))]
    pub size: Quantity,
    /// The StorageClass; the cluster's default if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["fast"]))]
    pub class_name: Option<String>,
}

/// The Secret with an external database's URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct DatabaseSecret {
    /// The Secret's name; it must exist in the store's namespace.
    #[serde(default)]
    #[schemars(extend("examples" = ["shop-database"]))]
    pub name: String,
    /// The Secret's key with the connection URL, postgres://user:password@host:port/database.
    #[serde(default = "DatabaseSecret::default_key")]
    #[schemars(extend("examples" = ["url"]))]
    pub key: String,
}

impl DatabaseSecret {
    fn default_key() -> String {
        "DATABASE_URL".into()
    }
}

/// A PostgreSQL server with a database for each of many stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct DatabaseServer {
    /// The server's host name or IPv4 address, reachable from the stores' pods.
    #[schemars(extend("examples" = ["postgres.databases.svc.cluster.local"]))]
    pub host: String,
    /// The server's port.
    #[serde(default = "DatabaseServer::default_port")]
    #[schemars(range(min = 1024, max = 65535))]
    #[schemars(extend("examples" = [6432]))]
    pub port: u16,
    /// Whether connections to the server use TLS: verifyFull, require or disable. With require, an attacker who can divert
    /// the connection can pose as the server, and act with the password of a store or of the administrator.
    #[serde(default)]
    pub ssl_mode: SslMode,
    /// The certificate, in PEM, of the authority that signs the server's certificate; or several (verifyFull only, and
    /// required there).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n"]))]
    pub ca: Option<String>,
    /// The database to which the administrator connects.
    #[serde(default = "DatabaseServer::default_database")]
    #[schemars(extend("examples" = ["administration"]))]
    pub database: String,
    /// The namespace of the Secret and of the Jobs that create and remove databases. No tenant may have access to it.
    #[schemars(extend("examples" = ["databases"]))]
    pub namespace: String,
    /// The Secret with an administrator's username and password (kubernetes.io/basic-auth). The role must have the
    /// right to create databases and roles.
    #[schemars(extend("examples" = ["administrator"]))]
    pub secret_name: String,
    /// An image with psql and a shell.
    #[serde(default = "DatabaseServer::default_image")]
    #[schemars(extend("examples" = ["registry.example.com/postgres:15.8"]))]
    pub image: String,
    /// The maximum number of concurrent connections of a store.
    #[serde(default = "DatabaseServer::default_connections")]
    #[schemars(range(min = 1, max = 10000))]
    #[schemars(extend("examples" = [40]))]
    pub connections: u16,
    /// CPU and memory of the container that creates or removes a database; not specified if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

impl DatabaseServer {
    fn default_port() -> u16 {
        DATABASE_PORT
    }
    fn default_database() -> String {
        "postgres".into()
    }
    fn default_image() -> String {
        POSTGRES_IMAGE.into()
    }
    fn default_connections() -> u16 {
        20
    }
}

/// Whether connections to a database server use TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum SslMode {
    /// TLS is required, and the server's certificate must have its name and be signed by the known authority.
    VerifyFull,
    /// TLS is required. The certificate is not verified.
    #[default]
    Require,
    /// No TLS.
    Disable,
}

impl SslMode {
    /// The value for `sslmode` of PostgreSQL's clients.
    pub fn as_str(self) -> &'static str {
        match self {
            SslMode::VerifyFull => "verify-full",
            SslMode::Require => "require",
            SslMode::Disable => "disable",
        }
    }
}

/// The commerce API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Api {
    /// The API's image. It must listen on port 9000 and run as user 1000. With the argument prepare, it must migrate the
    /// database and exit.
    #[schemars(extend("examples" = ["registry.example.com/shop/medusa-api:1.4.0"]))]
    pub image: String,
    /// The number of replicas. More than one need a Redis. Ignored while autoscaling is set.
    #[schemars(extend("examples" = [2]))]
    pub replicas: Replicas,
    /// Lets the number of replicas follow the load, by a HorizontalPodAutoscaler. A maximum of more than one needs a Redis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// Whether the image runs with the argument prepare before the API starts. Set it to false for an image of your own
    /// that migrates its database itself.
    pub prepare: bool,
    /// The path of the readiness probe: status 200 if the API and its database can serve.
    #[schemars(extend("examples" = ["/ready"]))]
    pub readiness_path: String,
    /// The path of the liveness probe: status 200 unless the API must be restarted.
    #[schemars(extend("examples" = ["/live"]))]
    pub liveness_path: String,
    /// CPU and memory of each container. Node's heap is limited to three quarters of limits.memory.
    pub resources: Resources,
    /// Additional environment variables by name. Variables that urumi sets are rejected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"GREETING": "Welcome"}]))]
    pub env: BTreeMap<String, String>,
    /// Further environment variables with secret values, by name, such as a payment provider's keys (STRIPE_API_KEY,
    /// STRIPE_WEBHOOK_SECRET). They are kept in a Secret of the store and never shown again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("writeOnly" = true, "examples" = [{"STRIPE_API_KEY": "sk_test_51Abc"}]))]
    pub secret_env: BTreeMap<String, Handed>,
    /// Names of Secrets in the store's namespace whose keys become environment variables, such as a payment provider's
    /// keys (STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["stripe"]]))]
    pub env_secrets: Vec<String>,
}

impl Api {
    /// The most replicas that there may be.
    pub(super) fn most_replicas(&self) -> Replicas {
        autoscaling::most(self.replicas, self.autoscaling.as_ref())
    }

    /// The number of replicas, unless an autoscaler sets it.
    pub(super) fn fixed_replicas(&self) -> Option<Replicas> {
        self.autoscaling.is_none().then_some(self.replicas)
    }

    /// Whether `env` or `secretEnv` has this variable.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.env.contains_key(name) || self.secret_env.contains_key(name)
    }
}

/// The Redis for several API replicas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Redis {
    /// Whether the store has its own Redis. By default it has one if the API may have more than one replica and api.env
    /// sets no REDIS_URL: with locks in memory, a cart could be completed twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The Redis image. It must run as user 999.
    #[schemars(extend("examples" = ["registry.example.com/redis:7.4"]))]
    pub image: String,
    /// CPU and memory of the container.
    pub resources: Resources,
}

/// A store's first administrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Admin {
    /// The administrator's e-mail address; admin@ and the store's host by default. The password is generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["owner@example.com"]))]
    pub email: Option<String>,
}

/// The check that a store must pass before its status is ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct ProofOfLife {
    /// Whether a Job must be able to open the shop and to get a region from its API before the store's status is ready.
    pub enabled: bool,
    /// The image that runs the check with the argument prove.
    #[schemars(extend("examples" = ["registry.example.com/shop/medusa-storefront:1.4.0"]))]
    pub image: String,
    /// CPU and memory of the container.
    pub resources: Resources,
}

/// Test orders in a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Smoke {
    /// The schedule of automatic orders, in cron's format (minute, hour, day of the month, month, day of the week, e.g.
    /// 0 * * * *) and the cluster's time zone. No automatic orders if left out. If the newest order failed, the store is
    /// degraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["0 * * * *"]))]
    pub schedule: Option<String>,
    /// The time limit of an order in seconds.
    #[serde(default = "Smoke::default_deadline")]
    #[schemars(range(min = 10, max = 3600))]
    #[schemars(extend("examples" = [300]))]
    pub deadline_seconds: u16,
}

impl Smoke {
    fn default_deadline() -> u16 {
        120
    }
}

impl Default for Smoke {
    fn default() -> Self {
        Smoke { schedule: None, deadline_seconds: Smoke::default_deadline() }
    }
}

/// Access to a store from outside the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct IngressOptions {
    /// The IngressClass; the cluster's default if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["traefik"]))]
    pub class_name: Option<String>,
    /// Annotations of both Ingresses, e.g. for the ingress controller.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"nginx.ingress.kubernetes.io/proxy-body-size": "20m"}]))]
    pub annotations: BTreeMap<String, String>,
    /// The namespaces of ingress controllers. Of all pods in other namespaces, only theirs can connect to the shop and
    /// its API. NAMESPACE/NAME admits only the pods with the label app.kubernetes.io/name=NAME, e.g. kube-system/traefik.
    #[schemars(extend("examples" = [["ingress-nginx"]]))]
    pub controller_namespaces: Vec<String>,
    /// Networks of load balancers that connect to pods from outside the cluster's pods, e.g. 10.0.64.0/20. All their
    /// addresses can connect to the shop and its API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["10.0.64.0/20"]]))]
    pub controller_cidrs: Vec<String>,
}

/// TLS for a store's addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Tls {
    /// A TLS Secret in the store's namespace with a certificate for both hosts, e.g. a wildcard certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["wildcard"]))]
    pub secret_name: Option<String>,
    /// The cert-manager Issuer in the store's namespace that issues a certificate for each host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["letsencrypt"]))]
    pub issuer: Option<String>,
    /// The cert-manager ClusterIssuer that issues a certificate for each host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["letsencrypt"]))]
    pub cluster_issuer: Option<String>,
}

impl Tls {
    /// Whether TLS is off.
    pub fn is_off(&self) -> bool {
        self.secret_name.is_none() && self.issuer.is_none() && self.cluster_issuer.is_none()
    }
}

/// The resources of containers in a store's namespace that specify none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Limits {
    /// The default requests of a container.
    pub default_request: ResourceList,
    /// The default limits of a container.
    pub default: ResourceList,
}

/// The NetworkPolicies of a store's pods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct NetworkPolicyOptions {
    /// Whether NetworkPolicies block all traffic that the store does not need. Set it to false only on clusters whose
    /// network does not work with NetworkPolicies.
    pub enabled: bool,
    /// The cluster's DNS, to which the store's pods can connect.
    #[serde(default)]
    pub dns: ClusterDns,
}

/// The place of the cluster's DNS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct ClusterDns {
    /// The namespaces of its pods.
    #[schemars(extend("examples" = [["openshift-dns"]]))]
    pub namespaces: Vec<String>,
    /// Networks of its other addresses, e.g. 169.254.20.10/32 for NodeLocal DNSCache.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["169.254.20.10/32"]]))]
    pub cidrs: Vec<String>,
    /// The ports at which its pods listen.
    #[schemars(inner(range(min = 1, max = 65535)))]
    #[schemars(extend("examples" = [[5353]]))]
    pub ports: Vec<u16>,
}

impl Default for ClusterDns {
    fn default() -> Self {
        ClusterDns { namespaces: vec!["kube-system".to_owned()], cidrs: Vec::new(), ports: vec![53] }
    }
}

/// CPU and memory of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Resources {
    /// The amounts that are reserved for the container.
    pub requests: ResourceList,
    /// The maximum amounts; not below requests.
    pub limits: ResourceList,
}

/// Amounts of CPU and memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct ResourceList {
    /// CPUs, in steps of a thousandth.
    #[schemars(extend("examples" = ["100m", "2"]))]
    pub cpu: Quantity,
    /// Bytes of memory.
    #[schemars(extend("examples" = ["128Mi", "2Gi"]))]
    pub memory: Quantity,
}

/// The options that neither the request nor the installation sets.
pub(super) fn builtin() -> Options {
    into_map(json!({
        "database": {
            "mode": "embedded",
            "image": POSTGRES_IMAGE,
            "storage": { "size": "5Gi" },
            "resources": resources("50m", "256Mi", "1", "512Mi"),
        },
        "api": {
            "image": "ghcr.io/urumi/medusa-api:0.1.0",
            "replicas": 1,
            "prepare": true,
            "readinessPath": "/health/ready",
            "livenessPath": "/health",
            "resources": resources("100m", "384Mi", "2", "1Gi"),
        },
        "storefront": {
            "image": "ghcr.io/urumi/medusa-storefront:0.1.0",
            "replicas": 1,
            "readinessPath": "/health/ready",
            "livenessPath": "/health/live",
            "resources": resources("25m", "128Mi", "500m", "256Mi"),
        },
        "redis": {
            "image": "redis:7-alpine",
            "resources": resources("50m", "64Mi", "500m", "256Mi"),
        },
        "proofOfLife": {
            "enabled": true,
            "image": "ghcr.io/urumi/medusa-storefront:0.1.0",
            "resources": resources("10m", "64Mi", "500m", "128Mi"),
        },
        "smoke": { "deadlineSeconds": 120 },
        "ingress": { "controllerNamespaces": ["ingress-nginx", "kube-system/traefik", "traefik"] },
        "networkPolicy": { "enabled": true, "dns": { "namespaces": ["kube-system"], "ports": [53] } },
    }))
}

/// The defaults within `limits`, if `limits` is set.
pub(super) fn builtin_limits() -> Options {
    into_map(json!({
        "defaultRequest": { "cpu": "50m", "memory": "128Mi" },
        "default": { "cpu": "500m", "memory": "256Mi" },
    }))
}

fn resources(cpu: &str, memory: &str, cpu_limit: &str, memory_limit: &str) -> Value {
    json!({
        "requests": { "cpu": cpu, "memory": memory },
        "limits": { "cpu": cpu_limit, "memory": memory_limit },
    })
}

fn into_map(value: Value) -> Options {
    match value {
        Value::Object(map) => map,
        _ => Options::new(),
    }
}

/// The schema of a request's options: nothing is required, and `defaults` are the schema's defaults.
pub(super) fn schema(defaults: &Options) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<MedusaOptions>();
    if let Some(root) = schema.as_object_mut() {
        describe(root, Some(&Value::Object(builtin())), Some(&Value::Object(defaults.clone())));
    }
    schema.to_value()
}

/// Joins the lines of a description, and of those of a list's items.
fn join_lines(schema: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let items = schema.get_mut("items").and_then(|items| items.get_mut("properties")?.as_object_mut());
    for (_, property) in items.into_iter().flatten() {
        if let Some(property) = property.as_object_mut() {
            join_lines(property);
        }
    }
}

/// Removes what applies to resolved options only, moves defaults to the leaves, and joins the lines of descriptions.
fn describe(schema: &mut Map<String, Value>, needed: Option<&Value>, default: Option<&Value>) {
    schema.remove("required");
    // The default within an object that is none by default itself, such as `database.server`.
    let own = schema.remove("default").filter(|own| !own.is_null() && own != "");
    join_lines(schema);
    // Null removes a default, but options with a built-in default cannot be removed.
    if let (Some(_), Some(Value::Array(types))) = (needed, schema.get_mut("type")) {
        types.retain(|t| t != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties {
            if let Some(property) = property.as_object_mut() {
                describe(property, needed.and_then(|n| n.get(name)), default.and_then(|d| d.get(name)));
            }
        }
    } else if let Some(default) = default.cloned().or(own) {
        schema.insert("default".into(), default);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_describes_every_field_and_shows_the_defaults() {
        fn fields(path: &str, schema: &Value, seen: &mut Vec<String>) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let path = format!("{path}/{name}");
                let description = property["description"].as_str().unwrap_or_default();
                assert!(description.len() > 10, "{path} has no description");
                assert!(!description.contains('\n'), "{path}'s description has line breaks");
                fields(&path, property, seen);
                seen.push(path);
            }
            assert!(schema.get("required").is_none(), "{path} requires something");
            assert!(schema.get("$ref").is_none(), "{path} refers elsewhere");
        }
        let schema = schema(&builtin());
        let mut seen = Vec::new();
        fields("", &schema, &mut seen);
        for path in ["/domain", "/database/storage/className", "/api/resources/limits/memory", "/limits/default/cpu"] {
            assert!(seen.iter().any(|s| s == path), "{path} is not in the schema: {seen:?}");
        }
        assert_eq!(schema.pointer("/properties/api/properties/replicas/default"), Some(&json!(1)));
        assert_eq!(schema.pointer("/properties/api/properties/replicas/maximum"), Some(&json!(20)));
        assert_eq!(schema.pointer("/additionalProperties"), Some(&json!(false)));
        let default = |option: &str| {
            let path = option.split('.').map(|name| format!("/properties/{name}")).collect::<String>();
            schema.pointer(&path).and_then(|option| option.get("default")).cloned()
        };
        assert_eq!(default("database.server.port"), Some(json!(5432)));
        assert_eq!(default("database.server.sslMode"), Some(json!("require")));
        assert_eq!(default("database.secret.key"), Some(json!("DATABASE_URL")));
        for option in ["database.server", "database.server.host", "database.secret.name", "ingress.className"] {
            assert_eq!(default(option), None, "{option}");
        }
        let defaults = json!({"database": {"server": {"port": 6432}}});
        let schema = super::schema(defaults.as_object().unwrap());
        let port = "/properties/database/properties/server/properties/port/default";
        assert_eq!(schema.pointer(port), Some(&json!(6432)));
    }
}
