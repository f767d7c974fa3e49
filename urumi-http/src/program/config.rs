//! The configuration: flags, environment variables, a file and defaults, in order of precedence.
//!
//! A setting has the same name everywhere and one parser: `--shutdown-grace` is `URUMI_SHUTDOWN_GRACE` in the environment
//! and `shutdown-grace` in the file.

mod check;
mod dashboard;
mod engines;
mod error;
mod file;
mod groups;
mod print;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use urumi_core::engine::EngineRegistry;

use super::token::TokenArgs;

pub use check::{Exposure, check_exposure};
pub use dashboard::DashboardArgs;
pub use error::ConfigError;
pub use groups::{Addresses, Callers, Limits, Replicas, Stores, Target, Telemetry};
pub use values::{Endpoint, MetricsListen};

/// Serve the API of urumi: create stores, watch them, and keep their statuses up to date.
///
/// Without arguments it uses the cluster that kubectl would use, and listens on loopback only. Every option
/// can also be set as a variable (URUMI_LISTEN for --listen) or in a file (see --config); options take precedence over
/// variables, and variables over the file. An empty variable counts as not set. Separate the values of a repeatable option
/// by commas in a variable (those of --role-binding by semicolons); in the file they are a list.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "urumi-http",
    version = super::version(),
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  urumi-http --cluster memory                                    # try it without a cluster
  urumi-http --tokens-file tokens.yaml --listen 0.0.0.0:8443 --tls-cert tls.crt --tls-key tls.key
  urumi-http --config urumi.yaml --print-config
  URUMI_DOMAIN=stores.example.com urumi-http --kube-context staging
  urumi-http --listen 0.0.0.0:8443 --tls-cert tls.crt --tls-key tls.key \\
    --oidc-issuer https://login.example.com --oidc-audience urumi --role-binding admin=team:platform
  urumi-http token --subject ci --role operator                  # create a token for --tokens-file
  urumi-http dashboard --api-url http://backend:8080             # the dashboard alone

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
    /// Another action than serving the API.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// A YAML file with any of these options, named without the dashes
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print the effective options and the source of each, as a file for --config, and exit
    #[arg(long)]
    pub print_config: bool,

    /// Listeners, and the hosts and origins of clients.
    #[command(flatten)]
    pub addresses: Addresses,

    /// The cluster.
    #[command(flatten)]
    pub target: Target,

    /// The leader election among replicas.
    #[command(flatten)]
    pub replicas: Replicas,

    /// Defaults, deadlines and limits of stores.
    #[command(flatten)]
    pub stores: Stores,

    /// Authentication and roles.
    #[command(flatten)]
    pub callers: Callers,

    /// Limits of requests and connections.
    #[command(flatten)]
    pub limits: Limits,

    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: Telemetry,
}

/// Another action than serving the API.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Create a token for --tokens-file
    Token(TokenArgs),
    /// Serve the dashboard alone and forward all other requests to the API
    Dashboard(Box<DashboardArgs>),
}

/// The kind of cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClusterChoice {
    /// An in-memory cluster, which is empty at the start and lost at the end of the process
    Memory,
    /// A Kubernetes cluster, selected as by kubectl
    Kube,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Pretty,
    /// For programs, one JSON object per line
    Json,
}

/// A configuration, and its text for `--print-config`.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration, checked.
    pub config: Config,
    /// The engines, with the defaults of --engine-defaults.
    pub engines: EngineRegistry,
    /// The effective options and their sources as YAML, without secrets.
    pub printed: String,
}

/// The command line, where each option is a variable too: `--shutdown-grace` is `URUMI_SHUTDOWN_GRACE`. An empty variable
/// counts as not set.
fn command_line() -> clap::Command {
    Config::command().mut_args(with_variable).mut_subcommand("dashboard", |command| command.mut_args(with_variable))
}

fn with_variable(arg: Arg) -> Arg {
    match arg.get_long().filter(|_| takes_value(&arg)) {
        Some(long) => {
            let variable = format!("URUMI_{}", long.to_uppercase().replace('-', "_"));
            match std::env::var_os(&variable).is_some_and(|value| value.is_empty()) {
                true => arg,
                false => arg.env(variable).hide_env_values(true),
            }
        }
        None => arg,
    }
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

impl Config {
    /// Loads the configuration from `args`, with the program's name first, from the environment and from the file.
    ///
    /// # Errors
    /// If a setting is invalid or contradicts another one. `--help` and `--version` are errors too, as in clap; pass every
    /// error to [`ConfigError::exit`].
    pub fn load(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Loaded, ConfigError> {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let given = command_line().try_get_matches_from(&args)?;
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
        let matches = command_line().try_get_matches_from(all)?;
        let config = Config::from_arg_matches(&matches)?;
        if config.command.is_none() {
            check::check(&config)?;
        }
        let engines = match &config.stores.engine_defaults {
            Some(path) if config.command.is_none() => engines::read(path)?,
            _ => EngineRegistry::builtin(),
        };
        let printed = print::print(&matches, &from_file, config.config.as_deref());
        Ok(Loaded { config, engines, printed })
    }
}
