//! The options of a Medusa store: their types, built-in defaults and JSON Schema.

mod storefront;

use std::collections::BTreeMap;
use std::fmt;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

pub use self::storefront::{Colors, FooterLink, Locale, ManualPayment, Robots, Storefront, Theme};
use crate::kubernetes::syntax::Quantity;
use crate::store::Options;

/// Where PostgreSQL listens.
pub(super) const DATABASE_PORT: u16 = 5432;
const POSTGRES_IMAGE: &str = "postgres:15-alpine";

/// The options of a Medusa store. In a request each of them may be left out and then takes the installation's
/// default; null removes a default that is optional.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct MedusaOptions {
    /// The domain under which the store is reached: the shop at `store-ID.DOMAIN`, its API at `api-ID.DOMAIN`.
    /// Left out, it is the domain of the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Where the store keeps its data.
    pub database: Database,
    /// The commerce API (Medusa).
    pub api: Api,
    /// The shop that customers see.
    pub storefront: Storefront,
    /// What several API replicas share: locks, events, workflows and a cache.
    pub redis: Redis,
    /// The store's first administrator.
    #[serde(default)]
    pub admin: Admin,
    /// The check that a store has to pass before it is called ready.
    pub proof_of_life: ProofOfLife,
    /// Orders by which the store is tried, as a customer would place them.
    #[serde(default)]
    pub smoke: Smoke,
    /// How the store is reached from outside of the cluster.
    pub ingress: IngressOptions,
    /// Encryption of the store's addresses. It is on, and the store's URLs begin with https, when one of the fields
    /// is set; only one may be.
    #[serde(default, skip_serializing_if = "Tls::is_off")]
    pub tls: Tls,
    /// Hard limits of the store's namespace (a ResourceQuota), e.g. requests.cpu, limits.memory, pods or
    /// requests.storage. Empty means no quota.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quota: BTreeMap<String, Quantity>,
    /// What containers in the store's namespace get that state no resources of their own (a LimitRange).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Names of Secrets in the store's namespace with which its images are pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<String>,
    /// Which traffic the store's pods may have.
    pub network_policy: NetworkPolicyOptions,
}

/// Where a store keeps its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Database {
    /// embedded: a PostgreSQL of the store's own, in its namespace. managed: a database and a role of the store's own
    /// on the installation's server, made and removed by urumi. external: a database that somebody else made.
    pub mode: DatabaseMode,
    /// The PostgreSQL image (embedded only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The database's volume (embedded only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// What the database's container asks for and may use (embedded only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The Secret that holds the database's address (external only, and required there).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<DatabaseSecret>,
    /// The port on which the database listens, to which the API's traffic is allowed (external only; 5432 where it
    /// is left out). A port other than 5432 is reached at public addresses only, unless the cluster's operator adds a
    /// NetworkPolicy.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "port")]
    #[schemars(range(min = 1024, max = 65535))]
    pub port: Option<u16>,
    /// The installation's server (managed only). It is part of the installation's defaults and no request's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<DatabaseServer>,
}

fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let wrong = |number: i64| D::Error::custom(format!("must be 1024 to 65535, not {number}"));
    Option::<i64>::deserialize(deserializer)?.map(|number| u16::try_from(number).map_err(|_| wrong(number))).transpose()
}

/// Whose database a store uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum DatabaseMode {
    /// A PostgreSQL of the store's own.
    Embedded,
    /// A database and a role of the store's own on a server that many stores share.
    Managed,
    /// A PostgreSQL that exists elsewhere.
    External,
}

/// The volume of an embedded database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Storage {
    /// How large it is.
    pub size: Quantity,
    /// The StorageClass it is made by; left out, the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
}

/// The Secret that holds an external database's address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct DatabaseSecret {
    /// The Secret's name; it must exist in the store's namespace.
    #[serde(default)]
    pub name: String,
    /// The key within it that holds the connection URL, postgres://user:password@host:port/database.
    #[serde(default = "DatabaseSecret::default_key")]
    pub key: String,
}

impl DatabaseSecret {
    fn default_key() -> String {
        "DATABASE_URL".into()
    }
}

