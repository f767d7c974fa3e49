//! The server's settings, a struct for each heading of `--help`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use http::HeaderValue;
use ipnet::IpNet;
use urumi_core::monitor::leader::Timing;
use urumi_core::settings::{domain, duration};

use super::values::{self, Endpoint, MetricsListen};
use super::{ClusterChoice, LogFormat};
use crate::auth::{Binding, Role};

/// Where the server listens, and whom it answers.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Addresses")]
pub struct Addresses {
    /// The address of the API; other than loopback only with a way to recognise callers
    #[arg(long, value_name = "ADDRESS", value_parser = values::address, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The address of /metrics, /healthz and /readyz, which ask nobody who they are; `off` for none
    #[arg(long, value_name = "ADDRESS", value_parser = values::metrics_address, default_value = "127.0.0.1:9090")]
    pub metrics_listen: MetricsListen,

    /// A PEM file with the certificate to serve HTTPS with; read again when it changes
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// A PEM file with the certificate's private key; read again when it changes
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// A network of proxies that are believed when they say whom they ask for; repeatable
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = values::network)]
    pub trusted_proxy: Vec<IpNet>,

    /// A web page's origin whose scripts may use the API; repeatable
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',', value_parser = values::origin)]
    pub cors_origin: Vec<HeaderValue>,

    /// A host name that requests may be sent to, besides loopback's, where nobody is asked who they are; repeatable
    #[arg(long, value_name = "HOST", value_delimiter = ',', value_parser = values::host)]
    pub accept_host: Vec<String>,
}

/// The cluster that the server works on.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Cluster")]
pub struct Target {
    /// Which cluster to work on
    #[arg(long, value_enum, default_value_t = ClusterChoice::Memory)]
    pub cluster: ClusterChoice,

    /// With `--cluster memory`: how long a workload takes to become ready
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "3s")]
    pub memory_ready_after: Duration,

    /// The kubeconfig file; else $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The context within the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// The election among replicas.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Replicas")]
pub struct Replicas {
    /// Have one replica at a time write statuses and repair stores, elected over a Lease in this namespace; without, every
    /// replica does, and wastes the others' requests
    #[arg(long, value_name = "NAMESPACE", value_parser = values::namespace)]
    pub leader_elect_namespace: Option<String>,

    /// How long a leader must not have renewed its lease before another replica takes over
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15s")]
    pub leader_elect_lease_duration: Duration,

    /// How long a leader that cannot renew its lease goes on; shorter than the lease
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub leader_elect_renew_deadline: Duration,

    /// How often a leader renews its lease
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2s")]
    pub leader_elect_retry_period: Duration,
}

impl Replicas {
    /// The times of the election.
    pub fn timing(&self) -> Timing {
        Timing {
            lease: self.leader_elect_lease_duration,
            renew_deadline: self.leader_elect_renew_deadline,
            retry: self.leader_elect_retry_period,
        }
    }
}

/// What new stores get, and how long things may take.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Stores")]
pub struct Stores {
    /// The domain under which new stores are reachable, unless their options say otherwise
    #[arg(long, value_parser = domain, default_value = urumi_core::orchestrator::local::LOCAL_DOMAIN)]
    pub domain: String,

    /// A YAML file of options by engine that new stores get unless theirs say otherwise; stores on record keep theirs
    #[arg(long, value_name = "FILE")]
    pub engine_defaults: Option<PathBuf>,

    /// How long a store may be provisioning before it is `failed`
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15m")]
    pub deadline: Duration,

    /// How often every store is looked at again, besides what watches report
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub resync: Duration,

    /// How many stores an owner may have; any number without
    #[arg(long, value_name = "NUMBER")]
    pub max_stores_per_owner: Option<usize>,

    /// How many of an owner's stores may be provisioning at once; any number without
    #[arg(long, value_name = "NUMBER")]
    pub max_provisioning_per_owner: Option<usize>,
}

/// How callers are recognised, and what they may do.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Callers")]
pub struct Callers {
    /// A YAML file of tokens and whose they are; see `urumi-http token`
    #[arg(long, value_name = "FILE")]
    pub tokens_file: Option<PathBuf>,

    /// The OpenID Connect issuer whose tokens count, letter for letter as in their `iss`
    #[arg(long, value_name = "URL")]
    pub oidc_issuer: Option<String>,

    /// Whom the issuer's tokens must be meant for; repeatable, any one of them will do
    #[arg(long, value_name = "AUDIENCE", value_delimiter = ',')]
    pub oidc_audience: Vec<String>,

    /// The client that the issuer knows the dashboard by, one of --oidc-audience; without, nobody signs in there
    #[arg(long, value_name = "ID")]
    pub oidc_client_id: Option<String>,

    /// What the dashboard asks the issuer for, between spaces
    #[arg(long, value_name = "SCOPE", default_value = "openid profile email groups")]
    pub oidc_scope: String,

    /// The claim that names the bearer
    #[arg(long, value_name = "CLAIM", default_value = "sub")]
    pub oidc_subject_claim: String,

    /// The claim that lists the bearer's teams; a JSON pointer if it begins with `/`
    #[arg(long, value_name = "CLAIM", default_value = "groups")]
    pub oidc_groups_claim: String,

    /// A PEM file of certificate authorities to trust for the issuer, besides the system's
    #[arg(long, value_name = "FILE")]
    pub oidc_ca: Option<PathBuf>,

    /// Accept tokens that the cluster vouches for, such as those of service accounts
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub token_review: bool,

    /// Whom the cluster's tokens must be meant for; repeatable, any one of them will do; the API server without
    #[arg(long, value_name = "AUDIENCE", value_delimiter = ',')]
    pub token_review_audience: Vec<String>,

    /// What bearers of the issuer's or the cluster's tokens may do: ROLE=subject:NAME or ROLE=team:NAME; repeatable
    #[arg(long, value_name = "ROLE=WHOM", value_delimiter = ';')]
    pub role_binding: Vec<Binding>,

    /// What those of them may do whom no --role-binding fits; nothing without
    #[arg(long, value_name = "ROLE")]
    pub default_role: Option<Role>,
}

/// The bounds of requests and connections.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// How many requests a client may make in a second, in the long run
    #[arg(long, value_name = "NUMBER", default_value = "50")]
    pub rate_limit: NonZeroU32,

    /// How many requests a client may make at once after a pause
    #[arg(long, value_name = "NUMBER", default_value = "200")]
    pub rate_burst: NonZeroU32,

    /// How large a request's body may be, e.g. 256KiB
    #[arg(long, value_name = "SIZE", value_parser = values::bytes, default_value = "256KiB")]
    pub max_body: usize,

    /// How long a request may take until its answer begins
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub request_timeout: Duration,

    /// How many requests may be worked on at once
    #[arg(long, value_name = "NUMBER", value_parser = values::count, default_value = "1024")]
    pub max_in_flight: usize,

    /// How many connections may be open at once
    #[arg(long, value_name = "NUMBER", value_parser = values::count, default_value = "12000")]
    pub max_connections: usize,

    /// How long requests in flight may take to finish once the server is told to stop
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "25s")]
    pub shutdown_grace: Duration,
}

/// Logs and traces.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logs and traces")]
pub struct Telemetry {
    /// How log lines look; `pretty` on a terminal and `json` elsewhere without
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What is logged, as in RUST_LOG, e.g. info,urumi_core=debug
    #[arg(long, value_name = "FILTER", value_parser = values::log_filter, default_value = "info")]
    pub log: String,

    /// Where traces are sent, in OTLP over HTTP, e.g. http://localhost:4318/v1/traces; nowhere without
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<Endpoint>,
}
