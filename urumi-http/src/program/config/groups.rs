//! The server's settings, a struct for each heading of `--help`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use http::HeaderValue;
use ipnet::IpNet;
use urumi_core::kubernetes::syntax::Quantity;
use urumi_core::monitor::leader::Timing;
use urumi_core::settings::{domain, duration};

use super::values::{self, Endpoint, MetricsListen};
use super::{ClusterChoice, LogFormat};
use crate::auth::{Binding, Role};

/// Listeners, and the hosts and origins of clients.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Addresses")]
pub struct Addresses {
    /// The address of the API; addresses other than loopback require authentication
    #[arg(long, value_name = "ADDRESS", value_parser = values::address, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The address of /metrics, /healthz and /readyz, which have no authentication; `off` for none
    #[arg(long, value_name = "ADDRESS", value_parser = values::metrics_address, default_value = "127.0.0.1:9090")]
    pub metrics_listen: MetricsListen,

    /// A PEM file with the certificate for HTTPS; read again when it changes
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// A PEM file with the certificate's private key; read again when it changes
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// A network of proxies whose Forwarded and X-Forwarded-For headers are trusted; repeatable
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = values::network)]
    pub trusted_proxy: Vec<IpNet>,

    /// An origin whose web pages may use the API (CORS); repeatable
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',', value_parser = values::origin)]
    pub cors_origin: Vec<HeaderValue>,

    /// Tell browsers to use nothing but HTTPS for this host (HSTS); always with --tls-cert. Set it if a proxy in front serves
    /// HTTPS
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub hsts: bool,

    /// A host name that a server without authentication accepts in addition to loopback names; repeatable
    #[arg(long, value_name = "HOST", value_delimiter = ',', value_parser = values::host)]
    pub accept_host: Vec<String>,
}

/// The cluster.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Cluster")]
pub struct Target {
    /// The kind of cluster
    #[arg(long, value_enum, default_value_t = ClusterChoice::Kube)]
    pub cluster: ClusterChoice,

    /// With `--cluster memory`: the time until a workload is ready
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "3s")]
    pub memory_ready_after: Duration,

    /// The kubeconfig file; by default $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub kube_context: Option<String>,
}

/// The leader election among replicas.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Replicas")]
pub struct Replicas {
    /// Elect a leader over a Lease in this namespace, so that only one replica writes statuses and repairs stores; without
    /// it, every replica does the same work
    #[arg(long, value_name = "NAMESPACE", value_parser = values::namespace)]
    pub leader_elect_namespace: Option<String>,

    /// The time without a renewal after which another replica takes over the lease
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15s")]
    pub leader_elect_lease_duration: Duration,

    /// The time after which a leader that cannot renew its lease gives up; shorter than the lease
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub leader_elect_renew_deadline: Duration,

    /// The interval at which a leader renews its lease
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2s")]
    pub leader_elect_retry_period: Duration,
}

impl Replicas {
    /// The times of the election.
    pub fn timing(&self) -> Timing {
        Timing::new(self.leader_elect_lease_duration, self.leader_elect_renew_deadline, self.leader_elect_retry_period)
    }
}

/// Defaults, deadlines and limits of stores.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Stores")]
pub struct Stores {
    /// The domain of new stores, unless their options set another one
    #[arg(long, value_parser = domain, default_value = urumi_core::orchestrator::local::LOCAL_DOMAIN)]
    pub domain: String,

    /// A YAML file with default options of new stores, by engine; existing stores keep their options
    #[arg(long, value_name = "FILE")]
    pub engine_defaults: Option<PathBuf>,

    /// The time after which a store that is still provisioning becomes `failed`
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15m")]
    pub deadline: Duration,

    /// The interval at which every store is checked again, in addition to changes that watches report
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30m")]
    pub resync: Duration,

    /// The maximum number of stores of an owner; unlimited by default
    #[arg(long, value_name = "NUMBER")]
    pub max_stores_per_owner: Option<usize>,

    /// The maximum number of an owner's stores that are provisioning at once; unlimited by default
    #[arg(long, value_name = "NUMBER")]
    pub max_provisioning_per_owner: Option<usize>,

    /// The maximum number of stores that an owner creates within an hour, deleted ones included; unlimited by default
    #[arg(long, value_name = "NUMBER")]
    pub max_creations_per_hour: Option<usize>,

    /// The maximum of CPUs that an owner's stores request together, e.g. 16; unlimited by default
    #[arg(long, value_name = "QUANTITY", value_parser = Quantity::parse)]
    pub max_cpu_per_owner: Option<Quantity>,

    /// The maximum of memory that an owner's stores request together, e.g. 32Gi; unlimited by default
    #[arg(long, value_name = "QUANTITY", value_parser = Quantity::parse)]
    pub max_memory_per_owner: Option<Quantity>,

    /// The maximum of storage that an owner's stores request together, e.g. 500Gi; unlimited by default
    #[arg(long, value_name = "QUANTITY", value_parser = Quantity::parse)]
    pub max_storage_per_owner: Option<Quantity>,
}