/// A PostgreSQL server on which many stores have a database each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct DatabaseServer {
    /// The server's name or IPv4 address, as the stores' pods reach it.
    pub host: String,
    /// The port on which it listens.
    #[serde(default = "DatabaseServer::default_port")]
    #[schemars(range(min = 1024, max = 65535))]
    pub port: u16,
    /// Whether connections to it are encrypted: require or disable.
    #[serde(default)]
    pub ssl_mode: SslMode,
    /// The database in which the administrator signs in.
    #[serde(default = "DatabaseServer::default_database")]
    pub database: String,
    /// The namespace in which urumi makes and removes databases, and where secretName is. No tenant may have access
    /// to it.
    pub namespace: String,
    /// The Secret with an administrator's username and password (kubernetes.io/basic-auth); the role must be allowed
    /// to create databases and roles.
    pub secret_name: String,
    /// The image that has psql and a shell.
    #[serde(default = "DatabaseServer::default_image")]
    pub image: String,
    /// How many connections a store may have at once.
    #[serde(default = "DatabaseServer::default_connections")]
    #[schemars(range(min = 1, max = 10000))]
    pub connections: u16,
    /// What the container that makes or removes a database asks for and may use; left out, nothing is said of it.
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

/// Whether connections to a database server are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum SslMode {
    /// They are, or there are none.
    #[default]
    Require,
    /// They are not.
    Disable,
}

impl SslMode {
    /// As PostgreSQL's own clients call it.
    pub fn as_str(self) -> &'static str {
        match self {
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
    /// Its image. It listens on port 9000 and runs as user 1000; called with the word prepare, it brings the
    /// database up to date and ends.
    pub image: String,
    /// How many of it run. More than one share a Redis.
    pub replicas: Replicas,
    /// Whether its image is called with the word prepare before it starts. Switch it off for an image of your own
    /// that migrates its database itself.
    pub prepare: bool,
    /// The path that answers with status 200 while the API can serve, its database included.
    pub readiness_path: String,
    /// The path that answers with status 200 unless the API must be restarted.
    pub liveness_path: String,
    /// What each of its containers asks for and may use. Node's heap is capped at three quarters of limits.memory.
    pub resources: Resources,
    /// Further environment variables, by name. Those that urumi sets itself are refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Further environment variables with secret values, by name, such as a payment provider's keys (STRIPE_API_KEY,
    /// STRIPE_WEBHOOK_SECRET). They are kept in a Secret of the store and never shown again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("writeOnly" = true))]
    pub secret_env: BTreeMap<String, Handed>,
    /// Names of Secrets in the store's namespace whose keys become environment variables too, such as a payment
    /// provider's keys (STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_secrets: Vec<String>,
}

impl Api {
    /// Whether `env` or `secretEnv` has this variable.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.env.contains_key(name) || self.secret_env.contains_key(name)
    }
}

/// What several API replicas share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Redis {
    /// Whether the store has a Redis of its own. Left out, it has one where more than one replica of the API runs
    /// and api.env names no other (REDIS_URL): with locks in memory, a cart could be completed twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The Redis image. It runs as user 999.
    pub image: String,
    /// What its container asks for and may use.
    pub resources: Resources,
}

/// A store's first administrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Admin {
    /// The e-mail address to sign in with; left out, it is admin@ and the store's domain. A password is generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// The check that a store has to pass before it is called ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct ProofOfLife {
    /// Whether a Job opens the shop and asks its API for a region, as a customer's browser would, before the store is
    /// called ready.
    pub enabled: bool,
    /// The image that does it when called with the word prove.
    pub image: String,
    /// What its container asks for and may use.
    pub resources: Resources,
}

/// Orders by which a store is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Smoke {
    /// When an order is placed by itself, as cron writes it (minute, hour, day of the month, month, day of the week,
    /// e.g. 0 * * * *), in the cluster's time zone; never where it is left out. If the newest order failed, the store is
    /// degraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// How many seconds an order may take.
    #[serde(default = "Smoke::default_deadline")]
    #[schemars(range(min = 10, max = 3600))]
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

/// How a store is reached from outside of the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct IngressOptions {
    /// The IngressClass; left out, the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Annotations of both Ingresses, for the ingress controller and others that read them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The namespaces of ingress controllers: only pods there reach the shop and its API from outside.
    pub controller_namespaces: Vec<String>,
}

/// Encryption of a store's addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Tls {
    /// A TLS Secret in the store's namespace whose certificate covers both hosts, e.g. one with a wildcard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// cert-manager's Issuer, in the store's namespace, that issues a certificate for each host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// cert-manager's ClusterIssuer that issues a certificate for each host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_issuer: Option<String>,
}

impl Tls {
    /// Whether the store's addresses are not encrypted.
    pub fn is_off(&self) -> bool {
        self.secret_name.is_none() && self.issuer.is_none() && self.cluster_issuer.is_none()
    }
}

