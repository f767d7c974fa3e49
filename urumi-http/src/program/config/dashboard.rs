//! The settings of a dashboard that is served alone.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::Url;
use urumi_core::settings::duration;

use super::{LogFormat, MetricsListen, values};

/// Serve the dashboard alone, and pass everything else on to the API. It keeps nothing and knows no secret: any number
/// of replicas may run. How people sign in is the API's setting.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  urumi-http dashboard --api-url http://127.0.0.1:8080 --listen 127.0.0.1:8081
  urumi-http dashboard --api-url https://backend.urumi.svc:8443 --api-ca ca.crt --listen 0.0.0.0:8080")]
pub struct DashboardArgs {
    /// The API's address, without a path
    #[arg(long, value_name = "URL", value_parser = values::server)]
    pub api_url: Url,

    /// A PEM file of certificate authorities to trust for the API, besides the system's
    #[arg(long, value_name = "FILE")]
    pub api_ca: Option<PathBuf>,

    /// The address of the dashboard; other than loopback only before an API that asks callers who they are
    #[arg(long, value_name = "ADDRESS", value_parser = values::address, default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,

    /// The address of /metrics, /healthz and /readyz, which ask nobody who they are; `off` for none
    #[arg(long, value_name = "ADDRESS", value_parser = values::metrics_address, default_value = "off")]
    pub metrics_listen: MetricsListen,

    /// A PEM file with the certificate to serve HTTPS with; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// A PEM file with the certificate's private key; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// A host name that requests may be sent to, besides loopback's, before an API that asks nobody who they are; repeatable
    #[arg(long, value_name = "HOST", value_delimiter = ',', value_parser = values::host)]
    pub accept_host: Vec<String>,

    /// How long requests in flight may take to finish once the server is told to stop
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "25s")]
    pub shutdown_grace: Duration,

    /// How log lines look; `pretty` on a terminal and `json` elsewhere without
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What is logged, as in RUST_LOG, e.g. info,urumi_http=debug
    #[arg(long, value_name = "FILTER", value_parser = values::log_filter, default_value = "info")]
    pub log: String,
}
