//! What the server can be told, and by whom: flags, environment, a file, defaults, in this order.
//!
//! A setting has one name everywhere: `--shutdown-grace` is `URUMI_SHUTDOWN_GRACE` in the environment and
//! `shutdown-grace` in the file, and is read by the same parser.

mod check;
mod dashboard;
mod engines;
mod error;
mod file;
mod print;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use http::HeaderValue;
use ipnet::IpNet;
use urumi_core::engine::EngineRegistry;
use urumi_core::monitor::leader::Timing;
use urumi_core::settings::{domain, duration};

use super::token::TokenArgs;
use crate::auth::{Binding, Role};

pub use check::{Exposure, check_exposure};
pub use dashboard::DashboardArgs;
pub use error::ConfigError;
pub use values::{Endpoint, MetricsListen};

/// Serve stores over HTTP: create them, follow them, and keep their statuses true.
///
/// Without arguments it works on a cluster in memory that ends with it, for this computer only. Every option can also
/// be given as a variable (URUMI_LISTEN for --listen) or in a file (see --config); an option wins over a variable, and
/// that over the file. Values of one repeatable option are put between commas in a variable (those of --role-binding between
/// semicolons) and are a list in the file.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "urumi-http",
    version,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  urumi-http                                                     # try it without a cluster
  urumi-http --cluster kube --tokens-file tokens.yaml --listen 0.0.0.0:8080
  urumi-http --config urumi.yaml --print-config
  URUMI_DOMAIN=stores.example.com urumi-http --cluster kube --context staging
  urumi-http --cluster kube --listen 0.0.0.0:8443 --tls-cert tls.crt --tls-key tls.key \\
    --oidc-issuer https://login.example.com --oidc-audience urumi --role-binding admin=team:platform
  urumi-http token --subject ci --role operator                  # make a token for --tokens-file
  urumi-http dashboard --api-url http://backend:8080             # the dashboard alone, before an API elsewhere

A file for --config:
  cluster: kube
  domain: stores.example.com
  deadline: 30m
  role-binding: [admin=team:platform, operator=team:shops]

A file for --engine-defaults, with options as GET /engines describes them:
  medusa:
    database: {storage: {size: 10Gi, className: fast}}
    ingress: {className: traefik}"
)]
pub struct Config {
    /// Something else to do than to serve.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// A YAML file with any of these options, named as here without the dashes
    #[arg(long, value_name = "FILE", env = "URUMI_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,

    /// Print the options in force and where each came from, as a file for --config, and stop
    #[arg(long)]
    pub print_config: bool,

    /// The address of the API; other than loopback only with a way to recognise callers
    #[arg(long, value_name = "ADDRESS", value_parser = values::address, default_value = "127.0.0.1:8080", env = "URUMI_LISTEN", hide_env_values = true, help_heading = "Addresses")]
    pub listen: SocketAddr,

    /// The address of /metrics, /healthz and /readyz, which ask nobody who they are; `off` for none
    #[arg(long, value_name = "ADDRESS", value_parser = values::metrics_address, default_value = "127.0.0.1:9090", env = "URUMI_METRICS_LISTEN", hide_env_values = true, help_heading = "Addresses")]
    pub metrics_listen: MetricsListen,

    /// A PEM file with the certificate to serve HTTPS with; read again when it changes
    #[arg(long, value_name = "FILE", env = "URUMI_TLS_CERT", hide_env_values = true, help_heading = "Addresses")]
    pub tls_cert: Option<PathBuf>,

    /// A PEM file with the certificate's private key; read again when it changes
    #[arg(long, value_name = "FILE", env = "URUMI_TLS_KEY", hide_env_values = true, help_heading = "Addresses")]
    pub tls_key: Option<PathBuf>,

