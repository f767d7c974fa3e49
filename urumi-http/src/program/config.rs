//! What the server can be told, and by whom: flags, environment, a file, defaults, in this order.
//!
//! A setting has one name everywhere: `--shutdown-grace` is `URUMI_SHUTDOWN_GRACE` in the environment and
//! `shutdown-grace` in the file, and is read by the same parser.

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
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print the options in force and where each came from, as a file for --config, and stop
    #[arg(long)]
    pub print_config: bool,

    /// Where the server listens, and whom it answers.
    #[command(flatten)]
    pub addresses: Addresses,

    /// The cluster that the server works on.
    #[command(flatten)]
    pub target: Target,

    /// The election among replicas.
    #[command(flatten)]
    pub replicas: Replicas,

    /// What new stores get, and how long things may take.
    #[command(flatten)]
    pub stores: Stores,

    /// How callers are recognised, and what they may do.
    #[command(flatten)]
    pub callers: Callers,

    /// The bounds of requests and connections.
    #[command(flatten)]
    pub limits: Limits,

    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: Telemetry,
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

/// The command line, where each option is a variable too: `--shutdown-grace` is `URUMI_SHUTDOWN_GRACE`.
fn command_line() -> clap::Command {
    Config::command().mut_args(with_variable).mut_subcommand("dashboard", |command| command.mut_args(with_variable))
}

fn with_variable(arg: Arg) -> Arg {
    match arg.get_long().filter(|_| takes_value(&arg)) {
        Some(long) => {
            let variable = format!("URUMI_{}", long.to_uppercase().replace('-', "_"));
            arg.env(variable).hide_env_values(true)
        }
        None => arg,
    }
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

impl Config {
    /// Reads everything there is: `args` with the program's name first, the environment, and the file these name.
    ///
    /// # Errors
    /// When something cannot be read or does not go together. `--help` and `--version` are errors too, as in clap;
    /// [`ConfigError::exit`] knows what to do with each.
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
