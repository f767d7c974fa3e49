//! The settings of `urumi-http dashboard`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use reqwest::Url;
use urumi_core::settings::duration;

use super::{LogFormat, MetricsListen, values};

/// Serve the dashboard alone and forward all other requests to the API. It has no state and no secrets, so any number of
/// replicas can run. The settings of the API determine how users sign in.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  urumi-http dashboard --api-url http://127.0.0.1:8080 --listen 127.0.0.1:8081
  urumi-http dashboard --api-url https://backend.urumi.svc:8443 --api-ca ca.crt --listen 0.0.0.0:8080")]
pub struct DashboardArgs {
    /// The URL of the API, without a path
    #[arg(long, value_name = "URL", value_parser = values::server)]
    pub api_url: Url,

    /// A PEM file of certificate authorities for the API, in addition to the system's
    #[arg(long, value_name = "FILE")]
    pub api_ca: Option<PathBuf>,

    /// The address of the dashboard; addresses other than loopback require an API with authentication
    #[arg(long, value_name = "ADDRESS", value_parser = values::address, default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,

    /// The address of /metrics, /healthz and /readyz, which have no authentication; `off` for none
    #[arg(long, value_name = "ADDRESS", value_parser = values::metrics_address, default_value = "off")]
    pub metrics_listen: MetricsListen,

    /// A PEM file with the certificate for HTTPS; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// A PEM file with the certificate's private key; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Tell browsers to use nothing but HTTPS for this host (HSTS); always with --tls-cert. Set it if a proxy in front serves
    /// HTTPS
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub hsts: bool,

    /// A host name that is accepted in addition to loopback names, if the API has no authentication; repeatable
    #[arg(long, value_name = "HOST", value_delimiter = ',', value_parser = values::host)]
    pub accept_host: Vec<String>,

    /// The time limit for open requests after a shutdown begins
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "25s")]
    pub shutdown_grace: Duration,

    /// The format of log lines; by default `pretty` on a terminal and `json` elsewhere
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// The log filter, as in RUST_LOG, e.g. info,urumi_http=debug
    #[arg(long, value_name = "FILTER", value_parser = values::log_filter, default_value = "info")]
    pub log: String,
}