    /// A network of proxies that are believed when they say whom they ask for; repeatable
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = values::network, env = "URUMI_TRUSTED_PROXY", hide_env_values = true, help_heading = "Addresses")]
    pub trusted_proxy: Vec<IpNet>,

    /// A web page's origin whose scripts may use the API; repeatable
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',', value_parser = values::origin, env = "URUMI_CORS_ORIGIN", hide_env_values = true, help_heading = "Addresses")]
    pub cors_origin: Vec<HeaderValue>,

    /// A host name that requests may be sent to, besides loopback's, where nobody is asked who they are; repeatable
    #[arg(long, value_name = "HOST", value_delimiter = ',', value_parser = values::host, env = "URUMI_ACCEPT_HOST", hide_env_values = true, help_heading = "Addresses")]
    pub accept_host: Vec<String>,

    /// Which cluster to work on
    #[arg(long, value_enum, default_value_t = ClusterChoice::Memory, env = "URUMI_CLUSTER", hide_env_values = true, help_heading = "Cluster")]
    pub cluster: ClusterChoice,

    /// With `--cluster memory`: how long a workload takes to become ready
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "3s", env = "URUMI_MEMORY_READY_AFTER", hide_env_values = true, help_heading = "Cluster")]
    pub memory_ready_after: Duration,

    /// The kubeconfig file; else $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, value_name = "FILE", env = "URUMI_KUBECONFIG", hide_env_values = true, help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,

    /// The context within the kubeconfig
    #[arg(long, value_name = "NAME", env = "URUMI_CONTEXT", hide_env_values = true, help_heading = "Cluster")]
    pub context: Option<String>,

    /// Have one replica at a time write statuses and repair stores, elected over a Lease in this namespace; without, every
    /// replica does, and wastes the others' requests
    #[arg(long, value_name = "NAMESPACE", value_parser = values::namespace, env = "URUMI_LEADER_ELECT_NAMESPACE", hide_env_values = true, help_heading = "Replicas")]
    pub leader_elect_namespace: Option<String>,

    /// How long a leader must not have renewed its lease before another replica takes over
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15s", env = "URUMI_LEADER_ELECT_LEASE_DURATION", hide_env_values = true, help_heading = "Replicas")]
    pub leader_elect_lease_duration: Duration,

    /// How long a leader that cannot renew its lease goes on; shorter than the lease
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s", env = "URUMI_LEADER_ELECT_RENEW_DEADLINE", hide_env_values = true, help_heading = "Replicas")]
    pub leader_elect_renew_deadline: Duration,

    /// How often a leader renews its lease
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2s", env = "URUMI_LEADER_ELECT_RETRY_PERIOD", hide_env_values = true, help_heading = "Replicas")]
    pub leader_elect_retry_period: Duration,

    /// The domain under which new stores are reachable, unless their options say otherwise
    #[arg(long, value_parser = domain, default_value = urumi_core::orchestrator::local::LOCAL_DOMAIN, env = "URUMI_DOMAIN", hide_env_values = true, help_heading = "Stores")]
    pub domain: String,

    /// A YAML file of options by engine that new stores get unless theirs say otherwise; stores on record keep theirs
    #[arg(long, value_name = "FILE", env = "URUMI_ENGINE_DEFAULTS", hide_env_values = true, help_heading = "Stores")]
    pub engine_defaults: Option<PathBuf>,

    /// How long a store may be provisioning before it is `failed`
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15m", env = "URUMI_DEADLINE", hide_env_values = true, help_heading = "Stores")]
    pub deadline: Duration,

    /// How often every store is looked at again, besides what watches report
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s", env = "URUMI_RESYNC", hide_env_values = true, help_heading = "Stores")]
    pub resync: Duration,

    /// How many stores an owner may have; any number without
    #[arg(
        long,
        value_name = "NUMBER",
        env = "URUMI_MAX_STORES_PER_OWNER",
        hide_env_values = true,
        help_heading = "Stores"
    )]
    pub max_stores_per_owner: Option<usize>,

    /// How many of an owner's stores may be provisioning at once; any number without
    #[arg(
        long,
        value_name = "NUMBER",
        env = "URUMI_MAX_PROVISIONING_PER_OWNER",
        hide_env_values = true,
        help_heading = "Stores"
    )]
    pub max_provisioning_per_owner: Option<usize>,

    /// A YAML file of tokens and whose they are; see `urumi-http token`
    #[arg(long, value_name = "FILE", env = "URUMI_TOKENS_FILE", hide_env_values = true, help_heading = "Callers")]
    pub tokens_file: Option<PathBuf>,

    /// The OpenID Connect issuer whose tokens count, letter for letter as in their `iss`
    #[arg(long, value_name = "URL", env = "URUMI_OIDC_ISSUER", hide_env_values = true, help_heading = "Callers")]
    pub oidc_issuer: Option<String>,

    /// Whom the issuer's tokens must be meant for; repeatable, any one of them will do
    #[arg(
        long,
        value_name = "AUDIENCE",
        value_delimiter = ',',
        env = "URUMI_OIDC_AUDIENCE",
        hide_env_values = true,
        help_heading = "Callers"
    )]
    pub oidc_audience: Vec<String>,

    /// The client that the issuer knows the dashboard by, one of --oidc-audience; without, nobody signs in there
    #[arg(long, value_name = "ID", env = "URUMI_OIDC_CLIENT_ID", hide_env_values = true, help_heading = "Callers")]
    pub oidc_client_id: Option<String>,

    /// What the dashboard asks the issuer for, between spaces
    #[arg(
        long,
        value_name = "SCOPE",
        default_value = "openid profile email groups",
        env = "URUMI_OIDC_SCOPE",
        hide_env_values = true,
        help_heading = "Callers"
    )]
    pub oidc_scope: String,

    /// The claim that names the bearer
    #[arg(
        long,
        value_name = "CLAIM",
        default_value = "sub",
        env = "URUMI_OIDC_SUBJECT_CLAIM",
        hide_env_values = true,
        help_heading = "Callers"
    )]
    pub oidc_subject_claim: String,

    /// The claim that lists the bearer's teams; a JSON pointer if it begins with `/`
    #[arg(
        long,
        value_name = "CLAIM",
        default_value = "groups",
        env = "URUMI_OIDC_GROUPS_CLAIM",
        hide_env_values = true,
        help_heading = "Callers"
    )]
    pub oidc_groups_claim: String,

    /// A PEM file of certificate authorities to trust for the issuer, besides the system's
    #[arg(long, value_name = "FILE", env = "URUMI_OIDC_CA", hide_env_values = true, help_heading = "Callers")]
    pub oidc_ca: Option<PathBuf>,

    /// Accept tokens that the cluster vouches for, such as those of service accounts
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new(), env = "URUMI_TOKEN_REVIEW", hide_env_values = true, help_heading = "Callers")]
    pub token_review: bool,

    /// Whom the cluster's tokens must be meant for; repeatable, any one of them will do; the API server without
    #[arg(
        long,
        value_name = "AUDIENCE",
        value_delimiter = ',',
        env = "URUMI_TOKEN_REVIEW_AUDIENCE",
        hide_env_values = true,
        help_heading = "Callers"
    )]
    pub token_review_audience: Vec<String>,

    /// What bearers of the issuer's or the cluster's tokens may do: ROLE=subject:NAME or ROLE=team:NAME; repeatable
    #[arg(
        long,
        value_name = "ROLE=WHOM",
        value_delimiter = ';',
        env = "URUMI_ROLE_BINDING",
        hide_env_values = true,
        help_heading = "Callers"
    )]
    pub role_binding: Vec<Binding>,

    /// What those of them may do whom no --role-binding fits; nothing without
    #[arg(long, value_name = "ROLE", env = "URUMI_DEFAULT_ROLE", hide_env_values = true, help_heading = "Callers")]
    pub default_role: Option<Role>,

    /// How many requests a client may make in a second, in the long run
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "50",
        env = "URUMI_RATE_LIMIT",
        hide_env_values = true,
        help_heading = "Limits"
    )]
    pub rate_limit: NonZeroU32,

    /// How many requests a client may make at once after a pause
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "200",
        env = "URUMI_RATE_BURST",
        hide_env_values = true,
        help_heading = "Limits"
    )]
    pub rate_burst: NonZeroU32,

    /// How large a request's body may be, e.g. 256KiB
    #[arg(long, value_name = "SIZE", value_parser = values::bytes, default_value = "256KiB", env = "URUMI_MAX_BODY", hide_env_values = true, help_heading = "Limits")]
    pub max_body: usize,

    /// How long a request may take until its answer begins
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s", env = "URUMI_REQUEST_TIMEOUT", hide_env_values = true, help_heading = "Limits")]
    pub request_timeout: Duration,

    /// How many requests may be worked on at once
    #[arg(long, value_name = "NUMBER", value_parser = values::count, default_value = "1024", env = "URUMI_MAX_IN_FLIGHT", hide_env_values = true, help_heading = "Limits")]
    pub max_in_flight: usize,

    /// How many connections may be open at once
    #[arg(long, value_name = "NUMBER", value_parser = values::count, default_value = "12000", env = "URUMI_MAX_CONNECTIONS", hide_env_values = true, help_heading = "Limits")]
    pub max_connections: usize,

    /// How long requests in flight may take to finish once the server is told to stop
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "25s", env = "URUMI_SHUTDOWN_GRACE", hide_env_values = true, help_heading = "Limits")]
    pub shutdown_grace: Duration,

    /// How log lines look; `pretty` on a terminal and `json` elsewhere without
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        env = "URUMI_LOG_FORMAT",
        hide_env_values = true,
        help_heading = "Logs and traces"
    )]
    pub log_format: Option<LogFormat>,

    /// What is logged, as in RUST_LOG, e.g. info,urumi_core=debug
    #[arg(long, value_name = "FILTER", value_parser = values::log_filter, default_value = "info", env = "URUMI_LOG", hide_env_values = true, help_heading = "Logs and traces")]
    pub log: String,

    /// Where traces are sent, in OTLP over HTTP, e.g. http://localhost:4318/v1/traces; nowhere without
    #[arg(
        long,
        value_name = "URL",
        env = "URUMI_OTLP_ENDPOINT",
        hide_env_values = true,
        help_heading = "Logs and traces"
    )]
    pub otlp_endpoint: Option<Endpoint>,
}