/// Authentication and roles.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Callers")]
pub struct Callers {
    /// A YAML file with tokens and their subjects; see `urumi-http token`
    #[arg(long, value_name = "FILE")]
    pub tokens_file: Option<PathBuf>,

    /// The OpenID Connect issuer whose tokens are accepted, exactly as in their `iss`
    #[arg(long, value_name = "URL")]
    pub oidc_issuer: Option<String>,

    /// An accepted audience of the issuer's tokens; repeatable
    #[arg(long, value_name = "AUDIENCE", value_delimiter = ',')]
    pub oidc_audience: Vec<String>,

    /// The client id of the dashboard at the issuer, one of --oidc-audience; without it, the dashboard does not use the issuer
    #[arg(long, value_name = "ID")]
    pub oidc_client_id: Option<String>,

    /// The client id of `urumi login` at the issuer, one of --oidc-audience; by default that of the dashboard
    #[arg(long, value_name = "ID")]
    pub oidc_cli_client_id: Option<String>,

    /// The scopes that the dashboard and `urumi login` request from the issuer, separated by spaces
    #[arg(long, value_name = "SCOPE", default_value = "openid profile email groups")]
    pub oidc_scope: String,

    /// The claim with the subject
    #[arg(long, value_name = "CLAIM", default_value = "sub")]
    pub oidc_subject_claim: String,

    /// The claim with the teams; a JSON pointer if it begins with `/`
    #[arg(long, value_name = "CLAIM", default_value = "groups")]
    pub oidc_groups_claim: String,

    /// A PEM file of certificate authorities for the issuer, in addition to the system's
    #[arg(long, value_name = "FILE")]
    pub oidc_ca: Option<PathBuf>,

    /// Accept tokens that the cluster verifies, such as tokens of service accounts
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub token_review: bool,

    /// An accepted audience of the cluster's tokens; repeatable; by default the audience of the API server
    #[arg(long, value_name = "AUDIENCE", value_delimiter = ',')]
    pub token_review_audience: Vec<String>,

    /// The role of a subject or team of the issuer's or the cluster's tokens: ROLE=subject:NAME or ROLE=team:NAME; repeatable
    #[arg(long, value_name = "ROLE=WHOM", value_delimiter = ';')]
    pub role_binding: Vec<Binding>,

    /// The role of subjects without a matching --role-binding; none by default
    #[arg(long, value_name = "ROLE")]
    pub default_role: Option<Role>,
}

/// Limits of requests and connections.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// The sustained number of requests per second of a client
    #[arg(long, value_name = "NUMBER", default_value = "50")]
    pub rate_limit: NonZeroU32,

    /// The maximum number of requests of a client at once, after a pause
    #[arg(long, value_name = "NUMBER", default_value = "200")]
    pub rate_burst: NonZeroU32,

    /// The maximum size of a request body, e.g. 256KiB
    #[arg(long, value_name = "SIZE", value_parser = values::bytes, default_value = "256KiB")]
    pub max_body: usize,

    /// The time limit of a request until its answer begins
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub request_timeout: Duration,

    /// The maximum number of concurrent requests; an eighth of them for one client. Administrators have no limit of their own,
    /// and a sixteenth more
    #[arg(long, value_name = "NUMBER", value_parser = values::count, default_value = "1024")]
    pub max_in_flight: usize,

    /// The maximum number of open connections
    #[arg(long, value_name = "NUMBER", value_parser = values::count, default_value = "12000")]
    pub max_connections: usize,

    /// The maximum number of open streams (watches and logs) in all, without administrators'; by default half of
    /// --max-connections
    #[arg(long, value_name = "NUMBER", value_parser = values::count)]
    pub max_streams: Option<usize>,

    /// The maximum number of open streams of a client
    #[arg(long, value_name = "NUMBER", value_parser = values::count, default_value = "50")]
    pub max_streams_per_client: usize,

    /// The maximum number of concurrent smoke orders in all, without administrators'
    #[arg(long, value_name = "NUMBER", value_parser = values::count, default_value = "256")]
    pub max_smoke_orders: usize,

    /// The maximum number of concurrent smoke orders of a client
    #[arg(long, value_name = "NUMBER", value_parser = values::count, default_value = "8")]
    pub max_smoke_orders_per_client: usize,

    /// The time limit for open requests after a shutdown begins
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "25s")]
    pub shutdown_grace: Duration,
}

/// Logs and traces.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logs and traces")]
pub struct Telemetry {
    /// The format of log lines; by default `pretty` on a terminal and `json` elsewhere
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// The log filter, as in RUST_LOG, e.g. info,urumi_core=debug
    #[arg(long, value_name = "FILTER", value_parser = values::log_filter, default_value = "info")]
    pub log: String,

    /// The endpoint for traces, OTLP over HTTP, e.g. http://localhost:4318/v1/traces; none by default
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<Endpoint>,
}