/// What containers in a store's namespace get that state no resources of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Limits {
    /// What such a container asks for.
    pub default_request: ResourceList,
    /// What such a container may use.
    pub default: ResourceList,
}

/// Which traffic a store's pods may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct NetworkPolicyOptions {
    /// Whether the store is closed to all traffic that it does not need. Switch it off only on clusters whose
    /// network cannot work with NetworkPolicies.
    pub enabled: bool,
}

/// What a container asks for and what it may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Resources {
    /// What is set aside for it.
    pub requests: ResourceList,
    /// What it may use at most; not below requests.
    pub limits: ResourceList,
}

/// Amounts of CPU and memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct ResourceList {
    /// CPUs, in steps of a thousandth.
    pub cpu: Quantity,
    /// Bytes of memory.
    pub memory: Quantity,
}

/// A secret value that a request has handed over: the value itself is in a Secret of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed;

impl Serialize for Handed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl<'de> Deserialize<'de> for Handed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Never an error that shows what was there instead.
        match Value::deserialize(deserializer)? {
            Value::Bool(true) => Ok(Handed),
            _ => Err(D::Error::custom("must be a secret value of the request")),
        }
    }
}

impl JsonSchema for Handed {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Handed".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
    fn inline_schema() -> bool {
        true
    }
}

/// How many of something run: 1 to 20.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Replicas(u8);

impl Replicas {
    /// The most that are allowed.
    pub const MAX: u8 = 20;
    /// One.
    pub const ONE: Replicas = Replicas(1);

    /// Takes a number.
    ///
    /// # Errors
    /// When it is 0 or more than [`Replicas::MAX`].
    pub fn new(number: u64) -> Result<Self, String> {
        match u8::try_from(number) {
            Ok(number @ 1..=Self::MAX) => Ok(Replicas(number)),
            _ => Err(format!("must be 1 to {}, not {number}", Self::MAX)),
        }
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Replicas {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Replicas;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 1 to {}", Replicas::MAX)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Replicas, E> {
                Replicas::new(number).map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Replicas, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                }
            }
        }
        deserializer.deserialize_u64(Reader)
    }
}

impl JsonSchema for Replicas {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Replicas".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": Self::MAX })
    }
    fn inline_schema() -> bool {
        true
    }
}

/// What urumi uses where neither the request nor the installation says anything.
pub(super) fn builtin() -> Options {
    into_map(json!({
        "database": {
            "mode": "embedded",
            "image": POSTGRES_IMAGE,
            "storage": { "size": "5Gi" },
            "resources": resources("50m", "256Mi", "1", "512Mi"),
        },
        "api": {
            "image": "urumi/medusa-api:0.1.0",
            "replicas": 1,
            "prepare": true,
            "readinessPath": "/health/ready",
            "livenessPath": "/health",
            "resources": resources("100m", "384Mi", "2", "1Gi"),
        },
        "storefront": {
            "image": "urumi/medusa-storefront:0.1.0",
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
            "image": "urumi/medusa-storefront:0.1.0",
            "resources": resources("10m", "64Mi", "500m", "128Mi"),
        },
        "smoke": { "deadlineSeconds": 120 },
        "ingress": { "controllerNamespaces": ["ingress-nginx", "kube-system", "traefik"] },
        "networkPolicy": { "enabled": true },
    }))
}

/// What is completed of `limits` once it is asked for at all.
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

/// The schema of a request's options: nothing in it is required, and `defaults` are shown where they apply.
pub(super) fn schema(defaults: &Options) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<MedusaOptions>();
    if let Some(root) = schema.as_object_mut() {
        describe(root, Some(&Value::Object(builtin())), Some(&Value::Object(defaults.clone())));
    }
    schema.to_value()
}

/// Removes what holds for resolved options only, puts defaults at the leaves and joins the lines of descriptions.
fn describe(schema: &mut Map<String, Value>, needed: Option<&Value>, default: Option<&Value>) {
    schema.remove("required");
    schema.remove("default");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    // Null removes a default, and what has a built-in one cannot be without.
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
    } else if let Some(default) = default {
        schema.insert("default".into(), default.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_one_to_twenty() {
        assert_eq!(Replicas::new(1).unwrap().get(), 1);
        assert_eq!(Replicas::new(20).unwrap().get(), 20);
        for number in [0, 21, 256, u64::MAX] {
            assert!(Replicas::new(number).unwrap_err().contains("1 to 20"));
        }
    }

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
    }
}