/// Something else to do than to serve.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Make a token for --tokens-file
    Token(TokenArgs),
    /// Serve the dashboard alone, and pass everything else on to the API
    Dashboard(DashboardArgs),
}

/// Which cluster to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClusterChoice {
    /// A throw-away cluster within this process, empty at its start and gone at its end
    Memory,
    /// A real Kubernetes cluster, found as kubectl finds it
    Kube,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Pretty,
    /// For programs, one object a line
    Json,
}

/// A configuration, and its text for `--print-config`.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration, checked.
    pub config: Config,
    /// The engines, with the defaults of the file that the configuration names.
    pub engines: EngineRegistry,
    /// All options in force, as YAML with where each came from; secrets are not in it.
    pub printed: String,
}

impl Config {
    /// How long things take in the election of a leader.
    pub fn leader_election_timing(&self) -> Timing {
        Timing {
            lease: self.leader_elect_lease_duration,
            renew_deadline: self.leader_elect_renew_deadline,
            retry: self.leader_elect_retry_period,
        }
    }

    /// Reads everything there is: `args` with the program's name first, the environment, and the file these name.
    ///
    /// # Errors
    /// When something cannot be read or does not go together. `--help` and `--version` are errors too, as in clap;
    /// [`ConfigError::exit`] knows what to do with each.
    pub fn load(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Loaded, ConfigError> {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let given = Config::command().try_get_matches_from(&args)?;
        let mut all = args;
        let mut from_file = Vec::new();
        if given.subcommand().is_none()
            && let Some(path) = given.get_one::<PathBuf>("config")
        {
            let settings = file::read(path)?;
            for setting in settings.into_iter().filter(|it| !print::is_given(&given, &it.id)) {
                all.extend(setting.args());
                from_file.push(setting.id);
            }
        }
        let matches = Config::command().try_get_matches_from(all)?;
        let config = Config::from_arg_matches(&matches)?;
        if config.command.is_none() {
            check::check(&config)?;
        }
        let engines = match &config.engine_defaults {
            Some(path) if config.command.is_none() => engines::read(path)?,
            _ => EngineRegistry::builtin(),
        };
        let printed = print::print(&matches, &from_file, config.config.as_deref());
        Ok(Loaded { config, engines, printed })
    }
}
