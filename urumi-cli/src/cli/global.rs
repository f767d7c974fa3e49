//! What every command takes.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, ValueEnum};
use urumi_core::engine::EngineRegistry;
use urumi_core::settings::{domain, duration};

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Work through the urumi server at this address, e.g. https://urumi.example.com
    ///
    /// Without --server and --cluster, what `urumi context use` has chosen is used, and else the cluster of the
    /// kubeconfig.
    #[arg(long, global = true, value_name = "URL", env = "URUMI_SERVER", hide_env_values = true)]
    pub(crate) server: Option<String>,

    /// A file with the token for the server; the token itself may be in $URUMI_TOKEN, which comes first
    #[arg(long, global = true, value_name = "FILE", env = "URUMI_TOKEN_FILE", hide_env_values = true)]
    pub(crate) token_file: Option<PathBuf>,

    /// A file with certificates (PEM) by which the server is trusted, besides those that the system trusts
    #[arg(long, global = true, value_name = "FILE", env = "URUMI_CA_FILE", hide_env_values = true)]
    pub(crate) ca_file: Option<PathBuf>,

    /// Work on a cluster directly, and on which; `kube` where nothing else is chosen
    #[arg(long, global = true, value_enum, env = "URUMI_CLUSTER", hide_env_values = true)]
    pub(crate) cluster: Option<ClusterChoice>,

    /// The kubeconfig file; else $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// The context within the kubeconfig (those of `urumi context` are servers, and are chosen there)
    #[arg(long, global = true, value_name = "NAME", env = "URUMI_CONTEXT", hide_env_values = true)]
    pub(crate) context: Option<String>,

    /// On a cluster: the domain under which new stores are reachable, unless their options say otherwise
    #[arg(long, global = true, value_parser = domain, default_value = urumi_core::orchestrator::local::LOCAL_DOMAIN, env = "URUMI_DOMAIN", hide_env_values = true)]
    pub(crate) domain: String,

    /// On a cluster: a file of options by engine that new stores get unless theirs say otherwise
    ///
    /// It is YAML or JSON, e.g. `medusa: {database: {storage: {size: 10Gi}}}`; `urumi engines NAME` shows what is in
    /// force. Stores on record keep the options that they were created with. A server has defaults of its own.
    #[arg(long, global = true, value_name = "FILE", env = "URUMI_ENGINE_DEFAULTS", hide_env_values = true)]
    pub(crate) engine_defaults: Option<PathBuf>,

    /// How data is printed; `name` prints ids only, which other commands take
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", env = "URUMI_OUTPUT", hide_env_values = true)]
    pub(crate) output: Option<Format>,

    /// Log more to stderr; up to three times
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,

    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// When to use colours; NO_COLOR is honoured too
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// With `--cluster memory`: how long a workload takes to become ready
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, default_value = "500ms", env = "URUMI_MEMORY_DELAY", hide_env_values = true)]
    pub(crate) memory_delay: Duration,

    /// Which of these stood on the command line itself: that outranks the environment.
    #[arg(skip)]
    flags: Vec<&'static str>,

    /// What the file of engines' defaults made; it is read once in a run, since it may be a pipe.
    #[arg(skip)]
    pub(crate) engines: OnceLock<EngineRegistry>,
}

/// The options for which it matters where they were said.
const WEIGHED: [&str; 9] = [
    "server",
    "token_file",
    "ca_file",
    "cluster",
    "kubeconfig",
    "context",
    "domain",
    "engine_defaults",
    "memory_delay",
];

impl Global {
    /// Notes which options stood on the command line itself.
    pub(crate) fn note_flags(&mut self, matches: &ArgMatches) {
        self.flags = WEIGHED.to_vec();
        self.flags.retain(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
    }

    /// Whether an option stood on the command line itself.
    pub(crate) fn is_flag(&self, id: &str) -> bool {
        self.flags.contains(&id)
    }
}

/// Which cluster to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClusterChoice {
    /// A real Kubernetes cluster, found as kubectl finds it
    Kube,
    /// A throw-away cluster within this process, empty at its start and gone at its end
    Memory,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For people, with more columns
    Wide,
    /// For programs
    Json,
    /// For programs
    Yaml,
    /// Ids only, one a line
    Name,
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
    /// Makes it the choice of the whole process.
    pub(crate) fn write_global(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}
