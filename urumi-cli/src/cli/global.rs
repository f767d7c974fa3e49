//! Options that every command accepts.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, ValueEnum};
use clap_complete::ArgValueCandidates;
use urumi_core::engine::EngineRegistry;
use urumi_core::settings::{domain, duration};

use crate::complete;
use crate::format::Output;

/// Options that every command accepts.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Use the saved server with this name; see `urumi context`
    ///
    /// Without --context, --server and --cluster, commands use the server chosen by `urumi context use`, or else the
    /// kubeconfig's cluster.
    #[arg(long, global = true, value_name = "NAME", env = "URUMI_CONTEXT", hide_env_values = true, add = ArgValueCandidates::new(complete::contexts))]
    pub(crate) context: Option<String>,

    /// Use the urumi server at this address, e.g. https://urumi.example.com
    #[arg(long, global = true, value_name = "URL", env = "URUMI_SERVER", hide_env_values = true)]
    pub(crate) server: Option<String>,

    /// Read the server's token from this file; $URUMI_TOKEN, if set, is used instead
    #[arg(long, global = true, value_name = "FILE", env = "URUMI_TOKEN_FILE", hide_env_values = true)]
    pub(crate) token_file: Option<PathBuf>,

    /// Also trust the CA certificates (PEM) in this file, besides the system's
    #[arg(long, global = true, value_name = "FILE", env = "URUMI_CA_FILE", hide_env_values = true)]
    pub(crate) ca_file: Option<PathBuf>,

    /// Use a cluster directly; the default is `kube` unless a server is chosen
    #[arg(long, global = true, value_enum, env = "URUMI_CLUSTER", hide_env_values = true)]
    pub(crate) cluster: Option<ClusterChoice>,

    /// The kubeconfig file; the default is $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig; --context chooses a saved server
    #[arg(long, global = true, value_name = "NAME", env = "URUMI_KUBE_CONTEXT", hide_env_values = true)]
    pub(crate) kube_context: Option<String>,

    /// Cluster only: the domain of new stores, unless their options set one
    #[arg(long, global = true, value_parser = domain, default_value = urumi_core::orchestrator::local::LOCAL_DOMAIN, env = "URUMI_DOMAIN", hide_env_values = true)]
    pub(crate) domain: String,

    /// File with default options for new stores, by engine; only for a cluster, not for a server
    ///
    /// The file is YAML or JSON, e.g. `medusa: {database: {storage: {size: 10Gi}}}`. `urumi engines NAME` shows the
    /// resulting defaults. Existing stores keep the options that they were created with. A server has its own defaults.
    #[arg(long, global = true, value_name = "FILE", env = "URUMI_ENGINE_DEFAULTS", hide_env_values = true)]
    pub(crate) engine_defaults: Option<PathBuf>,

    /// The output format: table, wide, json, yaml, name, jsonpath=TEMPLATE or custom-columns=TITLE:PATH,…
    ///
    /// `name` prints only ids, which other commands accept. Paths are JSONPath (RFC 9535) on what `json` prints: jsonpath='{.id}
    /// {.urls.api}' or custom-columns=ID:.id,OWNER:.owner. With `json`, an error is a JSON object on the last line of stderr.
    #[arg(short, long, global = true, value_parser = Output::parse, value_name = "FORMAT", env = "URUMI_OUTPUT", hide_env_values = true, add = ArgValueCandidates::new(complete::formats))]
    pub(crate) output: Option<Output>,

    /// Log more to stderr; repeat up to three times
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,

    /// Print only errors to stderr
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// When to use colours; NO_COLOR is respected
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// With `--cluster memory`: the time until a workload is ready
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, default_value = "3s", env = "URUMI_MEMORY_READY_AFTER", hide_env_values = true)]
    pub(crate) memory_ready_after: Duration,

    /// The options given on the command line rather than by the environment.
    #[arg(skip)]
    flags: Vec<&'static str>,

    /// The engines with `engine_defaults` applied. The file is read once, because it may be a pipe.
    #[arg(skip)]
    pub(crate) engines: OnceLock<EngineRegistry>,
}

/// The options whose source (command line or environment) matters.
const SOURCE_MATTERS: [&str; 12] = [
    "context",
    "server",
    "token_file",
    "ca_file",
    "cluster",
    "kubeconfig",
    "kube_context",
    "domain",
    "engine_defaults",
    "memory_ready_after",
    "max_stores_per_owner",
    "max_provisioning_per_owner",
];

impl GlobalArgs {
    /// Records which options were given on the command line.
    pub(crate) fn note_flags(&mut self, matches: &ArgMatches) {
        // Some of the options belong to a subcommand.
        let levels: Vec<&ArgMatches> =
            [Some(matches), matches.subcommand().map(|(_, own)| own)].into_iter().flatten().collect();
        let is_given = |matches: &&ArgMatches, id: &str| {
            matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine)
        };
        self.flags = SOURCE_MATTERS.to_vec();
        self.flags.retain(|id| levels.iter().any(|matches| is_given(matches, id)));
    }

    /// Whether the option was given on the command line.
    pub(crate) fn is_flag(&self, id: &str) -> bool {
        self.flags.contains(&id)
    }
}

/// The kind of cluster to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClusterChoice {
    /// A Kubernetes cluster, located like kubectl does
    Kube,
    /// A temporary in-memory cluster: starts empty, lost when the command exits
    Memory,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Applies the choice to the whole process.
    pub(crate) fn write_global(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}
